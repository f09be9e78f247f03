/**
 * IP addresses as texts: one spelling for each address, and the group that stands for one party.
 * @module
 */
import { isIP, SocketAddress } from 'node:net';

/** Prefix of an IPv4 address where a socket or a proxy writes both families as IPv6. */
const mappedPrefix = '::ffff:';

/**
 * The one spelling of an address: IPv6 as RFC 5952 writes it, an IPv4 address inside IPv6 as IPv4.
 * @returns `undefined` for a text that is no address, or has a zone, which means something on the
 *   machine of its author only
 */
export const canonicalAddress = (text: string): string | undefined => {
  const version = isIP(text);
  if (version === 0 || text.includes('%')) return undefined;
  if (version === 4) return text;
  const { address } = new SocketAddress({ address: text, family: 'ipv6' });
  const mapped = address.startsWith(mappedPrefix) ? address.slice(mappedPrefix.length) : '';
  return isIP(mapped) === 4 ? mapped : address;
};

const groupsOf = (text = ''): readonly string[] => (text === '' ? [] : text.split(':'));

/**
 * The key under which the acts of one party are counted together: an IPv4 address alone, an IPv6
 * address with its /64, because a single subscriber has that many addresses (RFC 6177).
 * @param address as {@link canonicalAddress} spells it; the zone of a link-local peer is ignored
 */
export const addressGroup = (address: string): string => {
  if (isIP(address) !== 6) return address;
  const [head, tail] = (address.split('%')[0] ?? '').split('::');
  const [left, right] = [groupsOf(head), groupsOf(tail)];
  // An IPv4 address at the end takes the place of two groups.
  const rightCount = right.length + (right.at(-1)?.includes('.') ? 1 : 0);
  const zeros = tail === undefined ? 0 : 8 - left.length - rightCount;
  return `${[...left, ...Array<string>(zeros).fill('0'), ...right].slice(0, 4).join(':')}::/64`;
};
