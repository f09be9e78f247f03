import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { needsPostgres } from '../harness/postgres.ts';
import { seed } from '../harness/seed.ts';
import { Deployment } from './deployment.ts';
import { faults } from './faults.ts';
import { moments } from './moments.ts';
import { playRound } from './round.ts';

// Each fault once, at one of the moments; `node tests/faults/matrix.ts` plays all of them many times.
suite('whatever breaks, nothing that was signed out is accepted', needsPostgres(), () => {
  test(`each fault once (SEED=${seed})`, async (t) => {
    await using deployment = await Deployment.start({ machines: [3], leaseMs: 500, answerMs: 700 });
    const names = Object.keys(moments);
    for (const [index, fault] of Object.keys(faults).entries()) {
      const moment = names[(index + seed) % names.length] as string;
      await t.test(`${fault} × ${moment}`, async () => {
        const round = await playRound(deployment, fault, moment, seed + index);
        assert.deepEqual(
          [round.violations, round.liveRefused, round.forgotten, round.crashes],
          [[], [], 0, 0],
          `SEED=${seed}: ${JSON.stringify(round)}`,
        );
        assert.ok(round.deadChecks > 0, 'the signed-out token was tried');
      });
    }
  });
});
