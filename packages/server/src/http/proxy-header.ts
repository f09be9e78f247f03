/**
 * The PROXY protocol, versions 1 and 2
 * (https://www.haproxy.org/download/2.9/doc/proxy-protocol.txt): a proxy that passes connections on
 * unread says before their first byte, TLS included, where each comes from.
 * @module
 */
import { isIP, type Socket } from 'node:net';
import { canonicalAddress } from './ip-address.ts';

/** Longest header of version 1, bytes (section 2.1). */
const v1BytesMax = 107;
const v1Prefix = Buffer.from('PROXY ');
const v2Signature = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
const v2HeadBytes = 16;
/**
 * Longest header of version 2, bytes. The format allows 64 KiB; what proxies add to the addresses
 * (section 2.2: TLVs) is some hundred bytes.
 */
const v2BytesMax = 2048;
/** How long a proxy may take to send its header; the specification asks for at least 3 seconds. */
const headerMsMax = 5000;

/** A whole header: its length, and the address of the proxy's peer if it names one. */
export interface ProxyHeader {
  readonly bytes: number;
  /** `undefined` where the proxy speaks for itself, or for a peer without an IP address. */
  readonly address: string | undefined;
}

const v1Pattern = /^PROXY (?:UNKNOWN(?: .*)?|TCP([46]) (\S+) (\S+) (\d{1,5}) (\d{1,5}))$/;

const parseV1 = (bytes: Buffer): ProxyHeader | 'incomplete' | 'invalid' => {
  const end = bytes.subarray(0, v1BytesMax).indexOf('\r\n');
  if (end < 0) return bytes.length < v1BytesMax ? 'incomplete' : 'invalid';
  const match = v1Pattern.exec(bytes.toString('latin1', 0, end));
  if (match === null) return 'invalid';
  const [, version, source = '', target = '', ...ports] = match;
  if (version === undefined) return { bytes: end + 2, address: undefined };
  const isRight =
    [source, target].every((address) => isIP(address) === Number(version)) &&
    ports.every((port) => Number(port) <= 65_535);
  const address = canonicalAddress(source);
  return isRight && address !== undefined ? { bytes: end + 2, address } : 'invalid';
};

/** Bytes of a pair of addresses and ports by family and transport; 0x11 and 0x21 are TCP. */
const v2AddressBytes: Readonly<Record<number, number>> = { 17: 12, 33: 36 };

const parseV2 = (bytes: Buffer): ProxyHeader | 'incomplete' | 'invalid' => {
  if (bytes.length < v2HeadBytes) return 'incomplete';
  const [command, family] = [bytes.readUInt8(12), bytes.readUInt8(13)];
  const length = v2HeadBytes + bytes.readUInt16BE(14);
  if ((command !== 0x20 && command !== 0x21) || length > v2BytesMax) return 'invalid';
  const addressBytes = v2AddressBytes[family];
  if (command === 0x21 && length < v2HeadBytes + (addressBytes ?? 0)) return 'invalid';
  if (bytes.length < length) return 'incomplete';
  // 0x20 is LOCAL: a health check of the proxy itself.
  if (command === 0x20 || addressBytes === undefined) return { bytes: length, address: undefined };
  const source = bytes.subarray(v2HeadBytes, v2HeadBytes + (family === 0x11 ? 4 : 16));
  const text = family === 0x11 ? source.join('.') : (source.toString('hex').match(/.{4}/g) ?? []).join(':');
  return { bytes: length, address: canonicalAddress(text) };
};

/** Whether the bytes and the expected start agree as far as both go. */
const beginsLike = (bytes: Buffer, start: Buffer): boolean => {
  const length = Math.min(bytes.length, start.length);
  return bytes.subarray(0, length).equals(start.subarray(0, length));
};

/** Reads the header at the start of a connection; a connection without one is `invalid`. */
export const parseProxyHeader = (bytes: Buffer): ProxyHeader | 'incomplete' | 'invalid' => {
  for (const [start, parse] of [
    [v1Prefix, parseV1],
    [v2Signature, parseV2],
  ] as const)
    if (beginsLike(bytes, start)) return bytes.length < start.length ? 'incomplete' : parse(bytes);
  return 'invalid';
};

/**
 * Takes the header off a connection that nothing has been read of, and leaves the bytes after it to
 * be read.
 * @param onHeader the header has come
 * @param onInvalid there is no header, or it did not come in time: the connection has been closed
 */
export const takeProxyHeader = (
  socket: Socket,
  onHeader: (header: ProxyHeader) => void,
  onInvalid: () => void,
): void => {
  let bytes = Buffer.alloc(0);
  const stop = (): void => {
    clearTimeout(timer);
    socket.off('readable', read).off('end', leave).off('close', leave).off('error', ignore);
  };
  const ignore = (): void => {};
  // The proxy has only looked whether the port is open.
  const leave = (): void => {
    stop();
    socket.destroy();
  };
  const refuse = (): void => {
    leave();
    onInvalid();
  };
  const read = (): void => {
    const chunk = socket.read() as Buffer | null;
    if (chunk === null) return;
    bytes = Buffer.concat([bytes, chunk]);
    const header = parseProxyHeader(bytes);
    if (header === 'incomplete') return;
    if (header === 'invalid') {
      refuse();
      return;
    }
    stop();
    if (bytes.length > header.bytes) socket.unshift(bytes.subarray(header.bytes));
    onHeader(header);
  };
  const timer = setTimeout(refuse, headerMsMax);
  socket.on('readable', read).on('end', leave).on('close', leave).on('error', ignore);
};
