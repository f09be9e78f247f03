import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Coverage } from '@catalytic/guard/journal-source';
import fc from 'fast-check';
import { covers, includes, nothingOf, union } from './coverage.ts';

/** Places from 1 to 8, so that every pair of coverages meets often. */
const placeMax = 8n;
const places = Array.from({ length: Number(placeMax) }, (_, index) => BigInt(index + 1));

/** A coverage that covers its end, as every cursor does: an entry stands there. */
const coverage: fc.Arbitrary<Coverage> = fc
  .record({
    upTo: fc.bigInt({ min: 0n, max: placeMax }),
    except: fc.uniqueArray(fc.bigInt({ min: 1n, max: placeMax })),
  })
  .map(({ upTo, except }) => ({
    history: 'one',
    upTo,
    id: null,
    except: except.filter((place) => place < upTo).sort((a, b) => Number(a - b)),
  }));

const held = (of: Coverage): ReadonlySet<bigint> => new Set(places.filter((place) => covers(of, place)));

test('a union holds what either holds, and nothing else', () => {
  fc.assert(
    fc.property(coverage, coverage, (first, second) => {
      assert.deepEqual(held(union(first, second)), held(first).union(held(second)));
    }),
  );
});

test('one includes another exactly if it holds all that the other holds', () => {
  fc.assert(
    fc.property(coverage, coverage, (first, second) => {
      assert.equal(includes(first, second), held(second).isSubsetOf(held(first)));
    }),
  );
  assert.equal(includes({ ...nothingOf('one'), upTo: 8n }, nothingOf('another')), false);
});
