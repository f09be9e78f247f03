/**
 * What the query of a gateway's question requires.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { requirementsOfQuery } from './requirements.ts';

test('a query requires roles, scopes and a fresh sign-in', () => {
  assert.deepEqual(requirementsOfQuery('follow', '/check?role=editor&scope=a%20b&fresh=5m&when-stale=ask'), {
    role: ['editor'],
    scope: ['a', 'b'],
    freshSignIn: 300_000,
    whenStale: 'ask',
  });
});

test('no query lets in what the sidecar would refuse without it', () => {
  assert.throws(() => requirementsOfQuery('follow', '/check?when-stale=allow'), /Cannot take when-stale=allow/);
});
