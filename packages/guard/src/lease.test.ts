import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Lease } from './lease.ts';

test('a process is current for one lease from the sending of its last good read', () => {
  const lease = new Lease();
  assert.equal(lease.isCurrent(0, 0), false);
  lease.renew(1000, 70_000, 500);
  assert.equal(lease.isCurrent(1499, 70_499), true);
  assert.equal(lease.isCurrent(1500, 70_499), false);
});

test('a machine that was suspended is not current, though its monotonic clock stood still', () => {
  const lease = new Lease();
  lease.renew(1000, 70_000, 500);
  assert.equal(lease.isCurrent(1001, 70_500), false);
  // Set back by an operator: the monotonic clock still ends it.
  assert.equal(lease.isCurrent(1500, 69_900), false);
});

test('a machine whose clock was set back by a lease is not current: what has expired and been forgotten would be valid again', () => {
  const lease = new Lease();
  lease.renew(1000, 70_000, 500);
  assert.equal(lease.isCurrent(1010, 69_501), true);
  assert.equal(lease.isCurrent(1010, 69_500), false);
});

test('a reply that comes late takes nothing back, and an ended lease begins with the next good read', () => {
  const lease = new Lease();
  lease.renew(1000, 70_000, 500);
  lease.renew(900, 69_900, 500);
  assert.equal(lease.isCurrent(1450, 70_450), true);
  lease.end();
  assert.equal(lease.isCurrent(1450, 70_450), false);
  lease.renew(1450, 70_450, 500);
  assert.equal(lease.isCurrent(1451, 70_451), true);
});

test('a read with a shorter lease takes nothing back, and one with a longer lease lengthens', () => {
  const lease = new Lease();
  lease.renew(1000, 70_000, 500);
  lease.renew(1100, 70_100, 100);
  assert.equal(lease.isCurrent(1499, 70_499), true);
  assert.equal(lease.remainingMs(1400, 70_400), 100);
  lease.renew(1100, 70_100, 1000);
  assert.equal(lease.isCurrent(2099, 71_099), true);
  assert.equal(lease.isCurrent(2100, 71_099), false);
  assert.equal(lease.remainingMs(2100, 71_099), 0);
});

test('after the wall clock was set, a read counts whose lease ends earlier by the monotonic clock', () => {
  const lease = new Lease();
  lease.renew(1000, 70_000, 500);
  assert.equal(lease.isCurrent(1010, 80_000), false);
  lease.renew(1010, 80_000, 400);
  assert.equal(lease.isCurrent(1020, 80_010), true);
  assert.equal(lease.isCurrent(1410, 80_010), false);
});
