import assert from 'node:assert/strict';
import { isIP } from 'node:net';
import { test } from 'node:test';
import fc from 'fast-check';
import { canonicalAddress } from './ip-address.ts';
import { parseProxyHeader } from './proxy-header.ts';

const v2 = (command: number, family: number, content: Buffer): Buffer => {
  const head = Buffer.from('\r\n\r\n\0\r\nQUIT\n\0\0\0\0', 'latin1');
  head.writeUInt8(command, 12);
  head.writeUInt8(family, 13);
  head.writeUInt16BE(content.length, 14);
  return Buffer.concat([head, content]);
};
const tcp4 = Buffer.from([192, 0, 2, 7, 10, 0, 0, 1, 0, 80, 1, 187]);
const tcp6 = Buffer.from(`${'20010db8000000000000000000000007'.repeat(2)}005001bb`, 'hex');

const headers: readonly (readonly [string, string | Buffer, string | undefined])[] = [
  ['version 1, IPv4', 'PROXY TCP4 192.0.2.7 10.0.0.1 4711 443\r\n', '192.0.2.7'],
  ['version 1, IPv6', 'PROXY TCP6 2001:DB8:0::7 fd00::1 4711 443\r\n', '2001:db8::7'],
  ['version 1, unknown', 'PROXY UNKNOWN\r\n', undefined],
  ['version 1, unknown with addresses', 'PROXY UNKNOWN 192.0.2.7 10.0.0.1 4711 443\r\n', undefined],
  ['version 2, IPv4', v2(0x21, 0x11, tcp4), '192.0.2.7'],
  ['version 2, IPv6', v2(0x21, 0x21, tcp6), '2001:db8::7'],
  ['version 2, with more than addresses', v2(0x21, 0x11, Buffer.concat([tcp4, Buffer.alloc(500)])), '192.0.2.7'],
  ['version 2, local', v2(0x20, 0x00, Buffer.alloc(0)), undefined],
  ['version 2, a Unix socket', v2(0x21, 0x31, Buffer.alloc(216)), undefined],
];
for (const [about, header, address] of headers)
  test(`a header of ${about} is read, and not a byte further`, () => {
    const bytes = Buffer.from(header);
    const whole = { bytes: bytes.length, address };
    assert.deepEqual(parseProxyHeader(bytes), whole);
    assert.deepEqual(parseProxyHeader(Buffer.concat([bytes, Buffer.from('GET / HTTP/1.1\r\n\r\n')])), whole);
    for (let length = 0; length < bytes.length; length++)
      assert.equal(parseProxyHeader(bytes.subarray(0, length)), 'incomplete', `the first ${length} bytes`);
  });

const hostile: readonly (readonly [string, string | Buffer])[] = [
  ['a request', 'GET / HTTP/1.1\r\n'],
  ['a TLS handshake', Buffer.from('160301', 'hex')],
  ['an endless line', `PROXY UNKNOWN ${'x'.repeat(100)}`],
  ['a family that is not that of the addresses', 'PROXY TCP4 2001:db8::7 fd00::1 4711 443\r\n'],
  ['no address', 'PROXY TCP4 localhost 10.0.0.1 4711 443\r\n'],
  ['a zone', 'PROXY TCP6 fe80::1%eth0 fd00::1 4711 443\r\n'],
  ['an impossible port', 'PROXY TCP4 192.0.2.7 10.0.0.1 4711 65536\r\n'],
  ['a further word', 'PROXY TCP4 192.0.2.7 10.0.0.1 4711 443 x\r\n'],
  ['another version', v2(0x31, 0x11, tcp4)],
  ['another command', v2(0x22, 0x11, tcp4)],
  ['too few bytes for its addresses', v2(0x21, 0x11, tcp4.subarray(1))],
  ['64 KiB, of which nothing has come yet', v2(0x21, 0x11, Buffer.alloc(65_535)).subarray(0, 16)],
];
for (const [about, bytes] of hostile)
  test(`a header with ${about} is none`, () => {
    assert.equal(parseProxyHeader(Buffer.from(bytes)), 'invalid');
  });

test('any bytes are judged within the longest header, and name an address or none', () => {
  const starts = ['', 'PROXY ', 'PROXY TCP4 ', '\r\n\r\n\0\r\nQUIT\n', '\r\n\r\n\0\r\nQUIT\n!\u0011'];
  fc.assert(
    fc.property(fc.constantFrom(...starts), fc.uint8Array({ maxLength: 4096 }), (start, rest) => {
      const bytes = Buffer.concat([Buffer.from(start, 'latin1'), rest]);
      const header = parseProxyHeader(bytes);
      if (header === 'incomplete') assert.ok(bytes.length < 2048, 'no more is waited for');
      if (typeof header === 'string') return;
      assert.ok(header.bytes <= bytes.length);
      if (header.address !== undefined)
        assert.ok(isIP(header.address) && canonicalAddress(header.address) === header.address);
    }),
  );
});
