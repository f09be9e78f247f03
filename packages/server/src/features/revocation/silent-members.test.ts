import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MemberId } from '@catalytic/protocol/ids';
import { quietMsMax, SilentMembers } from './silent-members.ts';
import type { Member } from './store.ts';

const row = (id: string, applied: string | null): Member => ({
  id: id as MemberId,
  state: 'live',
  leaseMs: 5000,
  applied,
  kind: 'worker',
  seen: 0,
});

test('a member whose row stands still while others change theirs has fallen silent', () => {
  const silent = new SilentMembers();
  for (let nowMs = 0; nowMs < quietMsMax; nowMs += 1000)
    assert.deepEqual(silent.take([row('lost', 'a'), row('here', `${nowMs}`)], nowMs), []);
  assert.deepEqual(silent.take([row('lost', 'a'), row('here', 'b')], quietMsMax), [row('lost', 'a')]);
  assert.deepEqual(silent.take([row('lost', 'c'), row('here', 'd')], quietMsMax + 1000), [], 'it has come back');
});

test('where no row changes there is nothing to apply, and no member has fallen silent', () => {
  const silent = new SilentMembers();
  silent.take([row('one', 'a'), row('two', 'a')], 0);
  assert.deepEqual(silent.take([row('one', 'a'), row('two', 'a')], 10 * quietMsMax), []);
});
