/**
 * Takes back every delay and cut of a proxy.
 * @module
 */
import type { ProxyFault } from './fault.ts';

/** The fault `heal`. */
export const heal: ProxyFault = {
  on: 'proxy',
  usage: 'heal',
  parse: (argument) => (argument === undefined ? (proxy) => proxy.heal() : undefined),
};
