/**
 * Addresses that the users of the generator connect from. On loopback each user can have its
 * address, so that a limit per address acts as it would on separate clients, and each address has
 * all ports to itself.
 * @module
 */
import { isIPv4 } from 'node:net';

/** A range of IPv4 addresses in CIDR notation. */
export interface AddressRange {
  readonly text: string;
  /** The first one used, as a number: that of the network itself is left out. */
  readonly first: number;
  /** How many are used. */
  readonly count: number;
}

/** Users of a target on loopback come from here unless the command line says otherwise. */
const loopbackRange = '127.1.0.0/16';

const numberOf = (address: string): number =>
  address.split('.').reduce((number, part) => number * 256 + Number(part), 0);

/**
 * Reads a range: `127.1.0.0/16`, or one address.
 * @throws Error that says what is allowed
 */
export const parseAddressRange = (text: string): AddressRange => {
  const [, address = '', prefix = '32'] = /^([\d.]+)(?:\/(\d{1,2}))?$/.exec(text) ?? [];
  const bits = Number(prefix);
  if (!isIPv4(address) || bits < 8 || bits > 32)
    throw new Error(`"${text}" is no range of addresses: write for example 127.1.0.0/16, or one address`);
  const size = 2 ** (32 - bits);
  const network = Math.floor(numberOf(address) / size) * size;
  return size <= 2
    ? { text, first: bits === 32 ? numberOf(address) : network, count: size }
    : { text, first: network + 1, count: size - 2 };
};

/** The address of a user. Beyond the last they begin again. */
export const addressOf = ({ first, count }: AddressRange, index: number): string => {
  const number = first + (index % count);
  return [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join('.');
};

/** Whether a host is an IPv4 loopback address. */
const isLoopback = (host: string): boolean => isIPv4(host) && host.startsWith('127.');

/**
 * The range that users of a target connect from; `undefined`: from whatever address the system
 * takes.
 * @param asked on the command line: a range, `one` for a single address, or nothing
 * @param platform of this machine: only Linux answers on all of 127.0.0.0/8 without being told to
 * @throws Error when the range cannot reach the target
 */
export const sourceAddressesOf = (
  target: string,
  asked: string | undefined,
  platform: NodeJS.Platform,
): AddressRange | undefined => {
  const { hostname } = new URL(target);
  if (asked === 'one') return undefined;
  if (asked === undefined)
    return isLoopback(hostname) && platform === 'linux' ? parseAddressRange(loopbackRange) : undefined;
  const range = parseAddressRange(asked);
  if (isLoopback(addressOf(range, 0)) !== isLoopback(hostname))
    throw new Error(
      `--source-addresses ${asked} cannot reach ${target}: addresses of 127.0.0.0/8 belong to targets of 127.0.0.0/8, and no others do`,
    );
  return range;
};
