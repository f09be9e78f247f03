/**
 * Where a target is.
 * @module
 */

/** Whether an address is on loopback: then the target shares this machine with the lab. */
export const isOnThisMachine = (target: string): boolean =>
  /^(127(\.\d+){3}|localhost|\[::1\])$/.test(new URL(target).hostname);

/** Port of an address. */
export const portOf = (target: string): number => {
  const { port, protocol } = new URL(target);
  return Number(port === '' ? (protocol === 'https:' ? 443 : 80) : port);
};

/** Path below which all requests to an address go; empty where that is the whole of it. */
export const basePathOf = (target: string): string => new URL(target).pathname.replace(/\/+$/, '');
