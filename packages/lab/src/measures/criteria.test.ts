import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Verdict } from '../results/verdict.ts';
import { Histogram } from '../statistics/histogram.ts';
import type { Criteria } from './criteria.ts';
import { type Criterion, combine, nameOf } from './criterion.ts';
import { CustomMeasures } from './custom-measures.ts';
import { type Judgeable, judgeCriteria } from './judge-criteria.ts';
import { checkDeclared, parseCriterion, readCriteria } from './read-criteria.ts';
import { Window } from './window.ts';

const criteria: Criteria = { p50MsMax: 100, p95MsMax: 500, p99MsMax: 1000, realFailuresPercentMax: 1 };

const windowOf = (requests: number, latencyMs: (index: number) => number, realFailures = 0): Window => {
  const window = new Window();
  for (let index = 0; index < requests; index++)
    window.record({
      method: 'GET',
      name: '/x',
      outcome: { kind: index < realFailures ? 'real' : 'ok', name: 'x' },
      sentAtMs: 0,
      answeredAtMs: latencyMs(index),
      bytes: 10,
    });
  return window;
};

const judged = (asked: Criteria, facts: Partial<Judgeable>): readonly Verdict[] =>
  judgeCriteria(combine(readCriteria(asked, 'key')), {
    window: new Window(),
    custom: undefined,
    seconds: 10,
    rejection: undefined,
    logouts: undefined,
    ...facts,
  });

const wordsOf = (verdicts: readonly Verdict[]): Record<string, string> =>
  Object.fromEntries(verdicts.map(({ criterion, verdict }) => [criterion, verdict]));

const verdicts = (window: Window, pending = 0) =>
  wordsOf(judged(criteria, { window, logouts: { completed: 1000 - pending, pending } }));

test('percentiles with too few samples are not judged, and say how many they have and need', () => {
  const slow = verdicts(windowOf(150, () => 5000));
  assert.deepEqual([slow['p50, ms'], slow['p95, ms'], slow['p99, ms']], ['failed', 'not judged', 'not judged']);
  assert.equal(verdicts(windowOf(999, () => 5000))['p99, ms'], 'not judged');
  assert.equal(verdicts(windowOf(1000, () => 5000))['p99, ms'], 'failed');
  const [verdict] = judged({ p95MsMax: 500 }, { window: windowOf(150, () => 5000) });
  assert.match(verdict?.reason ?? '', /^150 samples, 200 are needed: use a longer run or more users$/);
});

test('a slow hundredth fails the p99 alone', () => {
  const slow = verdicts(windowOf(2000, (index) => (index % 50 === 0 ? 3000 : 10)));
  assert.deepEqual([slow['p50, ms'], slow['p95, ms'], slow['p99, ms']], ['passed', 'passed', 'failed']);
});

test('more than one real failure in a hundred fails, and with a limit of 0 any', () => {
  const failures = (real: number) => verdicts(windowOf(1000, () => 1, real))['real failures, %'];
  assert.deepEqual([failures(10), failures(11)], ['passed', 'failed']);
  const none = (real: number) => judged({ realFailuresPercentMax: 0 }, { window: windowOf(1000, () => 1, real) })[0];
  assert.deepEqual([none(0)?.verdict, none(1)?.verdict], ['passed', 'failed']);
});

test('more than one pending logout in a thousand fails, and without a logout there is nothing to judge', () => {
  const window = windowOf(1000, () => 1);
  const pending = (count: number) => verdicts(window, count)['logouts answered 202, %'];
  assert.deepEqual([pending(1), pending(2)], ['passed', 'failed']);
  const without = judged(criteria, { window, logouts: { completed: 0, pending: 0 } });
  assert.equal(wordsOf(without)['logouts answered 202, %'], undefined);
});

test('each endpoint is judged on its own: a small one cannot hide behind a large one', () => {
  const window = windowOf(1000, () => 1);
  const few = { method: 'POST', name: '/y', sentAtMs: 0, answeredAtMs: 1, bytes: 0 };
  window.record({ ...few, outcome: { kind: 'real', name: '500' } });
  window.record({ ...few, outcome: { kind: 'expected', name: '401' } });
  assert.deepEqual(wordsOf(judged({ endpointFailuresPercentMax: 1 }, { window })), {
    'real failures of GET /x, %': 'passed',
    'real failures of POST /y, %': 'failed',
  });
  assert.deepEqual(wordsOf(judged({ endpointFailuresPercentMax: 1 }, {})), {
    'real failures of each endpoint, %': 'not judged',
  });
});

test('rejection is judged at the strictest percentile that its samples allow', () => {
  const rejection = new Histogram();
  const strict = (): readonly (readonly [string, string])[] =>
    judged({ rejectedMsMax: 100 }, { rejection }).map(({ criterion, verdict }) => [criterion.slice(-7, -4), verdict]);
  assert.equal(strict()[0]?.[1], 'not judged');
  for (let count = 0; count < 980; count++) rejection.record(5);
  for (let count = 0; count < 19; count++) rejection.record(500);
  assert.deepEqual(strict(), [['p95', 'passed']]);
  rejection.record(500);
  assert.deepEqual(strict(), [['p99', 'failed']]);
});

test('single endpoints, checks, counters and trends are judged, and what was never there is not judged', () => {
  const custom = new CustomMeasures(['holds', 'never'], { written: 'counter', length: 'trend', empty: 'trend' });
  for (let index = 0; index < 300; index++) custom.check('holds', index > 0);
  custom.count('written', 50);
  for (let index = 1; index <= 300; index++) custom.trend('length', index);
  const asked: Criteria = {
    endpoints: {
      'GET /x': { p95MsMax: 20, realFailuresPercentMax: 0 },
      'GET /nowhere': { p95MsMax: 20, realFailuresPercentMax: 0 },
    },
    checks: { holds: { failedPercentMax: 0 }, never: { failedPercentMax: 0 } },
    counters: { written: { min: 51, max: 50, perSecondMin: 5, perSecondMax: 4.9 } },
    trends: { length: { p95Max: 290, meanMax: 150, minMin: 1, maxMax: 299 }, empty: { meanMax: 1, minMin: 0 } },
  };
  // Lower and upper limits that exclude each other are for another test.
  const { counters = {}, ...others } = asked;
  const { min, ...written } = counters['written'] ?? {};
  const facts = { custom, window: windowOf(300, () => 10) };
  const all = [...judged({ ...others, counters: { written: { max: written.max ?? 0 } } }, facts)];
  all.push(...judged({ counters: { written: { min: min ?? 0 } } }, facts));
  all.push(...judged({ counters: { written: { perSecondMin: 5 } } }, facts));
  assert.deepEqual(
    all.map(({ criterion, verdict }) => `${verdict}: ${criterion}`),
    [
      'passed: GET /x: p95, ms',
      'passed: GET /x: real failures, %',
      'not judged: GET /nowhere: p95, ms',
      'not judged: GET /nowhere: real failures, %',
      'failed: check "holds": failed, % (whole run)',
      'not judged: check "never": failed, % (whole run)',
      'passed: trend "length": p95 (whole run)',
      'failed: trend "length": mean (whole run)',
      'passed: trend "length": min (whole run)',
      'failed: trend "length": max (whole run)',
      'not judged: trend "empty": mean (whole run)',
      'not judged: trend "empty": min (whole run)',
      'passed: counter "written" (whole run)',
      'failed: counter "written" (whole run)',
      'passed: counter "written", a second (whole run)',
    ],
  );
  assert.match(all[2]?.reason ?? '', /no request was counted under this name .* counted were GET \/x/);
});

test('what is no number is not judged, whatever its limit is', () => {
  const custom = new CustomMeasures([], { sum: 'counter' });
  custom.counters.set('sum', Number.NaN);
  const [verdict] = judged({ counters: { sum: { max: 1 } } }, { custom });
  assert.deepEqual([verdict?.verdict, verdict?.measured], ['not judged', null]);
});

test('of two criteria about the same the later counts, and none switches one off', () => {
  const named = (list: readonly Criterion[]) => list.map((each) => [nameOf(each), each.limit]);
  const scenario = readCriteria({ p95MsMax: 500, p99MsMax: null, realFailuresPercentMax: 1 }, 'key');
  const typed = parseCriterion('endpoint GET /a: b: p95=10, failures=none');
  const later = readCriteria({ p95: 'none', failures: 0 }, 'short');
  assert.deepEqual(named(combine(scenario, typed, later)), [
    ['failures', 0],
    ['endpoint GET /a: b: p95', 10],
  ]);
  assert.throws(
    () => combine(parseCriterion('counter x: min=3'), parseCriterion('counter x: max=2')),
    /nothing can keep/,
  );
});

test('a criterion of the command line that is none is refused with what may be written', () => {
  const wrong: readonly (readonly [string, RegExp])[] = [
    ['p95=100', /write what it is about, its name, and its limits/],
    ['endpoint GET /x', /write what it is about/],
    ['endpoint /x: p95=1', /"\/x" is no endpoint/],
    ['endpoint GET /x: p98=1', /no criterion "p98"; did you mean "p9/],
    ['endpoint GET /x: p95=0x10', /"p95" is 0x10: give a number of 0 or more/],
    ['endpoint GET /x: p95=1e999', /"p95" is 1e999/],
    ['endpoint GET /x: p95=-1', /"p95" is -1/],
    ['endpoint GET /x: p95', /is no limit: write such as p95=100/],
    ['check x: failed=101', /a number from 0 to 100/],
  ];
  for (const [text, sentence] of wrong) assert.throws(() => parseCriterion(text), sentence, text);
  const declared = { name: 'todo', checks: ['a list'], counters: [], trends: [], measuresRejection: false };
  const check = (text: string) => () => checkDeclared(parseCriterion(text), declared);
  assert.doesNotThrow(check('check a list: failed=0'));
  assert.throws(
    check('check a lits: failed=0'),
    /todo has no check "a lits"; it declares "a list"; did you mean "a list"/,
  );
  assert.throws(check('counter x: min=1'), /it declares no counters/);
});
