import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, suite, test } from 'node:test';
import { runLab } from '../../../../tests/harness/lab.ts';
import { folderIn } from '../../../../tests/harness/service.ts';
import { nameOf } from '../measures/criterion.ts';
import { findScenario } from '../scenarios/load-scenario.ts';
import { makeOptions } from './make-options.ts';
import { readRunWords } from './run-flags.ts';

const folder = folderIn({ after });

const fileOf = (name: string, text: string): string => {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
};
const own = fileOf(
  'own.ts',
  `import { defineScenario, drawn } from '@catalytic/lab/scenario';
   export default defineScenario({ name: 'own', wait: drawn(() => 1), checks: ['a list'], criteria: { p99MsMax: 5 },
     tasks: [{ name: 'a', run: async () => {} }] });`,
);

const optionsOf = async (...[name = 'auth', ...words]: readonly string[]) => {
  const { flags, typed } = readRunWords(words);
  return makeOptions(name, await findScenario(name), flags, typed);
};
const criteriaOf = async (...words: readonly string[]) =>
  Object.fromEntries((await optionsOf(...words)).criteria.map((each) => [nameOf(each), each.limit]));

test('criteria come from the default, the scenario, a file and the options, and the last word wins', async () => {
  const limits = fileOf('limits.json', '{ "p99": 7, "failures": 2, "checks": { "a list": { "failed": 1 } } }');
  assert.deepEqual(await criteriaOf(own), { failures: 1, p99: 5 });
  assert.deepEqual(await criteriaOf(own, '--criteria', limits, '--failures', '0'), {
    failures: 0,
    p99: 7,
    'check a list: failed': 1,
  });
  assert.deepEqual(await criteriaOf(own, '--p99', 'none', '--failures', 'none'), {});
  assert.deepEqual((await criteriaOf('mixed'))['failures'], 1);
  assert.deepEqual(await criteriaOf('outage', '--command', 'redis-flush=true'), {}, 'judged phase by phase');
  const { abortWhen } = await optionsOf('verify', '--abort-when', 'any');
  assert.deepEqual(abortWhen, ['failures', 'p50', 'p95', 'p99']);
  const single = ['--criterion', 'endpoint GET /a: p95 = 10', '--abort-when', 'endpoint GET /a:p95'];
  assert.deepEqual((await optionsOf('verify', ...single)).abortWhen, ['endpoint GET /a: p95']);
});

test('numbers that are none are refused', async () => {
  for (const words of [
    ['--users', '0x10'],
    ['--users', '1.5'],
    ['--users', '1e3'],
    ['--rate', '1e999'],
    ['--duration', ' '],
    ['--duration', '1m1h'],
    ['--duration', '999999d'],
    ['--timeout', 'Infinity'],
    ['--p95', 'NaN'],
    ['--p95', '-1'],
    ['--failures', '100.1'],
    ['--wait', '3-1'],
    ['--wait', '0x1'],
    ['--pacing', '0'],
    ['--spawn-rate', ''],
  ])
    await assert.rejects(optionsOf('auth', ...words), /is invalid/, words.join(' '));
  for (const [text, seconds] of [
    ['1h30m', 5400],
    ['500ms', 0.5],
    ['1.5h', 5400],
    ['2d', 172_800],
    ['90', 90],
    ['1m30.5s', 90.5],
  ] as const)
    assert.equal((await optionsOf('auth', '--duration', text)).durationSeconds, seconds, text);
});

test('guarded APIs are named by a URL, with a mode before it', async () => {
  const { guards, guardLeaseSeconds } = await optionsOf(
    ...['mixed', '--guard', 'http://api.test/a=b', '--guard', 'follow=https://api.test', '--guard-lease', '2s'],
  );
  assert.deepEqual(guards, [
    { mode: 'strict', url: 'http://api.test/a=b' },
    { mode: 'follow', url: 'https://api.test/' },
  ]);
  assert.equal(guardLeaseSeconds, 2);
  for (const [words, sentence] of [
    [['folow=http://api.test'], /No guard has the mode "folow"; did you mean "follow"\?/],
    [['=http://api.test'], /No guard has the mode ""/],
    [['follow=api.test'], /Give a URL such as http:\/\/127\.0\.0\.1:3000\/notes/],
    [['http://ada:secret@api.test'], /Leave out user name and password/],
    [['http://api.test/?a=b'], /Leave out what follows/],
    [['http://api.test', '--guard', 'ask=http://api.test/'], /is given twice/],
  ] as const)
    await assert.rejects(optionsOf('mixed', '--guard', ...words), sentence, words.join(' '));
});

test('an option that would be left aside is refused with the reason', async () => {
  const rates = ['--stage', 'rate=5,duration=3s'];
  const stages = ['--stage', 'users=5,duration=3s,spawn-rate=5'];
  const refused: readonly (readonly [readonly string[], RegExp])[] = [
    [[own, '--wait', '3'], /--wait would be left aside: the scenario draws its waits itself/],
    [[own, '--pacing', '3s'], /--pacing would be left aside/],
    [['auth', '--wait', '3', '--rate', '5'], /in the open model tasks begin at their own times/],
    [['auth', '--arrivals', 'even'], /--arrivals would be left aside/],
    [['auth', '--sessions', '3'], /--sessions would be left aside/],
    [['auth', '--probe-every', '3'], /in the scenario revocation only/],
    [['auth', '--lease', '3s'], /in the scenario outage only/],
    [['auth', '--guard', 'http://api.test'], /at guarded APIs in the scenarios revocation, mixed and outage only/],
    [['mixed', '--guard-lease', '2s'], /only guards that follow are given time/],
    [['auth', '--rejected', '3'], /nothing measures "rejected" in auth/],
    [['auth', ...stages, '--users', '3'], /the stages say how many users/],
    [['auth', ...stages, '--duration', '3s'], /the stages say how long/],
    [['auth', ...stages, '--spawn-rate', '3'], /each stage has a spawn-rate/],
    [['auth', ...rates, '--spawn-rate', '3'], /in the open model all users enter before/],
    [[own, '--password', 'longer than fifteen characters'], /--password would be left aside: .*accounts: true/],
    [[own, '--tenant', 'x'], /--tenant would/],
    [[own, '--admin-key-file', 'x'], /--admin-key-file would/],
    [[own, '--operate-target', 'http://127.0.0.1:1'], /--operate-target would/],
    [
      ['auth', '--process', `x=${process.ppid}`],
      /--process x would be left aside: nothing happens to it; .*--fault x:pause@10s/,
    ],
    [['auth', '--command', 'x=true'], /--command x would be left aside/],
    [
      ['outage', '--command', 'redis-flush=true', '--command', 'pg=true'],
      /--command pg would .* outage breaks what is called/,
    ],
    [['auth', '--criterion', 'check a: failed=0'], /auth has no check "a"; it declares no checks/],
    [[own, '--abort-when', 'p95'], /--abort-when "p95": this run has no such criterion; did you mean "p99"/],
    [[own, '--admin-key', 'x'], /--admin-key would/],
    [['auth', '--also-count', '99999999'], /--also-count 99999999: there is no such process/],
    [['auth', '--target-pid', '99999999'], /--target-pid 99999999: there is no such process/],
    [['auth', '--failures', 'none', '--abort-when', 'failures'], /this run has no such criterion/],
  ];
  for (const [words, sentence] of refused) await assert.rejects(optionsOf(...words), sentence, words.join(' '));
  await optionsOf('auth', ...rates, '--users', '3', '--arrivals', 'random');
  await optionsOf('auth', '--process', `x=${process.ppid}`, '--fault', 'x:pause@1s');
});

test('a file of stages or of criteria is refused with its line', async () => {
  const stages = fileOf('stages.txt', 'users=3,duration=4s\n# more\n\nusers=4,duration=oops\n');
  await assert.rejects(
    optionsOf('auth', '--stages', stages),
    /stages\.txt:4: .*duration is "oops"; give a time such as/,
  );
  const limits = fileOf('wrong.json', '{\n  "checks": { "a lits": { "failed": 0 } } }');
  await assert.rejects(
    optionsOf(own, '--criteria', limits),
    /wrong\.json:2:15: own has no check "a lits"; .*did you mean "a list"/,
  );
});

suite('a mistake on the command line', { concurrency: true }, () => {
  for (const [words, reason] of [
    [['run', '--usrs', '5'], "error: unknown option '--usrs' (Did you mean --users?)"],
    [['run', 'nothing'], 'error: There is no scenario "nothing": choose from auth, verify'],
    [['capacity', '--users', '5'], 'error: --users is what each step decides itself'],
    [['gate', '--pairs', 'x'], "error: option '--pairs <n>' argument 'x' is invalid. Give a number above zero."],
    [['naive', '--port', '0x10'], "error: option '--port <n>' argument '0x10' is invalid."],
    [['nothing'], "error: unknown command 'nothing'"],
  ] as const)
    test(`${words.join(' ')}: its reason is the last line, after one hint`, async () => {
      const { code, output } = await runLab(folder, words);
      const lines = output.trimEnd().split('\n');
      assert.equal(code, 1);
      assert.match(lines[0] ?? '', /^\(catalytic-lab ?\w* --help lists the options\)$/);
      assert.ok(lines[1]?.startsWith(reason), output);
      assert.equal(lines.length, 2);
    });

  test('the version is that of the package', async () => {
    const { code, output } = await runLab(folder, ['--version']);
    assert.equal(code, 0);
    assert.match(output, /^\d+\.\d+\.\d+\n$/);
  });
});
