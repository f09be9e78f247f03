import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../main.ts', import.meta.url));

const lab = async (...words: string[]): Promise<{ code: number | null; printed: string }> => {
  const child = spawn(process.execPath, [main, 'gate', ...words], { stdio: ['ignore', 'pipe', 'pipe'] });
  let printed = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      printed += chunk.toString();
    });
  const [code] = (await once(child, 'exit')) as [number | null];
  return { code, printed };
};

const naive = async (...words: string[]) => {
  const child = spawn(process.execPath, [main, 'naive', '--port', '0', ...words], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines = createInterface(child.stdout);
  const [line] = (await once(lines, 'line')) as [string];
  return {
    url: /http:\S+/.exec(line)?.[0] ?? '',
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGTERM');
      await once(child, 'exit');
    },
  };
};

const short = ['--scenario', 'auth', '--pairs', '2', '--block', '1s', '--rate', '200', '--users', '10'];

test('a candidate that accepts dead tokens fails, on the busiest machine too', async () => {
  await using good = await naive('--workers', '1');
  await using bad = await naive('--workers', '2', '--close');
  const { code, printed } = await lab('--baseline', good.url, '--candidate', bad.url, ...short);
  assert.match(printed, /FAIL: the candidate accepted a dead token \d+ times/);
  assert.equal(code, 2);
});

test('the same on both sides is not a failure; what is missing is named', async () => {
  await using one = await naive('--workers', '1');
  const { code, printed } = await lab('--baseline', one.url, '--candidate', one.url, ...short);
  assert.match(printed, /(PASS|INCONCLUSIVE): /);
  assert.ok(code === 0 || code === 3, printed);
  const nothing = await lab('--baseline', one.url);
  assert.equal(nothing.code, 1);
  assert.match(nothing.printed, /name the candidate: --candidate URL, or --candidate-service COMMAND/);
});
