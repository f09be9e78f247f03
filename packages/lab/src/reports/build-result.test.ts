import assert from 'node:assert/strict';
import { test } from 'node:test';
import { worstExitCode } from '../results/result.ts';
import type { ValidityCheck, Verdict } from '../results/verdict.ts';
import { exitCodeOf } from './build-result.ts';

const failed: readonly Verdict[] = [{ criterion: 'p50, ms', limit: 1, measured: 2, verdict: 'failed' }];
const passed: readonly Verdict[] = [{ criterion: 'p50, ms', limit: 1, measured: 1, verdict: 'passed' }];
const unjudged: readonly Verdict[] = [{ criterion: 'p99, ms', limit: 1, measured: null, verdict: 'not judged' }];
const broken: readonly ValidityCheck[] = [{ rule: 'late starts, %', limit: 1, measured: 2, verdict: 'broken' }];

test('the worst that can be said of a run is what it ends with', () => {
  assert.equal(exitCodeOf(1, true, broken, failed), 4);
  assert.equal(exitCodeOf(0, true, broken, failed), 5);
  assert.equal(exitCodeOf(0, false, broken, failed), 3);
  assert.equal(exitCodeOf(0, false, [], failed), 2);
  assert.equal(exitCodeOf(0, false, [], [...passed, ...failed, ...unjudged]), 2);
  assert.equal(exitCodeOf(0, false, [], passed), 0);
  assert.equal(worstExitCode([0, 6, 3, 0, 4, 5]), 4);
  assert.equal(worstExitCode([6, 2, 0]), 2, 'a higher number is no worse one');
  assert.equal(worstExitCode([]), 0);
});

test('what is not judged has not passed, and neither has a run that was asked to keep nothing', () => {
  assert.equal(exitCodeOf(0, false, [], [...passed, ...unjudged]), 6);
  assert.equal(exitCodeOf(0, false, [], []), 6);
});
