/**
 * Delays data through a proxy.
 * @module
 */
import type { ProxyFault } from './fault.ts';
import { bothDirections, type Direction } from './proxy.ts';

/** Longest delay, milliseconds: beyond it a delay is a cut. */
const delayMsMax = 60_000;

/** The fault `delay`: `50ms`, in one direction `50ms,up` or `50ms,down`. */
export const delay: ProxyFault = {
  on: 'proxy',
  usage: `delay=Nms, delay=Nms,up or delay=Nms,down, N up to ${delayMsMax}`,
  parse: (argument = '') => {
    const match = /^(\d+)ms(?:,(up|down))?$/.exec(argument);
    const ms = Number(match?.[1]);
    if (match === null || ms > delayMsMax) return undefined;
    const directions = match[2] === undefined ? bothDirections : [match[2] as Direction];
    return (proxy) => proxy.delay(ms, directions);
  },
};
