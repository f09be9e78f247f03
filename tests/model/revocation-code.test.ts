/**
 * The code that revokes, run in simulated time under random faults: after the answer nobody accepts the token. A failure prints the seed
 * and the history; `RUNS=20000 node --test tests/model/revocation-code.test.ts` looks further.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SimulatedDeployment } from './simulated-deployment.ts';
import type { SimulatedProcess } from './simulated-time.ts';

const runs = Number(process.env['RUNS'] ?? 300);
const processes = 3;
const guards = 2;
const endMs = 4000;
const backupEveryMs = 90;

const slot = fc.nat(processes - 1);
const atMs = fc.integer({ min: 0, max: 2500 });
const forMs = fc.oneof(fc.integer({ min: 1, max: 100 }), fc.integer({ min: 100, max: 2000 }));

const fault = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('freeze' as const), slot, atMs, forMs, isSuspended: fc.boolean() }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('evict' as const), slot, atMs, victim: slot }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('kill' as const), slot, atMs, forMs, isReaped: fc.boolean() }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('stop' as const), slot, atMs }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('cut' as const), slot, atMs, forMs }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('astray' as const), slot, atMs, forMs }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('crash' as const), atMs, wasted: fc.nat(6) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('failover' as const), atMs }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('put back' as const), atMs, count: fc.nat(8) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('freeze guard' as const),
      guard: fc.nat(guards - 1),
      atMs,
      forMs,
      isSuspended: fc.boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constantFrom('kill guard' as const, 'stop guard' as const, 'cut guard' as const),
      guard: fc.nat(guards - 1),
      atMs,
      forMs,
    }),
  },
);
type Fault = typeof fault extends fc.Arbitrary<infer Value> ? Value : never;

const revoke = fc.record({
  slot,
  session: fc.constantFrom('a', 'b', 'c', 'd'),
  atMs: fc.integer({ min: 50, max: 2500 }),
  openMs: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 300 })),
});

const history = fc.record({
  seed: fc.nat(),
  leasesMs: fc.constantFrom([400], [1000], [400, 1000]),
  answerMs: fc.constantFrom(200, 700, 2000),
  weather: fc.constantFrom(
    { slow: 0, lost: 0 },
    { slow: 0.05, lost: 0.1, repeated: 0.05 },
    { slow: 0.3, lost: 0.5, repeated: 0.1 },
    { slow: 0, lost: 1 },
  ),
  faults: fc.array(fault, { maxLength: 8 }),
  revokes: fc.array(revoke, { minLength: 1, maxLength: 6 }),
});

/** While it lasts, a process is in a set. */
const during = (
  deployment: SimulatedDeployment,
  set: 'cut' | 'astray',
  process: SimulatedProcess | undefined,
  ms: number,
): void => {
  if (process === undefined) return;
  deployment.network[set].add(process);
  deployment.time.after(ms, () => deployment.network[set].delete(process));
};

const strike = (deployment: SimulatedDeployment, fault: Fault): void => {
  const { time, database } = deployment;
  time.note(`strikes: ${JSON.stringify(fault)}`);
  switch (fault.kind) {
    case 'freeze':
      deployment.process(fault.slot)?.freeze(fault.forMs, fault.isSuspended);
      break;
    case 'evict':
      deployment.evict(fault.slot, fault.victim);
      break;
    case 'kill':
      deployment.kill(fault.slot, fault.isReaped);
      time.after(fault.forMs, () => deployment.start(fault.slot));
      break;
    case 'stop':
      deployment.stop(fault.slot);
      break;
    case 'cut':
    case 'astray':
      during(deployment, fault.kind, deployment.process(fault.slot), fault.forMs);
      break;
    case 'crash':
      database.waste(fault.wasted);
      time.after(2, () => database.crash());
      break;
    case 'failover':
      database.failOver();
      break;
    case 'freeze guard':
      deployment.guard(fault.guard)?.freeze(fault.forMs, fault.isSuspended);
      break;
    case 'kill guard':
      deployment.killGuard(fault.guard);
      time.after(fault.forMs, () => deployment.startGuard(fault.guard));
      break;
    case 'stop guard':
      deployment.stopGuard(fault.guard);
      break;
    case 'cut guard':
      during(deployment, 'cut', deployment.guard(fault.guard), fault.forMs);
      break;
    case 'put back':
      deployment.putBack(fault.count);
      break;
  }
};

test(`no history of ${runs} accepts a token after the answer that it is revoked`, async () => {
  const answers = { complete: 0, pending: 0, none: 0 };
  await fc.assert(
    fc.asyncProperty(history, async ({ faults, revokes, ...setting }) => {
      const deployment = new SimulatedDeployment({ ...setting, processes, guards });
      const { time, database } = deployment;
      for (let atBackupMs = 0; atBackupMs < endMs; atBackupMs += backupEveryMs)
        time.after(atBackupMs, () => database.backUp());
      for (const fault of faults) time.after(fault.atMs, () => strike(deployment, fault));
      for (const { slot, session, atMs, openMs } of revokes)
        time.after(atMs, () => deployment.revoke(slot, session, openMs));
      await time.runUntil(endMs, () => deployment.check());
      for (const { answer } of deployment.revokes) answers[answer?.propagation ?? 'none']++;
    }),
    { numRuns: runs },
  );
  // A simulation in which little is answered proves little.
  assert.ok(answers.complete > runs, JSON.stringify(answers));
  assert.ok(answers.pending > runs / 20, JSON.stringify(answers));
});

test('without faults a revoke completes at once with a bus, within a poll and a look without one, and everybody stays current', async () => {
  for (const [lost, completeMs] of [
    [0, 60],
    [1, 400],
  ] as const)
    for (let seed = 0; seed < 20; seed++) {
      const deployment = new SimulatedDeployment({
        seed,
        processes,
        guards,
        leasesMs: [400],
        answerMs: 1000,
        weather: { slow: 0, lost },
      });
      const { time } = deployment;
      for (let index = 0; index < 10; index++)
        time.after(600 + 73 * index, () => deployment.revoke(index % processes, `session ${index}`, index % 3));
      await time.runUntil(2400, () => {
        deployment.check();
        for (let at = 0; at < processes; at++)
          assert.ok(time.nowMs < 50 || deployment.isCurrent(at), `seed ${seed}:\n${time.history.join('\n')}`);
        for (let at = 0; at < guards; at++)
          assert.ok(time.nowMs < 600 || deployment.isGuardCurrent(at), `seed ${seed}:\n${time.history.join('\n')}`);
      });
      for (const { answer, answeredAfterMs = Number.POSITIVE_INFINITY } of deployment.revokes)
        assert.ok(
          answer?.propagation === 'complete' && answeredAfterMs <= completeMs,
          `seed ${seed}: ${answeredAfterMs} ms\n${time.history.join('\n')}`,
        );
    }
});

test('after the database has been put back everybody is current again, and a revoke completes', async () => {
  for (let seed = 0; seed < 20; seed++) {
    const deployment = new SimulatedDeployment({
      seed,
      processes,
      guards,
      leasesMs: [400],
      answerMs: 1000,
      weather: { slow: 0, lost: 0 },
    });
    const { time, database } = deployment;
    time.after(200, () => database.backUp());
    for (let index = 0; index < 5; index++)
      time.after(300 + 73 * index, () => deployment.revoke(index % processes, `session ${index}`, 0));
    time.after(800, () => deployment.putBack(0));
    time.after(3000, () => deployment.revoke(seed % processes, 'a later session', 0));
    await time.runUntil(4000, () => deployment.check());
    for (let at = 0; at < processes; at++)
      assert.ok(deployment.isCurrent(at), `seed ${seed}, process ${at}:\n${time.history.join('\n')}`);
    for (let at = 0; at < guards; at++)
      assert.ok(deployment.isGuardCurrent(at), `seed ${seed}, guard ${at}:\n${time.history.join('\n')}`);
    assert.equal(deployment.revokes.at(-1)?.answer?.propagation, 'complete', `seed ${seed}`);
  }
});
