import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseCriteria, readCriteria } from './criteria-file.ts';

test('a file of criteria is read by the names of the options', () => {
  assert.deepEqual(parseCriteria('{ "p50": 20, "p95": 150, "p99": 500, "failures": 0, "rejected": 10 }'), {
    p50MsMax: 20,
    p95MsMax: 150,
    p99MsMax: 500,
    realFailuresPercentMax: 0,
    rejectedMsMax: 10,
  });
  assert.deepEqual(parseCriteria('{}'), {});
});

test('what is wrong in it is said', () => {
  assert.throws(() => parseCriteria('{ "p90": 20 }'), /it has a "p90"; there are p50, p95, p99, failures/);
  assert.throws(() => parseCriteria('{ "p95": "20 ms" }'), /"p95" is no number/);
  assert.throws(() => parseCriteria('{ "p95": -1 }'), /"p95" is no number/);
  assert.throws(() => parseCriteria('[1]'), /it holds no object/);
  assert.throws(() => parseCriteria('p95 = 20'), /it is no JSON/);
  assert.throws(
    () => readCriteria('/nowhere/limits.json'),
    /--criteria \/nowhere\/limits\.json: cannot read it: ENOENT/,
  );
});
