import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, suite, test } from 'node:test';
import { httpServerIn } from '../../../../tests/harness/http-server.ts';
import { runLab } from '../../../../tests/harness/lab.ts';
import { folderIn } from '../../../../tests/harness/service.ts';
import type { RunResult } from '../results/result.ts';

const folder = folderIn({ after });
const asked: string[] = [];
const evil = `\u001b[31mred\u001b]0;owned\u0007 <img src=x> | [a](b) \u202e\n  PASSED`;
const server = await httpServerIn({ after }, (request, response) => {
  request.resume();
  asked.push(`${request.url} ${request.headers.authorization}`);
  if (request.url === '/evil') response.statusCode = 500;
  if (request.url === '/long') response.statusCode = 500;
  response.end(JSON.stringify({ code: request.url === '/evil' ? evil : 'x'.repeat(5000) }));
});
const { url } = server;

writeFileSync(
  join(folder, 'evil.ts'),
  `import { constant, defineScenario } from '@catalytic/lab/scenario';
   export default defineScenario({ name: 'evil', accounts: true, wait: constant(0.1), checks: ['=1+1', 'a\\u001b[2Jb'], tasks: [
     { name: 'evil', run: async (user) => { await user.get('/evil'); await user.get('/long'); await user.get('/evil', { name: '=HYPERLINK(1)' }); } },
   ] });`,
);
const few = ['evil.ts', '--target', url, '--users', '2', '--spawn-rate', '50'];
const run = (...words: string[]) => runLab(folder, ['run', ...few, '--duration', '2s', ...words]);

/** Everything that a run has left, by the ends of the names. */
const filesOf = (out: string): Readonly<Record<string, string>> =>
  Object.fromEntries(
    readdirSync(folder)
      .filter((name) => name.startsWith(out))
      .map((name) => [name.slice(out.length), readFileSync(join(folder, name), 'utf8')]),
  );

suite('what the lab shows and writes', { concurrency: true }, () => {
  test('holds no secret of an option, though all of them are used', async () => {
    const { host } = new URL(url);
    const { output } = await run(
      ...['--metrics', `http://bob:METRICSECRET@${host}/metrics?token=QUERYSECRET`, '--out', 'secret'],
      ...['--command', 'flush=echo COMMANDSECRET is wrong; exit 1 # --password COMMANDSECRET'],
      ...['--fault', 'flush:run@500ms', '--password', 'PASSWORDSECRET of all users'],
    );
    const basic = Buffer.from('bob:METRICSECRET').toString('base64');
    assert.ok(asked.includes(`/metrics?token=QUERYSECRET Basic ${basic}`), asked.join());
    assert.match(output, /flush:run, which could not be done: ended with exit code 1: REDACTED is wrong/);
    for (const [end, text] of Object.entries({ ...filesOf('secret'), output }))
      for (const secret of ['METRICSECRET', 'QUERYSECRET', 'COMMANDSECRET', 'PASSWORDSECRET', basic])
        assert.ok(!text.includes(secret), `${secret} in ${end}`);
    const { server: told } = JSON.parse(filesOf('secret')['.json'] ?? '') as RunResult;
    assert.equal(told?.url, `http://REDACTED@${host}/metrics?token=REDACTED`);
  });

  test('holds none in the message about a mistake either', async () => {
    const wrong = [
      ['--metrics', 'htp://bob:SECRET-1@host/?a=SECRET-2'],
      ['--metrics', 'http://bob:SECRET%zz@host'],
      ['--password', 'SECRET'],
      ['--command', 'redis-cli -a SECRET-1 flushall'],
      ['--admin-key', 'SECRET-KEY', '--users', '0'],
    ];
    for (const { code, output } of await Promise.all(wrong.map((words) => run(...words)))) {
      assert.equal(code, 1, output);
      assert.match(output, /error: /);
      assert.doesNotMatch(output, /SECRET/);
    }
  });

  test('holds none in the report of a search for capacity', async () => {
    const { host } = new URL(url);
    const ladder = ['--from', '2', '--users-max', '2', '--step', '1s', '--refine', '1', '--out', 'found'];
    const secrets = [
      '--metrics',
      `http://bob:METRICSECRET@${host}/?a=QUERYSECRET`,
      '--password',
      'PASSWORDSECRET 12345',
    ];
    const { output } = await runLab(folder, ['capacity', ...few.slice(0, 3), ...ladder, ...secrets]);
    assert.match(filesOf('found')['.md'] ?? output, /--password REDACTED/);
    for (const [end, text] of Object.entries(filesOf('found'))) assert.doesNotMatch(text, /SECRET/, end);
  });

  test('holds no control character, no markup and no formula that a target or a scenario has said', async () => {
    const { output } = await run('--out', 'evil-run');
    const files = filesOf('evil-run');
    const { errors } = JSON.parse(files['.json'] ?? '') as RunResult;
    assert.ok(
      errors.some(({ error }) => error === `500 ${evil}`),
      'the result itself has it as it came',
    );
    assert.ok(
      errors.some(({ endpoint, error }) => endpoint === '/long' && error === '500'),
      'a long code is no name',
    );
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    const raw = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/;
    for (const [end, text] of Object.entries({ output, ...files }))
      assert.doesNotMatch(text.replaceAll('\r\n', '\n'), raw, end);
    assert.match(output, /500 \\x1b\[31mred/);
    assert.doesNotMatch(output, /^ {2}PASSED$/m);
    assert.doesNotMatch(files['.md'] ?? '', /<img/);
    assert.match(files['.md'] ?? '', /&lt;img src=x> &#124; &#91;a&#93;\(b\) \\u202e\\n {2}PASSED/);
    assert.match(files['_failures.csv'] ?? '', /^GET,'=HYPERLINK\(1\),/m);
    assert.doesNotMatch(files['_stats.csv'] ?? '', /,=HYPER/);
  });
});
