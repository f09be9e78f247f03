/**
 * Addresses in the configuration: which of them stay on this machine, and who may connect.
 * @module
 */
import { BlockList, isIP } from 'node:net';

const familyOf = (address: string): 'ipv4' | 'ipv6' => (isIP(address) === 4 ? 'ipv4' : 'ipv6');

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

/** Whether a service on this address can be reached from this machine only. */
export const isLoopback = (host: string): boolean =>
  host === 'localhost' || (isIP(host) !== 0 && loopback.check(host, familyOf(host)));

/**
 * Whether one can listen on it: an address, or `localhost`. Any other name may resolve to another
 * address later.
 */
export const isListenable = (host: string): boolean => host === 'localhost' || isIP(host) !== 0;

/** Whether it means every address of the machine. */
export const isAnyAddress = (host: string): boolean => host === '0.0.0.0' || host === '::';

/** An address as a URL spells it. */
export const urlHost = (host: string): string => (host.includes(':') ? `[${host}]` : host);

/** Whether a host name leads to this machine by itself (RFC 6761 section 6.3), or the address is loopback. */
const staysHere = (hostname: string): boolean =>
  isLoopback(hostname.replace(/^\[|\]$/g, '')) || hostname.endsWith('.localhost');

/**
 * Whether it is an origin exactly as browsers send it (RFC 6454 section 6.2), by https, or by http
 * from this machine.
 */
const isExactOrigin = (text: string): boolean => {
  if (!URL.canParse(text)) return false;
  const { origin, protocol, hostname } = new URL(text);
  return origin === text && (protocol === 'https:' || (protocol === 'http:' && staysHere(hostname)));
};

/** An asterisk as the first label of the host; what it leaves open follows the scheme. */
const wildcard = '://*.';

/**
 * Whether it is an origin, or a pattern of origins: an asterisk for the labels before a domain of at
 * least two labels, because `https://*.com` would be half of the web.
 */
const isOrigin = (text: string): boolean => {
  const example = text.replace(wildcard, '://label.');
  if (example.includes('*') || !isExactOrigin(example)) return false;
  const { hostname } = new URL(example);
  return example === text || hostname.split('.').length > 2 || hostname === 'label.localhost';
};

/** Whether a text is a list of origins, separated by commas. */
export const areOrigins = (text: string): boolean => text.split(',').every((origin) => isOrigin(origin.trim()));

/** One or more labels of a host name, as browsers send them. */
const isLabels = (text: string): boolean => /^[a-z0-9_-]+(\.[a-z0-9_-]+)*$/.test(text);

/**
 * Judges origins by such a list; `undefined` where it lists none. An asterisk stands for one label or
 * several, never for the domain itself.
 */
export const originsOf = (list: string | undefined): ((origin: string) => boolean) | undefined => {
  if (list === undefined) return undefined;
  const listed = list.split(',').map((origin) => origin.trim());
  const exact = new Set(listed);
  const patterns = listed
    .filter((origin) => origin.includes(wildcard))
    .map((origin) => ({ start: origin.slice(0, origin.indexOf('*')), end: origin.slice(origin.indexOf('*') + 1) }));
  return (origin) =>
    (!origin.includes('*') && exact.has(origin)) ||
    patterns.some(
      ({ start, end }) =>
        origin.startsWith(start) && origin.endsWith(end) && isLabels(origin.slice(start.length, -end.length)),
    );
};

/** Adds `ADDRESS` or `ADDRESS/BITS`. Returns whether the text is one of the two. */
const addRange = (ranges: BlockList, text: string): boolean => {
  const [address = '', bits, ...rest] = text.trim().split('/');
  const version = isIP(address);
  // An address with a zone, such as `fe80::1%eth0`, would match in every zone.
  if (version === 0 || address.includes('%') || rest.length > 0) return false;
  if (bits === undefined) ranges.addAddress(address, familyOf(address));
  else if (!/^\d{1,3}$/.test(bits) || Number(bits) > (version === 4 ? 32 : 128)) return false;
  else ranges.addSubnet(address, Number(bits), familyOf(address));
  return true;
};

/** Whether a text is a list of addresses and ranges, separated by commas. */
export const areRanges = (text: string): boolean => text.split(',').every((range) => addRange(new BlockList(), range));

/** The widest ranges of private addresses: 10.0.0.0/8 (RFC 1918), fc00::/7 (RFC 4193). */
const privateBits = { ipv4: 8, ipv6: 7 } as const;

/** The ranges of a list that are wider than any private network. */
export const wideRanges = (ranges: string | undefined): readonly string[] =>
  (ranges?.split(',') ?? [])
    .map((range) => range.trim())
    .filter((range) => {
      const [address = '', bits] = range.split('/');
      return bits !== undefined && Number(bits) < privateBits[familyOf(address)];
    });

/**
 * The addresses in the ranges.
 * @param ranges as {@link areRanges} takes them; `undefined`: none
 * @returns judges an address; an IPv4 address may have its IPv6 form
 */
export const inRanges = (ranges: string | undefined): ((address: string) => boolean) => {
  const listed = new BlockList();
  for (const range of ranges?.split(',') ?? []) addRange(listed, range);
  return (address) => isIP(address) !== 0 && listed.check(address, familyOf(address));
};

/** The peers that may connect to the public listener: this machine, and addresses in the ranges. */
export const trustedPeers = (ranges: string | undefined): ((address: string) => boolean) => {
  const isListed = inRanges(ranges);
  return (address) => isLoopback(address) || isListed(address);
};
