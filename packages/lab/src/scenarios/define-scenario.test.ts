import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { folderIn } from '../../../../tests/harness/service.ts';
import { didYouMean } from '../texts/did-you-mean.ts';
import { loadScenarioFile } from './load-scenario.ts';

const folder = folderIn({ after });

let files = 0;
const load = (text: string, end = 'ts') => {
  const file = join(folder, `scenario-${files++}.${end}`);
  writeFileSync(file, text);
  return loadScenarioFile(file);
};

/** A scenario with one part more, on line 7. */
const withPart = (
  part: string,
): string => `import { between, constant, defineScenario, drawn, pacing, sequential } from '@catalytic/lab/scenario';

export default defineScenario({
  // Neither wait, nor criteria, nor checks are here.
  name: 'mine',
  tasks: [{ name: 'a', run: async () => {} }],
  ${part},
} as never);
`;

test('what is no part of a scenario is refused with its line and what was meant', async () => {
  const wrong: readonly (readonly [string, RegExp])[] = [
    ['criteria: { p95MaxMs: 1 }', /no criterion "p95MaxMs"; did you mean "p95MsMax"\?/],
    ['criteria: { p95MsMax: NaN }', /"p95MsMax" is NaN: give a number/],
    ['criteria: { realFailuresPercentMax: 101 }', /a number from 0 to 100/],
    ['criteria: { checks: { b: { failedPercentMax: 0 } } }', /mine has no check "b"/],
    ['criteria: { endpoints: { "GET /x": {} } }', /"GET \/x" has no limit/],
    ['criteria: { rejectedMsMax: 1 }', /nothing measures "rejected" in mine/],
    ['wait: () => 1', /`wait` is a function: write wait: drawn\(…\)/],
    ['wait: 2', /write wait: constant\(2\)/],
    ['wait: between(3, 1)', /between\(3, 1\).*: give two numbers of seconds, 0 or more, the shorter one first/],
    ['wait: constant(NaN)', /constant\(NaN\)/],
    ['wait: pacing(-1)', /pacing\(-1\)/],
    ['wait: drawn(() => NaN)', /it drew NaN/],
    ['onstart: async () => {}', /has no `onstart`; did you mean "onStart"/],
    ['onStart: 5', /`onStart` is 5: give a function/],
    ['checks: ["x", "x"]', /names "x" twice/],
    ['metrics: { x: "gauge" }', /the metric "x" is "gauge": it is 'counter' or 'trend'/],
    ['hooks: { teststart() {} }', /`hooks` has no `teststart`; did you mean "testStart"/],
    ['dataPool: [1]', /write sequential\(rows\)/],
    ['dataPool: sequential("abc")', /give an array of rows/],
    ['accounts: "yes"', /`accounts` is "yes": it is true or false/],
    ['tags: "x"', /`tags` is "x": give an array of names/],
  ];
  for (const [part, sentence] of wrong)
    await assert.rejects(load(withPart(part)), (error: Error) => {
      assert.match(error.message, sentence);
      assert.match(error.message, /^Cannot .* at \S*scenario-\d+\.ts:7: /, part);
      return true;
    });
  const before = withPart('criteria').replace('export', 'const criteria = {\n  p95MaxMs: 1,\n};\nexport');
  await assert.rejects(load(before), /:4: .*no criterion "p95MaxMs"/, 'a part that was written before');
  const taskOf = (text: string): string =>
    withPart('summary: "x"').replace(
      "{ name: 'a', run: async () => {} }",
      `\n    { name: 'b', run() {} },\n    ${text},\n  `,
    );
  for (const [task, sentence] of [
    ["{ name: 'c' }", /:8: `run` of the task "c" is undefined: give a function/],
    ["{ name: 'c', weight: -1, run() {} }", /:8: the weight of the task "c" is -1/],
    ["{ name: 'c', wieght: 1, run() {} }", /:8: the task "c" has no `wieght`; did you mean "weight"/],
    ["{ name: 'b', run() {} }", /:8: two of its tasks are called "b"/],
  ] as const)
    await assert.rejects(load(taskOf(task)), sentence, task);
});

test('a file that cannot be loaded is refused with the line at fault', async () => {
  const wrong: readonly (readonly [string, string, RegExp])[] = [
    ['ts', 'const a = 1;\nexport default { b c };', /scenario-\d+\.ts:2: /],
    ['mjs', 'const a = 1;\nexport default { b c };', /scenario-\d+\.mjs:2: /],
    ['ts', '\n\nthrow new Error("at fault");', /scenario-\d+\.ts:3: at fault/],
    ['ts', '\nimport "./missing.ts";', /scenario-\d+\.ts:2: Cannot find module/],
    ['ts', 'throw "a word";', /it threw a word/],
    ['ts', 'export const a = 1;', /it has no default export; write "export default defineScenario/],
    ['ts', 'export default Promise.resolve(1);', /its default export is a promise/],
  ];
  for (const [end, text, sentence] of wrong) await assert.rejects(load(text, end), sentence, text);
  const spread = withPart('summary: "x"').replace('export default', 'const right =');
  await assert.rejects(
    load(`${spread} export default { ...right, wait: () => 1 };`),
    /Cannot run .*`wait` is a function/,
  );
  await assert.rejects(loadScenarioFile('nowhere.ts'), /there is no such file/);
});

test('a guess is made where one is near, and else all words are named', () => {
  assert.equal(didYouMean('p59', ['p50', 'p95', 'p99']), '; did you mean "p95"?');
  assert.equal(didYouMean('Faliures', ['p50', 'failures']), '; did you mean "failures"?');
  assert.equal(didYouMean('users', ['p50', 'p95']), '; there are p50, p95');
  assert.equal(didYouMean('x', []), '');
});
