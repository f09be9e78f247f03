import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { folderIn } from '../../../../tests/harness/service.ts';
import { randomOf } from '../arrivals/random.ts';
import { drawerOf, random, sequential, unique } from './data-pool.ts';
import { defineScenario } from './define-scenario.ts';
import { findScenario, loadScenarioFile, selectTasks } from './load-scenario.ts';

const folder = folderIn({ after });

const fileOf = (name: string, text: string): string => {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
};

const run = async (): Promise<void> => {};

test('a file outside of any package becomes a scenario with its weights, tags and waits', async () => {
  const file = fileOf(
    'right.ts',
    `import { constant, defineScenario } from '@catalytic/lab/scenario';
     const weight: number = 3;
     export default defineScenario({ name: 'right', wait: constant(2), tags: ['all'],
       tasks: [{ name: 'a', weight, tags: ['x'], run: async () => {} }, { name: 'b', run: async () => {} }] });`,
  );
  const scenario = await findScenario(file);
  assert.deepEqual(scenario.waitSeconds, [2, 2]);
  assert.equal(scenario.tasks['a']?.weight, 3);
  assert.deepEqual(scenario.tasks['a']?.tags, ['all', 'x']);
  assert.deepEqual(Object.keys(selectTasks(scenario, ['x', 'b'], []).tasks), ['a', 'b']);
  assert.deepEqual(Object.keys(selectTasks(scenario, ['all'], ['a']).tasks), ['b']);
  assert.throws(() => selectTasks(scenario, ['nobody'], []), /its tags are a, all, x, b/);
});

test('what is no scenario is refused with what to do', async () => {
  await assert.rejects(findScenario('nothing'), /choose from auth, verify/);
  await assert.rejects(loadScenarioFile(join(folder, 'missing.ts')), /Cannot load the scenario/);
  await assert.rejects(loadScenarioFile(fileOf('empty.ts', 'export const a = 1;')), /export default defineScenario/);
  const wrong = [
    { name: '../x' },
    { tasks: [] },
    {
      tasks: [
        { name: 'a', run },
        { name: 'a', run },
      ],
    },
    { tasks: [{ name: 'a', weight: 0, run }] },
  ];
  for (const parts of wrong)
    assert.throws(() => defineScenario({ name: 'right', tasks: [{ name: 'a', run }], ...parts }), /Cannot define/);
});

test('rows come in order, by the seed, or one for each user', () => {
  const rows = ['a', 'b', 'c'];
  const place = (index: number) => ({ index, random: randomOf('seed', index), share: { first: 0, of: 1 } });
  const next = drawerOf(sequential(rows));
  assert.deepEqual(
    [0, 0, 1, 1].map((index) => next(place(index))),
    ['a', 'b', 'c', 'a'],
  );
  const shared = [0, 1].map(() => drawerOf(sequential(rows)));
  assert.deepEqual(
    shared.map((draw, first) => draw({ ...place(0), share: { first, of: 2 } })),
    ['a', 'b'],
  );
  assert.deepEqual(drawerOf(random(rows))(place(3)), drawerOf(random(rows))(place(3)));
  const own = drawerOf(unique(rows));
  assert.deepEqual(
    [2, 0, 2].map((index) => own(place(index))),
    ['c', 'a', 'c'],
  );
  assert.throws(() => sequential([]), /at least one row/);
});
