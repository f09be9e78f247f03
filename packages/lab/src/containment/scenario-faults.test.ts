import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, suite, test } from 'node:test';
import { answerEmpty, httpServerIn } from '../../../../tests/harness/http-server.ts';
import { runLab } from '../../../../tests/harness/lab.ts';
import { folderIn } from '../../../../tests/harness/service.ts';
import type { RunResult } from '../results/result.ts';

const folder = folderIn({ after });
const server = await httpServerIn({ after }, answerEmpty);
const { url } = server;

const scenarioFile = (name: string, text: string): void =>
  writeFileSync(
    join(folder, `${name}.ts`),
    `import { constant, defineScenario } from '@catalytic/lab/scenario';\n${text}`,
  );

const run = async (name: string, ...words: string[]) => {
  const load = ['--users', '3', '--spawn-rate', '50', '--duration', '2s', '--target', url];
  const ended = await runLab(folder, ['run', `${name}.ts`, ...load, '--out', `out-${name}`, ...words]);
  const files = (): readonly [RunResult, ...string[]] => {
    const [json = '', ...texts] = ['.json', '.md', '.html', '_exceptions.csv', '_stats.csv', '_junit.xml'].map((end) =>
      readFileSync(join(folder, `out-${name}${end}`), 'utf8'),
    );
    return [JSON.parse(json) as RunResult, ...texts];
  };
  return { ...ended, files };
};

/** Each line is a fault, told by the words behind it. */
scenarioFile(
  'faulty',
  `const seen = new Set<string>();
const once = (name: string, act: () => unknown): unknown => (seen.has(name) ? undefined : (seen.add(name), act()));
export default defineScenario({ name: 'faulty', wait: constant(0.05), onStop: async () => { throw new Error('broken onStop'); },
  tasks: [{ name: 'all', run: async (user) => {
    await user.get('/');
    once('a', () => { void user.request({ method: 'no word' as never, path: '/' }); }); // its method is no word
    once('b', () => setTimeout(() => { throw new Error('thrown in a timer'); }, 1)); // thrown in a timer
    once('c', () => { try { process.exit(0); } catch {} }); // process.exit(0) was called
    once('d', () => { setTimeout(() => process.abort(), 1); }); // process.abort() was called
    once('e', () => { try { process.kill(process.pid, 'SIGKILL'); } catch {} }); // SIGKILL) was called
    once('f', () => { try { process.chdir('/'); } catch {} }); // process.chdir() was called
    once('g', () => { try { process.removeAllListeners(); } catch {} }); // process.removeAllListeners() was called
    once('h', () => { try { process.stdout.end(); } catch {} }); // process.stdout.end() was called
    once('i', () => setTimeout(() => { globalThis.performance = { now: () => 0 } as never; }, 1)); // read only property 'performance'
    once('j', () => { void Promise.reject('a rejected string'); });
    once('k', () => { throw 'a thrown string'; });
    throw new Error('thrown in a task'); // thrown in a task
  } }],
  hooks: {
    testStart: () => { throw new Error('broken testStart'); }, // broken testStart
    spawningComplete: async () => { throw new Error('broken spawningComplete'); }, // broken spawningComplete
    request: () => { throw new Error('broken request'); }, // broken request
    testStop: async () => { throw new Error('broken testStop'); }, // broken testStop
    quitting: async () => { throw new Error('broken quitting'); }, // broken quitting
  },
});`,
);
const lines = readFileSync(join(folder, 'faulty.ts'), 'utf8').split('\n');
const placed = lines.flatMap((line, index) => {
  const [, words] = /[;,] \/\/ (.*)$/.exec(line) ?? [];
  return words === undefined ? [] : [{ words, place: `faulty.ts:${index + 1}` }];
});

scenarioFile(
  'stuck',
  `export default defineScenario({ name: 'stuck', wait: constant(0.05),
  onStart: (user) => (user.index === 2 ? new Promise(() => {}) : Promise.resolve()),
  tasks: [{ name: 'wait', run: (user) => (user.index === 1 ? new Promise(() => {}) : user.get('/')) }] });`,
);
// The loop sleeps: one that spins would take a core from the other tests until it is ended.
scenarioFile(
  'looping',
  `let count = 0; const cell = new Int32Array(new SharedArrayBuffer(4));
export default defineScenario({ name: 'looping', wait: constant(0.05),
  tasks: [{ name: 'loop', run: async (user) => { await user.get('/'); count += 1; if (count > 5)
    for (;;) Atomics.wait(cell, 0, 0, 50); } }] });`,
);
scenarioFile('ends-at-once', `process.exit(0);\nexport default defineScenario({ name: 'x', tasks: [] as never });`);

suite('a fault of a scenario', { concurrency: 3 }, () => {
  test('of any kind is counted with its line, whatever catches it, and the run goes on and is invalid', async () => {
    assert.equal(placed.length, 15);
    const { code, output, files } = await run('faulty');
    const [{ exceptions, exit_code, ended }, ...texts] = files();
    assert.deepEqual([code, exit_code, ended], [3, 3, 'completed'], output);
    for (const { words, place } of placed) {
      const found = exceptions.filter(({ message }) => message.includes(words));
      assert.deepEqual([found.length, found[0]?.place], [1, place], `${words}: ${JSON.stringify(found)}`);
    }
    for (const [words = '', place] of [
      ['a rejected string', 'a promise that nothing waits for'],
      ['a thrown string', 'task "all"'],
    ])
      assert.equal(exceptions.find(({ message }) => message === words)?.place, place, words);
    assert.ok(exceptions.some(({ message, count }) => message === 'broken request' && count > 5));
    const [markdown = '', page = '', csv = '', , junit = ''] = texts;
    assert.match(markdown, /\| broken quitting \| faulty\.ts:\d+ \| 1 \|/, 'what came last, too');
    assert.match(page, /<th scope="row">broken quitting<\/th><td>faulty\.ts:\d+<\/td>/);
    assert.match(csv, /^1,broken quitting,"Error: broken quitting\n {4}at .*faulty\.ts:\d+/m);
    assert.match(output, /validity: exceptions in the lab is \d+\.00, at most 0 is allowed: .*, at .*; and \d+ others/);
    assert.match(junit, /exceptions in the lab.*(?:once|times): .*, at /);
    assert.doesNotMatch(output, /PASSED|Cannot go on/);
  });

  test('of any kind ends no generator process either', async () => {
    const { code, output } = await run('faulty', '--processes', '2', '--out', 'out-faulty-2');
    const { exceptions } = JSON.parse(readFileSync(join(folder, 'out-faulty-2.json'), 'utf8')) as RunResult;
    assert.equal(code, 3, output);
    assert.doesNotMatch(output, /Generator process/);
    for (const { words, place } of placed)
      assert.equal(exceptions.find(({ message }) => message.includes(words))?.place, place, words);
  });

  test('that never comes to an end is told with its user and its task', { timeout: 60_000 }, async () => {
    const { code, output, files } = await run('stuck');
    const [{ exceptions }] = files();
    assert.equal(code, 3, output);
    assert.deepEqual(
      exceptions.map(({ message, place, count }) => [message, place, count]),
      [
        ['task "wait" of user 1 has not ended, and waits for no answer', 'task "wait"', 1],
        ['onStart of user 2 has not ended, and waits for no answer', 'onStart', 1],
      ],
    );
  });

  for (const processes of ['1', '2'])
    test(`that never gives way is ended, with its line, in ${processes} process(es)`, { timeout: 60_000 }, async () => {
      const out = `out-looping-${processes}`;
      const { code, output } = await run('looping', '--processes', processes, '--duration', '60s', '--out', out);
      assert.equal(code, 3, output);
      assert.match(output, /: code that did not give way for 10 s was ended, at looping\.ts:5/);
      assert.doesNotMatch(output, /Generator process/);
      const { exceptions, whole } = JSON.parse(readFileSync(join(folder, `${out}.json`), 'utf8')) as RunResult;
      assert.deepEqual([exceptions.length, exceptions[0]?.place], [1, 'looping.ts:5']);
      assert.ok(whole.total.requests > 5);
    });

  test('while it is loaded is a mistake of the command line, and no success', async () => {
    const { code, output } = await run('ends-at-once');
    assert.equal(code, 1);
    assert.match(output, /Cannot load the scenario ends-at-once\.ts:2: process\.exit\(0\) was called/);
  });
});
