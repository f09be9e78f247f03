import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AccessTokenClaims } from '@catalytic/protocol/claims';
import type { JournalEntry } from '@catalytic/protocol/journal';
import fc from 'fast-check';
import { View } from './view.ts';

const names = fc.constantFrom('a', 'b', 'c');
const entry = fc
  .record({
    kind: fc.constantFrom('token', 'session', 'account', 'tenant', 'key'),
    key: names,
    epoch: fc.integer({ min: 1, max: 4 }),
    keepUntilMs: fc.integer({ min: 0, max: 100 }),
    keepsSessions: fc.boolean(),
  })
  .map(({ kind, key, epoch, keepUntilMs, keepsSessions }) => {
    const isEpoch = kind === 'account' || kind === 'tenant';
    return {
      id: 'x',
      kind,
      key,
      keepUntilMs: kind === 'key' ? null : keepUntilMs,
      ...(isEpoch ? { epoch } : {}),
      ...(kind === 'account' && keepsSessions ? { keepsSessions } : {}),
    } as unknown as JournalEntry;
  });
const claims = fc.record({
  jti: names,
  sid: names,
  sub: names,
  tid: names,
  aep: fc.integer({ min: 0, max: 4 }),
  tep: fc.integer({ min: 0, max: 4 }),
}) as unknown as fc.Arbitrary<AccessTokenClaims>;

/** What the journal means, said without any data structure. */
const isNamedBy = (one: JournalEntry, token: AccessTokenClaims, kid: string): boolean => {
  switch (one.kind) {
    case 'token':
      return (one.key as string) === token.jti;
    case 'session':
      return (one.key as string) === token.sid;
    case 'account':
      return (one.key as string) === token.sub && token.aep < one.epoch;
    case 'tenant':
      return (one.key as string) === token.tid && token.tep < one.epoch;
    case 'key':
      return one.key === kid;
  }
};

test('a token is revoked exactly when some entry names it, in whatever order and however often they were applied', () => {
  fc.assert(
    fc.property(
      fc.array(entry, { maxLength: 12 }),
      claims,
      names,
      fc.integer({ min: 0, max: 5 }),
      (entries, token, kid, split) => {
        const view = new View();
        view.apply(entries.slice(split).toReversed());
        view.apply(entries);
        assert.equal(
          view.isRevoked(token, kid),
          entries.some((one) => isNamedBy(one, token, kid)),
        );
      },
    ),
    { numRuns: 500 },
  );
});

test('a revoked token is only outdated exactly when every entry that names it keeps sessions, heard or read, and restored too', () => {
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 12 }), claims, names, fc.nat(12), (entries, token, kid, heard) => {
      const view = new View();
      view.hear(entries.slice(0, heard));
      view.apply(entries.slice(heard));
      const restored = new View();
      restored.apply([...view.entries()]);
      const naming = entries.filter((one) => isNamedBy(one, token, kid));
      const isOutdated = naming.every((one) => 'keepsSessions' in one);
      for (const each of [view, restored]) {
        assert.equal(each.isRevoked(token, kid), naming.length > 0);
        if (naming.length > 0) assert.equal(each.isOnlyOutdated(token, kid), isOutdated);
      }
    }),
    { numRuns: 500 },
  );
});

test('an end of sessions that the database has lost is noticed, although the epoch was raised further since', () => {
  const entryOf = (epoch: number, rest: object = {}): JournalEntry =>
    ({ id: 'x', kind: 'account', key: 'a', epoch, keepUntilMs: 50, ...rest }) as unknown as JournalEntry;
  const view = new View();
  view.hear([entryOf(1)], true);
  view.apply([entryOf(2, { keepsSessions: true })]);
  assert.equal(view.hasLost(view.heardCount), true);
  view.apply([entryOf(1)]);
  assert.equal(view.hasLost(view.heardCount), false);
});

test('a sweep never takes an entry whose time has not come, and takes all of them in the end', () => {
  const due = { id: 'x', kind: 'session', key: 'a', keepUntilMs: 50 } as unknown as JournalEntry;
  const named = { jti: 'b', sid: 'a', sub: 'b', tid: 'b', aep: 0, tep: 0 } as unknown as AccessTokenClaims;
  fc.assert(
    fc.property(
      fc.array(entry, { maxLength: 12 }),
      claims,
      names,
      fc.integer({ min: 0, max: 100 }),
      (entries, token, kid, nowMs) => {
        const view = new View();
        view.apply(entries);
        view.sweep(nowMs);
        const needed = entries.filter(({ keepUntilMs }) => keepUntilMs === null || keepUntilMs >= nowMs);
        if (needed.some((one) => isNamedBy(one, token, kid))) assert.ok(view.isRevoked(token, kid));
        view.sweep(1000);
        assert.equal(view.size, new Set(entries.filter(({ kind }) => kind === 'key').map(({ key }) => key)).size);
      },
    ),
    // At its very time an entry is still needed; drawn numbers seldom meet it.
    { numRuns: 500, examples: [[[due], named, 'b', 50]] },
  );
});

test('a full view refuses further entries instead of forgetting them, and takes them after a sweep', () => {
  const session = (key: string, keepUntilMs: number): JournalEntry =>
    ({ id: key, kind: 'session', key, keepUntilMs }) as unknown as JournalEntry;
  const view = new View(2);
  assert.equal(view.apply([session('a', 1), session('b', 2)]), true);
  assert.equal(view.isFull, true);
  assert.equal(view.apply([session('c', 3)]), false);
  assert.equal(view.size, 2);
  view.sweep(2);
  assert.equal(view.apply([session('c', 3)]), true);
});

test('a revoke that is repeated after its entry was swept is not taken for one that the database has lost', () => {
  const entryOf = (keepUntilMs: number): JournalEntry =>
    ({ id: 'x', kind: 'account', key: 'a', epoch: 1, keepUntilMs }) as unknown as JournalEntry;
  const view = new View();
  view.apply([entryOf(50)]);
  view.sweep(60);
  assert.equal(view.hear([entryOf(50)], true), true);
  assert.equal(view.hasLost(view.heardCount), false);
  assert.equal(view.size, 0);
  view.hear([entryOf(60)], true);
  assert.equal(view.hasLost(view.heardCount), true);
});
