import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Outage } from '../faults/outages.ts';
import { outcomesOf } from './criteria.ts';
import type { Measured } from './measured.ts';
import { judgePhase, judgeRecovery } from './outage-criteria.ts';
import { OutageMeasure } from './outage-measure.ts';
import type { Outcome } from './outcome.ts';

const redis: Outage = { name: 'redis paused', subject: 'redis', begins: 0, heals: 1 };
const postgres: Outage = { name: 'postgres killed', subject: 'postgres', begins: 2, heals: 3 };
const worker: Outage = { name: 'worker killed', subject: 'other', begins: 4, heals: undefined };

const start = (): OutageMeasure => {
  const measure = new OutageMeasure({ outages: [redis, postgres, worker], leaseSeconds: 5 }, 0);
  measure.becameSteady(1000);
  return measure;
};

const ok: Outcome = { kind: 'ok', name: 'ok' };
const refused = (code: string): Outcome => ({ kind: 'real', name: `503 ${code}` });
const request = (sentAtMs: number, name: string, outcome: Outcome = ok, tookMs = 5): Measured => ({
  method: name === '/api/protected' ? 'GET' : 'POST',
  name,
  outcome,
  sentAtMs,
  answeredAtMs: sentAtMs + tookMs,
  bytes: 0,
});

const countsOf = (measure: OutageMeasure) =>
  measure.phases.map(({ start: { name }, window: { endpoints } }) => [
    name,
    [...endpoints.values()].reduce((sum, endpoint) => sum + endpoint.ok + endpoint.expected + endpoint.real, 0),
  ]);

test('requests belong to the phase in which they were sent, whenever their answers come', () => {
  const measure = start();
  measure.record(request(500, '/auth/login'));
  measure.record(request(1000, '/auth/login'));
  measure.began(0, 5000);
  measure.record(request(4999, '/auth/login', ok, 3000));
  measure.record(request(5000, '/auth/login', ok, 4000));
  measure.ended(0, 5001, true);
  measure.ended(1, 8000, true);
  measure.record(request(7999, '/auth/login', ok, 4000));
  measure.record(request(8000, '/auth/login'));
  measure.recordLogout('pending', 7000);
  measure.stop(9000);
  assert.deepEqual(countsOf(measure), [
    ['starting', 1],
    ['before', 2],
    ['redis paused', 2],
    ['after redis paused', 1],
  ]);
  assert.deepEqual(
    measure.phases.map(({ start: { fromMs }, toMs }) => [fromMs, toMs]),
    [
      [0, 1000],
      [1000, 5000],
      [5000, 8000],
      [8000, 9000],
    ],
  );
  assert.deepEqual(
    measure.phases.map(({ window }) => window.logouts.pending),
    [0, 0, 1, 0],
  );
});

test('while the database is away only checks within the lease are judged; refusals as designed are counted apart, and stay failures', () => {
  const measure = start();
  measure.began(2, 10_000);
  for (let at = 10_000; at < 10_200; at++) measure.record(request(at, '/api/protected'));
  // The lease may have been renewed up to a poll before, so its last 0.2 s are not judged.
  measure.record(request(14_799, '/api/protected', refused('revocation_state_unavailable'), 0.5));
  measure.record(request(14_801, '/api/protected', refused('revocation_state_unavailable')));
  measure.record(request(16_000, '/api/protected', { kind: 'real', name: 'no answer: answer timeout' }));
  measure.record(request(10_100, '/auth/logout', refused('revocation_unknown')));
  measure.record(request(10_100, '/auth/login', refused('store_unavailable')));
  measure.record(request(10_100, '/auth/login', refused('hashing_busy')));
  measure.ended(3, 20_000, true);
  const phase = measure.phases.find(({ start: { kind } }) => kind === 'outage') ?? assert.fail();
  assert.deepEqual(phase.leasedChecks, { requests: 201, real: 1 });
  assert.equal(phase.refusedAsDesigned, 3);
  const [verdict, ...others] = judgePhase(phase).verdicts;
  assert.deepEqual(others, []);
  assert.equal(verdict?.criterion, 'postgres killed: real failures of token checks within the lease, %');
  assert.equal(verdict?.verdict, 'passed');
  assert.equal(outcomesOf(phase.window).real, 6);
});

test('a Redis phase and quiet may fail one request in a hundred; the aim is one in a thousand; the start is not judged', () => {
  const measure = start();
  for (let at = 0; at < 10; at++) measure.record(request(at, '/auth/login', refused('hashing_busy')));
  for (let at = 2000; at < 2200; at++) measure.record(request(at, '/auth/login', at < 2003 ? refused('x') : ok));
  measure.began(0, 5000);
  for (let at = 5000; at < 5200; at++) measure.record(request(at, '/auth/login', at < 5001 ? refused('x') : ok));
  measure.ended(1, 8000, true);
  const judged = measure.phases.map((phase) => {
    const { verdicts, aims } = judgePhase(phase);
    return [verdicts.map(({ verdict }) => verdict), aims.map(({ verdict }) => verdict)];
  });
  assert.deepEqual(judged, [
    [[], []],
    [['failed'], []],
    [['passed'], ['failed']],
    [['not judged'], []],
  ]);
});

test('what was in flight when an outage began is judged with the outage, not with the quiet before', () => {
  const measure = start();
  const failed: Outcome = { kind: 'real', name: 'no answer: answer timeout' };
  for (let at = 3000; at < 3200; at++) measure.record(request(at, '/api/protected'));
  measure.began(0, 5000);
  measure.record(request(4990, '/api/protected', failed, 1000));
  measure.record(request(4991, '/api/protected', ok, 1000));
  // So slow before anything was broken: no outage cut it.
  measure.record(request(3500, '/api/protected', failed, 3000));
  measure.ended(1, 8000, true);
  measure.began(2, 12_000);
  measure.record(request(11_990, '/api/protected', failed, 1000));
  measure.record(request(11_990, '/auth/login', failed, 1000));
  measure.stop(20_000);
  const judged = measure.phases.map((phase) => [
    phase.start.name,
    outcomesOf(phase.window).real,
    phase.cut,
    judgePhase(phase).verdicts[0]?.measured,
  ]);
  assert.deepEqual(judged.slice(1), [
    ['before', 2, 1, (100 * 1) / 203],
    ['redis paused', 0, 0, 100],
    ['after redis paused', 2, 2, 0],
    ['postgres killed', 0, 0, 100],
  ]);
  assert.equal(measure.measured[0]?.recovery?.failures, 0);
});

test('outages that overlap are one phase, held to what the database allows; each recovery ends where something else is broken', () => {
  const measure = start();
  measure.began(0, 5000);
  measure.began(2, 6000);
  measure.ended(1, 7000, true);
  measure.ended(3, 8000, true);
  measure.began(4, 8500);
  measure.stop(9000);
  assert.deepEqual(
    measure.phases.map(({ start: { name, subject, leaseEndsAtMs } }) => [name, subject, leaseEndsAtMs]),
    [
      ['starting', undefined, undefined],
      ['before', undefined, undefined],
      ['redis paused', 'redis', undefined],
      ['redis paused and postgres killed', 'postgres', 10_800],
      ['postgres killed', 'postgres', 10_800],
      ['after postgres killed', undefined, undefined],
      ['worker killed', 'other', undefined],
    ],
  );
  assert.deepEqual(
    measure.measured.map(({ outage, recovery }) => [outage.name, recovery?.healedAtMs, recovery?.endsAtMs]),
    [
      ['redis paused', 7000, 7000],
      ['postgres killed', 8000, 8500],
      ['worker killed', undefined, undefined],
    ],
  );
});

test('a fault that could not be done broke nothing, and one that should heal but failed healed nothing', () => {
  const measure = start();
  measure.began(0, 5000);
  measure.ended(0, 5001, false);
  assert.equal(measure.phases.at(-1)?.start.name, 'after redis paused');
  assert.equal(measure.measured[0]?.recovery, undefined);
  measure.began(2, 6000);
  measure.ended(2, 6001, true);
  measure.ended(3, 7000, false);
  assert.equal(measure.phases.at(-1)?.start.name, 'postgres killed');
  assert.equal(measure.measured[1]?.recovery, undefined);
});

test('recovery after Redis is held to a second, and not judged when nobody can say what is usual', () => {
  const run = (logoutsBefore: number, slowUntilMs: number, failureAtMs?: number) => {
    const measure = start();
    for (let at = 0; at < logoutsBefore; at++) measure.record(request(2000 + at, '/auth/logout'));
    measure.began(0, 5000);
    measure.ended(1, 8000, true);
    for (let at = 8000; at < 14_000; at += 100)
      measure.record(request(at, '/auth/logout', ok, at < slowUntilMs ? 200 : 5));
    if (failureAtMs !== undefined) measure.record(request(failureAtMs, '/auth/login', refused('x')));
    measure.stop(15_000);
    const [measured] = measure.measured;
    const judged = judgeRecovery(measured ?? assert.fail(), measure.usualLogoutMs);
    return { ...judged, verdicts: judged.verdicts.map(({ verdict }) => verdict) };
  };
  assert.deepEqual(run(50, 8500).verdicts, ['passed', 'passed']);
  assert.equal(run(50, 8500).logoutsUsualMs, 400);
  assert.deepEqual(run(50, 9500, 8999).verdicts, ['passed', 'failed']);
  assert.deepEqual(run(50, 0, 9200).verdicts, ['failed', 'passed']);
  const few = run(5, 0);
  assert.deepEqual(few.verdicts, ['passed', 'not judged']);
  assert.match(few.notJudged ?? '', /too few sign-outs before/);
  // Never usual again while it was watched: a lower bound above the limit has failed.
  assert.deepEqual(run(50, 14_000).verdicts, ['passed', 'failed']);
});
