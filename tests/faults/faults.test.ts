import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { needsPostgres } from '../harness/postgres.ts';
import { needsRedis } from '../harness/redis.ts';
import { seed } from '../harness/seed.ts';
import { Deployment } from './deployment.ts';
import { type Fault, settings } from './fault.ts';
import { innerFaults } from './faults.ts';
import { guardFaults } from './guard-faults.ts';
import { moments } from './moments.ts';
import { playRound } from './round.ts';

const momentNames = Object.keys(moments);

/** A fault and the moment that it strikes at. */
type Pair = readonly [fault: string, moment: string];

/** At the edges of the promise, each time: most of the others there take longer, and are for the matrix. */
const edges: readonly Pair[] = [
  ['database put back to before the sign-out', 'after the answer'],
  ["commit's wait for its standby cancelled", 'before the commit'],
];

// Every sixth fault and every twelfth of those of guards, by the seed, once, at one of the moments; `npm run faults` plays
// all of them many times. Rounds mostly wait, so the deployments are played side by side.
suite('whatever breaks, nothing that was signed out is accepted', { ...needsPostgres(), concurrency: true }, () => {
  /** Faults that can share a deployment do, the one that the first of these settings gives: its start takes longer than a round. */
  const each = (
    served: readonly [Fault['setting'], ...Fault['setting'][]],
    options: { readonly skip: string | false },
    also: readonly Pair[] = [],
  ): void => {
    const [setting] = served;
    test(`${setting}: every sixth fault once (SEED=${seed})`, options, async (t) => {
      await using deployment = await Deployment.start({ leaseMs: 500, answerMs: 700, ...settings[setting] });
      const namesOf = (some: Readonly<Record<string, Fault>>, every: number): readonly string[] =>
        Object.entries(some)
          .flatMap(([name, fault]) => (served.includes(fault.setting) ? [name] : []))
          .filter((_, index) => index % every === seed % every);
      // Rounds in which a guard is lost take as long as its lease.
      const names = [...namesOf(innerFaults, 6), ...namesOf(guardFaults, 12)];
      const pairs = names.map((name, index): Pair => {
        const moment = momentNames[(index + Math.floor(seed / 6)) % momentNames.length] as string;
        return [name, moment];
      });
      for (const [index, [fault, moment]] of [...pairs, ...also].entries())
        await t.test(`${fault} × ${moment}`, async () => {
          const round = await playRound(deployment, fault, moment, seed + index);
          assert.deepEqual(
            [round.violations, round.liveRefused, round.forgotten, round.crashes, round.unexpected],
            [[], [], 0, 0, []],
            `SEED=${seed}: ${JSON.stringify(round)}`,
          );
          assert.ok(round.deadChecks > 0, 'the signed-out token was tried');
        });
    });
  };
  each(['three workers and guards', 'three workers'], { skip: false }, edges);
  each(['two networks', 'two machines'], needsRedis());
});
