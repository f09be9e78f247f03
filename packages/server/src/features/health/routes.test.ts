import assert from 'node:assert/strict';
import { test } from 'node:test';
import { paths } from '@catalytic/protocol/paths';
import { healthRoutes } from './routes.ts';

/** Asks whether a process is ready whose clock is so far ahead of the database's. */
const askReady = async (clockAheadMs: number, isCurrent: boolean) => {
  const routes = healthRoutes({
    probeStore: async () => {},
    currency: { isCurrent: () => isCurrent, currencyAgeMs: () => 100, clockAheadMs },
    revocationLeaseMs: 5000,
    isBusUp: undefined,
    isEnding: () => false,
  });
  const ready = routes.find(({ path }) => path === paths.ready);
  assert.ok(ready !== undefined);
  return ready.handle({} as Parameters<typeof ready.handle>[0]);
};

for (const [clockAheadMs, words] of [
  [60_001, /60 s ahead of the clock of the database/],
  [-3_600_000, /3600 s behind the clock of the database/],
] as const)
  test(`readiness says that a clock is wrong by ${clockAheadMs} ms, which is why no token is accepted`, async () => {
    // The lease may still run.
    for (const isCurrent of [true, false])
      await assert.rejects(askReady(clockAheadMs, isCurrent), { code: 'clock_wrong', message: words });
  });

test('a difference that clocks may have is none', async () => {
  assert.deepEqual(await askReady(60_000, true), { status: 200, body: { status: 'ready' } });
  await assert.rejects(askReady(-60_000, false), { code: 'revocation_state_unavailable' });
});
