/**
 * `kill -9` while people sign out. The drill: `npm run bench -- kill-rounds`; `SEED=…` repeats a run.
 * @module
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { randomFrom, seed } from '../harness/seed.ts';
import { startKillDrill } from './kill-round.ts';

test('what was answered before kill -9 holds from the first request of the next process', async (t) => {
  t.diagnostic(`SEED=${seed}`);
  await using drill = await startKillDrill();
  const round = await drill.round(randomFrom(seed)());
  t.diagnostic(JSON.stringify(round));
  assert.ok(round.signOutsAcknowledged > 0);
});
