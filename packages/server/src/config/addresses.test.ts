import assert from 'node:assert/strict';
import { test } from 'node:test';
import { areOrigins, areRanges, inRanges, isListenable, isLoopback, originsOf, trustedPeers } from './addresses.ts';

test('loopback is what never leaves the machine', () => {
  for (const host of ['127.0.0.1', '127.0.0.2', '127.255.255.254', '::1', '::ffff:127.0.0.1', 'localhost'])
    assert.ok(isLoopback(host), host);
  for (const host of ['0.0.0.0', '::', '10.0.0.1', '128.0.0.1', '::2', '::ffff:10.0.0.1', 'localhost.example', ''])
    assert.ok(!isLoopback(host), host);
});

test('a listener takes addresses, and no name that may resolve to any of them', () => {
  for (const host of ['0.0.0.0', '::', '192.0.2.7', 'localhost']) assert.ok(isListenable(host), host);
  for (const host of ['', '127.1', '1.2.3', 'auth.example.com', '[::1]']) assert.ok(!isListenable(host), host);
});

test('ranges are addresses with or without a number of bits', () => {
  for (const text of ['10.0.0.1', '10.0.0.0/8', '10.0.0.0/8, 192.0.2.1', '2001:db8::/32,::1', '0.0.0.0/0'])
    assert.ok(areRanges(text), text);
  for (const text of ['', ',', '10.0.0.1,', '10.0.0.0/33', '10.0.0.0/', '10.0.0.0/-1', '10.0.0.0/8/8', '10.0.0/8'])
    assert.ok(!areRanges(text), text);
  for (const text of ['::/129', 'fe80::1%eth0', 'proxy', '10.0.0.0/1e1', '10.0.0.0/ 8', '*'])
    assert.ok(!areRanges(text), text);
});

test('trusted are the ranges, to their last address, and this machine', () => {
  const isTrusted = trustedPeers('10.1.0.0/16, 192.0.2.7,2001:db8::/32');
  for (const peer of ['10.1.0.0', '10.1.255.255', '192.0.2.7', '2001:db8::7', '127.0.0.1', '127.9.9.9', '::1'])
    assert.ok(isTrusted(peer), peer);
  for (const peer of ['10.0.255.255', '10.2.0.0', '192.0.2.8', '2001:db9::', '0.0.0.0', '', 'localhos'])
    assert.ok(!isTrusted(peer), peer);
});

test('a peer is judged by its address, in whatever form the system names it', () => {
  const isTrusted = trustedPeers('10.1.0.0/16,fe80::/10');
  assert.ok(isTrusted('fe80::1%eth0'), 'the zone of a peer does not matter');
  assert.ok(isTrusted('::ffff:10.1.2.3'));
  assert.ok(isTrusted('::ffff:127.0.0.1'));
  assert.ok(!isTrusted('::ffff:10.2.2.3'));
});

test('this machine may connect, and is a proxy only where it is listed', () => {
  assert.ok(!inRanges('10.1.0.0/16')('127.0.0.1'));
  assert.ok(inRanges('10.1.0.0/16')('::ffff:10.1.2.3'));
  assert.ok(inRanges('127.0.0.1')('127.0.0.1'));
  assert.ok(!inRanges(undefined)('127.0.0.1'));
});

test('without ranges only this machine is trusted', () => {
  const isTrusted = trustedPeers(undefined);
  assert.ok(isTrusted('127.0.0.1'));
  assert.ok(!isTrusted('10.1.2.3'));
});

test('origins are taken only as browsers send them, by https or from this machine', () => {
  const right = [
    'https://app.example.com',
    'https://app.example.com:8443',
    'http://localhost:5173',
    'http://127.0.0.1:3000',
    'http://[::1]:3000',
    'https://app.example.com, http://localhost:5173',
    'https://*.example.com',
    'https://*.app.example.com:8443',
    'http://*.localhost:3000',
  ];
  const wrong = [
    '*',
    'null',
    'app.example.com',
    '//app.example.com',
    'https://*',
    'https://*.com',
    'https://*.*.example.com',
    'https://app.*.example.com',
    'https://*app.example.com',
    'https://*.example.com:443',
    'https://*.example.com/',
    'https://*.0.0.1',
    'http://*.example.com',
    'http://*.127.0.0.1',
    'https://app.example.com/',
    'https://app.example.com/path',
    'https://app.example.com:443',
    'https://APP.example.com',
    'https://user@app.example.com',
    'http://app.example.com',
    'http://localhost.example.com',
    'http://127.0.0.1.example.com',
    'http://0x7f.1:3000',
    'ftp://localhost',
    'file:///tmp',
    'https://app.example.com,',
    '',
  ];
  for (const text of right) assert.ok(areOrigins(text), text);
  for (const text of wrong) assert.ok(!areOrigins(text), text);
  const isListed = originsOf('https://a.example, http://localhost:1');
  assert.deepEqual(
    ['https://a.example', 'http://localhost:1', ' http://localhost:1', 'https://b.example'].map((origin) =>
      isListed?.(origin),
    ),
    [true, true, false, false],
  );
  assert.equal(originsOf(undefined), undefined);
});
