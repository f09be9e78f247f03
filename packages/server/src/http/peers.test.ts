import assert from 'node:assert/strict';
import type { IncomingHttpHeaders } from 'node:http';
import { isIP, type Socket } from 'node:net';
import { test } from 'node:test';
import fc from 'fast-check';
import { canonicalAddress } from './ip-address.ts';
import { AnnouncedAddresses, type CallerSource, callerAddress } from './peers.ts';

/** The proxies of these tests: 10.0.0.0/8 and fd00::/16. */
const isProxy = (address: string): boolean => /^(10\.|fd00:)/.test(address);
const announced = new AnnouncedAddresses();
const callerOf = (peer: string, headers: IncomingHttpHeaders, source: CallerSource = 'headers'): string | null =>
  callerAddress({ source, isProxy }, announced, { socket: { remoteAddress: peer } as Socket, headers });

const proxy = '10.0.0.1';
const cases: readonly (readonly [string, string, string | undefined])[] = [
  ['one address', '192.0.2.7', undefined],
  ['the text of the caller to the left', '6.6.6.6, 192.0.2.7', undefined],
  ['further trusted proxies', '6.6.6.6, 192.0.2.7, 10.0.0.3,10.0.0.2', undefined],
  ['a port', '192.0.2.7:4711', undefined],
  ['an IPv4 address inside IPv6', '::ffff:192.0.2.7', undefined],
  ['only trusted proxies', '10.0.0.3, 10.0.0.2', '10.0.0.3'],
  ['unknown', '192.0.2.7, unknown, 10.0.0.2', '10.0.0.2'],
  ['nothing that is an address', 'localhost', proxy],
  ['an empty header', '', proxy],
  ['an empty element at the right', '192.0.2.7,', proxy],
];
for (const [about, header, caller = '192.0.2.7'] of cases)
  test(`X-Forwarded-For of ${about} makes the caller ${caller}`, () => {
    assert.equal(callerOf(proxy, { 'x-forwarded-for': header }), caller);
  });

const elements: readonly (readonly [string, string, string | undefined])[] = [
  ['one address', 'for=192.0.2.7', undefined],
  ['all parameters', 'By=10.0.0.1;FOR="192.0.2.7:4711";host=id.example;proto=https', undefined],
  ['an open quote to the left', 'for=6.6.6.6;host=", for=192.0.2.7', undefined],
  ['an open quote to the left of a quoted address', 'for="6.6.6.6, for="192.0.2.7"', undefined],
  ['a quote in the host that the proxy has escaped', 'for=6.6.6.6, for=192.0.2.7;host="a\\", for=7.7.7.7"', undefined],
  ['IPv6', 'for=192.0.2.7, for="[fd00::1]:80"', undefined],
  ['a hidden caller', 'for=192.0.2.7, for=_hidden', proxy],
  ['two addresses in one element', 'for=192.0.2.7;for=6.6.6.6', proxy],
  ['no address', 'proto=https', proxy],
  ['a broken element', 'for=192.0.2.7;;=', proxy],
];
for (const [about, header, caller = '192.0.2.7'] of elements)
  test(`Forwarded with ${about} makes the caller ${caller}`, () => {
    assert.equal(callerOf(proxy, { forwarded: header }), caller);
  });

test('where both headers are there they must agree, unless one is named', () => {
  const headers = { forwarded: 'for=192.0.2.7', 'x-forwarded-for': '192.0.2.8' };
  assert.equal(callerOf(proxy, headers), proxy);
  assert.equal(callerOf(proxy, { ...headers, 'x-forwarded-for': '6.6.6.6, 192.0.2.7' }), '192.0.2.7');
  assert.equal(callerOf(proxy, headers, 'forwarded'), '192.0.2.7');
  assert.equal(callerOf(proxy, headers, 'x-forwarded-for'), '192.0.2.8');
  assert.equal(callerOf(proxy, headers, 'peer'), proxy);
});

test('a connection that is gone has no address', () => {
  for (const socket of [{} as Socket, null])
    assert.equal(callerAddress({ source: 'headers', isProxy }, announced, { socket, headers: {} }), null);
});

const foreign = fc.oneof(fc.ipV4(), fc.ipV6()).filter((text) => {
  const address = canonicalAddress(text);
  return address !== undefined && !isProxy(address);
});
const proxies = fc.array(fc.oneof(fc.constant('10.1.2.3'), fc.constant('fd00::7')), { maxLength: 4 });
// Half of it are the characters that have a meaning in one of the headers.
const garbage = fc.string({ unit: fc.oneof(fc.constantFrom(...'",;\\= []:.f'), fc.string({ maxLength: 1 })) });
const headersOf = (left: string, caller: string, via: readonly string[]): IncomingHttpHeaders => {
  const node = (address: string): string => (isIP(address) === 6 ? `"[${address}]:4711"` : address);
  return {
    'x-forwarded-for': [left, caller, ...via].join(', '),
    forwarded: [left, ...[caller, ...via].map((address) => `for=${node(address)};proto=https`)].join(', '),
  };
};

test('whatever the caller writes, the address is the one that the first trusted proxy saw', () => {
  fc.assert(
    fc.property(garbage, foreign, proxies, (left, caller, via) => {
      const headers = headersOf(left, caller, via);
      for (const source of ['headers', 'forwarded', 'x-forwarded-for'] as const)
        assert.equal(callerOf(proxy, headers, source), canonicalAddress(caller), source);
    }),
  );
});

test('what a peer that is no proxy says about callers is not read', () => {
  fc.assert(
    fc.property(garbage, foreign, foreign, (left, caller, peer) => {
      assert.equal(callerOf(peer, headersOf(left, caller, [])), canonicalAddress(peer));
    }),
  );
});

test('the result is an address, whatever the headers hold', () => {
  fc.assert(
    fc.property(garbage, garbage, (forwarded, list) => {
      const caller = callerOf(proxy, { forwarded, 'x-forwarded-for': list }) ?? '';
      assert.equal(canonicalAddress(caller), caller);
    }),
  );
});
