import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressOf, parseAddressRange, sourceAddressesOf } from './source-addresses.ts';

test('users have addresses of their own as long as there are any', () => {
  const range = parseAddressRange('127.1.0.0/16');
  assert.equal(range.count, 65_534);
  assert.deepEqual(
    [0, 1, 255, 65_533, 65_534].map((index) => addressOf(range, index)),
    ['127.1.0.1', '127.1.0.2', '127.1.1.0', '127.1.255.254', '127.1.0.1'],
  );
  assert.equal(new Set(Array.from({ length: 10_000 }, (_, index) => addressOf(range, index))).size, 10_000);
  assert.equal(addressOf(parseAddressRange('192.0.2.7'), 5), '192.0.2.7');
  for (const text of ['', '127.1.0.0/33', '127.1.0.0/4', '300.0.0.0/16', '::1', 'here'])
    assert.throws(() => parseAddressRange(text), /is no range/, text);
});

test('by default only users of a target on loopback have them, where the system answers on all of them', () => {
  assert.equal(sourceAddressesOf('http://127.0.0.1:8000', undefined, 'linux')?.text, '127.1.0.0/16');
  assert.equal(sourceAddressesOf('http://127.0.0.1:8000', undefined, 'darwin'), undefined);
  assert.equal(sourceAddressesOf('http://127.0.0.1:8000', 'one', 'linux'), undefined);
  assert.equal(sourceAddressesOf('https://auth.example', undefined, 'linux'), undefined);
  assert.throws(() => sourceAddressesOf('https://auth.example', '127.1.0.0/16', 'linux'), /cannot reach/);
  assert.throws(() => sourceAddressesOf('http://127.0.0.1:8000', '192.0.2.0/24', 'linux'), /cannot reach/);
});
