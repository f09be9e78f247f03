import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkStages, parseStage, rateAt, secondsOf, stagedUsers, steadyUsers } from './stages.ts';

test('without stages users come at the rate, the first at once', () => {
  const { usersAt, usersMax } = steadyUsers(10, 2);
  assert.deepEqual([0, 0.4, 0.5, 1, 4.5, 100].map(usersAt), [1, 1, 2, 3, 10, 10]);
  assert.equal(usersMax, 10);
});

test('each stage heads from where it begins for its own number, up or down, at its own rate', () => {
  const stages = ['users=10,duration=10s', 'users=2,duration=10s,spawn-rate=1', 'users=100,duration=2s'].map((text) =>
    parseStage(text),
  );
  const { usersAt, usersMax } = stagedUsers(stages, 5);
  assert.deepEqual([0, 1, 5, 9.9].map(usersAt), [1, 6, 10, 10]);
  assert.deepEqual([10, 12, 17, 19.9].map(usersAt), [9, 7, 2, 2]);
  // Too short to get there: it ends with as many as it has reached, and so does the run.
  assert.deepEqual([20, 21, 1000].map(usersAt), [3, 8, 13]);
  assert.equal(usersMax, 13);
  assert.equal(secondsOf(stages), 22);
});

test('a stage that cannot be read is refused with what may be written', () => {
  assert.deepEqual(parseStage('rate=2.5,duration=1m'), { rate: 2.5, durationSeconds: 60 });
  for (const text of [
    '',
    'users=3',
    'duration=3s',
    'users=1,rate=1,duration=1s',
    'users=1.5,duration=1s',
    'users=1,users=2,duration=1s',
    'users=1,duration=soon',
    'rate=0,duration=1s',
    'rate=0x10,duration=1s',
    'rate=1e3,duration=1s',
    'users=,duration=1s',
    'users=99999999999999999999,duration=1s',
    'users=1,duration=1h-5m',
    'people=1,duration=1s',
  ])
    assert.throws(() => parseStage(text), /^Error: --stage /, text);
  assert.throws(
    () => checkStages([parseStage('users=1,duration=1s'), parseStage('rate=1,duration=1s')]),
    /one or the other/,
  );
});

test('the rate is that of the stage', () => {
  const stages = ['rate=10,duration=2s', 'rate=20,duration=2s'].map((text) => parseStage(text));
  assert.deepEqual(
    [0, 1.9, 2, 9].map((seconds) => rateAt(stages, 1, seconds)),
    [10, 10, 20, 20],
  );
  assert.equal(rateAt([], 7, 3), 7);
});
