import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JournalPage, PlacedEntry } from '@catalytic/guard/journal-source';
import type { JournalId, TenantId } from '@catalytic/protocol/ids';
import fc from 'fast-check';
import { covers, nothingOf, union } from './coverage.ts';
import { RecentEntries } from './recent-entries.ts';

const entry = (place: bigint, tenantId: TenantId | null = null): PlacedEntry =>
  ({
    id: `id of ${place}`,
    kind: 'session',
    key: `session ${place}`,
    keepUntilMs: 1e12,
    place,
    tenantId,
  }) as PlacedEntry;

/** A database whose transactions take their places in one order, and commit in another. */
class Database {
  readonly #committed: bigint[] = [];
  readonly #open: bigint[] = [];
  #next = 1n;

  begin(): void {
    this.#open.push(this.#next++);
  }

  commit(index: number): void {
    this.#committed.push(...this.#open.splice(index % Math.max(1, this.#open.length), 1));
  }

  /** Reads as a source does. */
  reader(): () => JournalPage<unknown> {
    let has = nothingOf('one');
    return () => {
      const places = this.#committed.filter((place) => !covers(has, place)).sort((a, b) => Number(a - b));
      const last = places.at(-1) ?? 0n;
      const upTo = last > has.upTo ? last : has.upTo;
      has = {
        history: 'one',
        upTo,
        id: upTo === 0n ? null : (`id of ${upTo}` as JournalId),
        except: this.#open.filter((place) => place < upTo),
      };
      return { entries: places.map((place) => entry(place)), coverage: has } as unknown as JournalPage<unknown>;
    };
  }
}

test('whichever worker a guard asks, and however transactions end, it gets every entry or is told to load', () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('begin' as const) }),
    fc.record({ kind: fc.constant('commit' as const), index: fc.nat(3) }),
    fc.record({ kind: fc.constant('read' as const), worker: fc.nat(1) }),
    fc.record({ kind: fc.constant('ask' as const), worker: fc.nat(1) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const database = new Database();
      const workers = [0, 1].map(() => ({
        recent: new RecentEntries(),
        read: database.reader(),
        all: new Set<bigint>(),
      }));
      let has = nothingOf('one');
      const held = new Set<bigint>();
      const reads = (worker: (typeof workers)[number] | undefined, isWhole: boolean): void => {
        const page = worker?.read();
        if (worker === undefined || page === undefined) return;
        worker.recent.add({ page, isWhole });
        for (const { place } of page.entries) worker.all.add(place);
      };
      for (const worker of workers) reads(worker, true);
      for (const each of steps) {
        if (each.kind === 'begin') database.begin();
        if (each.kind === 'commit') database.commit(each.index);
        if (each.kind === 'read') reads(workers[each.worker], false);
        if (each.kind !== 'ask') continue;
        const { recent, all } = workers[each.worker] as (typeof workers)[number];
        const given = recent.after(has, null);
        assert.ok(given !== undefined && recent.coverage !== undefined);
        for (const { place } of given) held.add(place);
        has = union(has, recent.coverage);
        assert.ok(all.isSubsetOf(held), 'it has all that the worker has read');
        const places = [...all].filter((place) => covers(has, place));
        assert.ok(places.every((place) => held.has(place)));
      }
    }),
  );
});

test('entries are dropped by whole reads, and a guard that may lack one of them must load everything', () => {
  const recent = new RecentEntries();
  const read = (from: number, to: number, except: readonly bigint[] = [], isWhole = false): void => {
    const entries = Array.from({ length: to - from + 1 }, (_, index) => entry(BigInt(from + index)));
    const coverage = { history: 'one', upTo: BigInt(to), id: entries.at(-1)?.id ?? null, except };
    recent.add({ page: { entries, coverage } as unknown as JournalPage<unknown>, isWhole });
  };
  read(1, 3, [], true);
  assert.equal(recent.after(nothingOf('one'), null)?.length, 3);
  const has = (upTo: bigint, except: readonly bigint[] = []) => ({
    history: 'one',
    upTo,
    id: `id of ${upTo}` as JournalId,
    except,
  });
  // The transaction at 4 ends late: its row comes with the last of these reads.
  read(5, 15_000, [4n]);
  const late = { history: 'one', upTo: 15_001n, id: 'id of 15001' as JournalId, except: [] };
  recent.add({
    page: { entries: [entry(4n), entry(15_001n)], coverage: late } as unknown as JournalPage<unknown>,
    isWhole: false,
  });
  read(15_002, 22_000);
  assert.equal(recent.after(nothingOf('one'), null)?.length, undefined, 'the first reads are dropped');
  assert.deepEqual(
    recent
      .after(has(15_001n, [4n]), null)
      ?.map(({ place }) => place)
      .slice(0, 2),
    [4n, 15_002n],
    'a row of a late transaction stays for as long as the read that brought it',
  );
  read(22_001, 41_000);
  assert.equal(recent.after(has(22_000n, [4n]), null)?.length, undefined, 'that row is gone by now');
  assert.equal(recent.after(has(22_000n), null)?.length, 19_000);
});

test('a guard of another history, or of a database that was put back, is not known', () => {
  const recent = new RecentEntries();
  const coverage = { history: 'one', upTo: 2n, id: 'id of 2' as JournalId, except: [] };
  recent.add({
    page: { entries: [entry(1n), entry(2n)], coverage } as unknown as JournalPage<unknown>,
    isWhole: true,
  });
  assert.equal(recent.knows(coverage), true);
  assert.equal(recent.knows({ ...coverage, history: 'another' }), false);
  assert.equal(recent.knows({ ...coverage, id: 'another entry' as JournalId }), false);
  assert.equal(recent.after({ ...coverage, id: 'another entry' as JournalId }, null), undefined);
  assert.deepEqual([recent.isBehind({ ...coverage, upTo: 3n }), recent.isBehind(coverage)], [true, false]);
});

test('a guard of a tenant gets the entries of its tenant and those of everybody', () => {
  const recent = new RecentEntries();
  const [mine, other] = ['mine', 'other'] as TenantId[];
  const entries = [entry(1n, mine), entry(2n, other), entry(3n)];
  const coverage = { history: 'one', upTo: 3n, id: 'id of 3' as JournalId, except: [] };
  recent.add({ page: { entries, coverage } as unknown as JournalPage<unknown>, isWhole: true });
  const placesFor = (tenantId: TenantId | null) => recent.after(nothingOf('one'), tenantId)?.map(({ place }) => place);
  assert.deepEqual(placesFor(mine ?? null), [1n, 3n]);
  assert.deepEqual(placesFor(null), [1n, 2n, 3n]);
});
