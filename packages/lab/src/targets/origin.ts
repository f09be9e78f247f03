/**
 * Where a target is.
 * @module
 */

/** Whether an origin is a loopback address: then the target shares this machine with the lab. */
export const isOnThisMachine = (origin: string): boolean =>
  /^(127(\.\d+){3}|localhost|\[::1\])$/.test(new URL(origin).hostname);

/** Port of an origin. */
export const portOf = (origin: string): number => {
  const { port, protocol } = new URL(origin);
  return Number(port === '' ? (protocol === 'https:' ? 443 : 80) : port);
};
