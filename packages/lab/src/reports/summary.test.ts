import assert from 'node:assert/strict';
import { test } from 'node:test';
import { labResult } from '../../../../tests/harness/lab-result.ts';
import { judgeValidity, type RunConditions } from '../measures/validity.ts';
import type { RunResult } from '../results/result.ts';
import { summaryLines } from './summary.ts';

const summaryOf = (changes: Partial<RunResult>): string => summaryLines(labResult(60, changes), []).join('\n');

/** A run in which everything is wrong that has a remedy. */
const worst: RunConditions = {
  leftOutPercent: 0,
  isInterrupted: false,
  failedFaults: 0,
  changes: 0,
  exceptions: 0,
  unsent: 1,
  requests: 10,
  generatorCpuPercents: [99],
  loopDelayP99Ms: 99,
  loopBusyPercent: 99,
  tasks: 10,
  lateStarts: 9,
  droppedStarts: 1,
  foreignCpuPercent: 34,
  little: undefined,
};

test('a broken rule of validity says what to do, and that the report is written all the same', () => {
  const summary = summaryOf({ exit_code: 3, validity: judgeValidity(worst) });
  assert.match(
    summary,
    /✘ validity: CPU of others and steal, % of the machine is 34\.00, at most 10 is allowed; close other programs, or use another machine/,
  );
  const broken = summary.split('\n').filter((line) => line.includes('✘ validity'));
  assert.equal(broken.length, 7);
  for (const line of broken) assert.match(line, / is allowed; use |is allowed; share |is allowed; close /, line);
  assert.match(summary, /^ {2}The report is written all the same\.$/m);
  assert.doesNotMatch(summaryOf({}), /validity|all the same/);
});

test('real failures that no criterion counts are told beside the verdict', () => {
  const { whole } = labResult();
  const withFailures = (real: number) => ({ ...whole, total: { ...whole.total, real } });
  const both = { whole: withFailures(8), steady: withFailures(2) };
  assert.match(
    summaryOf({ ...both, judged: 'steady' }),
    /^ {2}– 6 real failures before the steady window, not judged$/m,
  );
  assert.match(summaryOf({ ...both, steady: withFailures(7), judged: 'steady' }), / 1 real failure before /);
  for (const changes of [
    { ...both, judged: 'whole' as const },
    { ...both, steady: withFailures(8), judged: 'steady' as const },
    { whole: withFailures(8), steady: null, judged: 'whole' as const },
  ])
    assert.doesNotMatch(summaryOf(changes), /not judged$/m);
});
