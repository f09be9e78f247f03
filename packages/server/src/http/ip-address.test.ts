import assert from 'node:assert/strict';
import { isIP } from 'node:net';
import { test } from 'node:test';
import fc from 'fast-check';
import { addressGroup, canonicalAddress } from './ip-address.ts';

test('an address has one spelling', () => {
  for (const [text, spelling] of [
    ['192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['0:0:0:0:0:FFFF:c000:0207', '192.0.2.7'],
    ['2001:DB8:0:0:0:0:0:7', '2001:db8::7'],
    ['2001:0db8::0007', '2001:db8::7'],
  ] as const)
    assert.equal(canonicalAddress(text), spelling, text);
  for (const text of ['', 'unknown', '192.0.2', '192.0.2.07', '1.2.3.4:5', '[::1]', 'fe80::1%eth0', '::ffff:1.2.3.4.5'])
    assert.equal(canonicalAddress(text), undefined, text);
});

test('an IPv4 address is its own group, an IPv6 address stands in its /64', () => {
  for (const [address, group] of [
    ['192.0.2.7', '192.0.2.7'],
    ['2001:db8::7', '2001:db8:0:0::/64'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8:0:2::', '2001:db8:0:2::/64'],
    ['::1', '0:0:0:0::/64'],
    ['::192.0.2.7', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ] as const)
    assert.equal(addressGroup(address), group);
});

test('exactly the addresses of one /64 share a group, however they are spelled', () => {
  const group = fc.integer({ min: 0, max: 0xffff });
  const half = fc.tuple(group, group, group, group);
  const spell = (groups: readonly number[], digits: number): string =>
    groups.map((value) => value.toString(16).padStart(digits, '0')).join(':');
  // Addresses that are IPv4 inside IPv6 are IPv4.
  const network = half.filter((groups) => groups.some((value) => value !== 0));
  fc.assert(
    fc.property(network, network, half, half, (one, other, host, otherHost) => {
      const groupOf = (groups: readonly number[], digits: number): string =>
        addressGroup(canonicalAddress(spell(groups, digits)) ?? '');
      const first = groupOf([...one, ...host], 1);
      assert.equal(isIP(first.replace('/64', '')), 6, first);
      assert.equal(groupOf([...one, ...otherHost], 4), first);
      assert.equal(groupOf([...other, ...host], 1) === first, one.join() === other.join());
    }),
  );
});
