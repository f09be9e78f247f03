/**
 * Cuts connections through a proxy: silently, as a network does, or with resets, as a host without
 * the service does.
 * @module
 */
import type { ProxyFault } from './fault.ts';

/** The fault `cut`: silent in both directions, silent in one (`up`, `down`), or `reset`. */
export const cut: ProxyFault = {
  on: 'proxy',
  usage: 'cut, cut=up, cut=down or cut=reset',
  parse: (argument) => {
    if (argument === undefined) return (proxy) => proxy.cut();
    if (argument === 'up' || argument === 'down') return (proxy) => proxy.cut([argument]);
    return argument === 'reset' ? (proxy) => proxy.reset() : undefined;
  },
};
