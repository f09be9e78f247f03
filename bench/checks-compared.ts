/**
 * What does an API carry behind each way to check a token, and what does each answer after the sign-out?
 * @module
 */
import { spawn } from 'node:child_process';
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { logOut, signUp } from '../tests/harness/client.ts';
import { firstLine } from '../tests/harness/first-line.ts';
import { addGuardKey } from '../tests/harness/guard-key.ts';
import { freePort } from '../tests/harness/service.ts';
import { installInto, packGuard } from '../tests/packages/packed-guard.ts';
import { runBench } from './harness/bench.ts';
import { median, round, table } from './harness/figures.ts';
import { number } from './harness/options.ts';
import { cpuSecondsOf } from './harness/processes.ts';
import { say } from './harness/result.ts';
import { dealRounds } from './harness/rounds.ts';
import { folderOn, onCore, startServiceOn } from './harness/services.ts';
import { sendLoad, tookMsOfSuccess } from './loads/http-load.ts';

const help = `The same route of Express 5 behind @catalytic/guard in its three modes, jose, fast-jwt with its cache, express-oauth2-jwt-bearer, and without a check.

  npm run bench -- checks-compared [--rounds 5] [--seconds 4] [--tokens 200] [--out FILE]

Each API is a process of its own on one core; the load and the service have the other. Blocks are dealt in random order. Requests a second with 16 at
once, and CPU time of the API per request. Then one token signs out, and each way is asked at once and after five seconds. Fetches the packages from
the registry. About 4 minutes. Aim: a strict guard carries at least what fast-jwt with its cache carries, less 5 %.
`;

const audience = 'https://api.example.com';
const ways = ['none', 'strict', 'follow', 'ask', 'jose', 'fast-jwt', 'express-oauth2-jwt-bearer'] as const;
const packages = ['express@5', 'jose@6', 'fast-jwt@6', 'express-oauth2-jwt-bearer@1'];
const hands = 16;
const againMs = 5000;

interface Api {
  readonly url: string;
  readonly pid: number;
}

interface Row {
  readonly way: string;
  readonly perSecond: number;
  readonly cpuMicroseconds: number;
  readonly afterSignOut: number;
  readonly fiveSecondsLater: number;
}

const startApi = async (
  stack: AsyncDisposableStack,
  project: string,
  environment: Readonly<Record<string, string>>,
): Promise<Api> => {
  const [program = '', ...words] = [...onCore(0), process.execPath, 'checked-api.mjs'];
  const child = spawn(program, words, {
    cwd: project,
    env: { PATH: process.env['PATH'], ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  stack.defer(() => void child.kill('SIGKILL'));
  return { url: `http://127.0.0.1:${await firstLine('An API', child.stdout)}`, pid: child.pid ?? 0 };
};

await runBench({
  help,
  options: {
    rounds: number(5, { min: 3, max: 50 }),
    seconds: number(4, { min: 1, max: 60 }),
    tokens: number(200, { min: 1, max: 5000 }),
  },
  measures: 'times',
  coresMin: 2,
  run: async ({ values: { rounds, seconds, tokens } }, stack) => {
    const folder = folderOn(stack);
    const project = join(folder, 'project');
    say('Installs what is compared');
    installInto(project, [packGuard(folder), ...packages], false);
    copyFileSync(join(import.meta.dirname, 'clients/checked-api.mjs'), join(project, 'checked-api.mjs'));
    const port = await freePort();
    const issuer = `http://127.0.0.1:${port}`;
    const settings = {
      AUDIENCE: audience,
      PORT: port,
      ISSUER: issuer,
      ACCESS_TOKEN_SECONDS: 86_400,
      MAX_SESSIONS_PER_ACCOUNT: 10_000,
    };
    const service = await startServiceOn(stack, settings, onCore(1));
    const key = addGuardKey(service.dataDir);
    const texts: string[] = [];
    for (let index = 0; index < tokens; index++)
      texts.push((await signUp(service.url, `user${index}@example.com`)).access);
    const [first = ''] = texts;
    const { alg } = JSON.parse(Buffer.from(first.split('.')[0] ?? '', 'base64url').toString('utf8')) as { alg: string };
    const apis = new Map<string, Api>();
    for (const way of ways) {
      const environment = { WAY: way, ISSUER: issuer, AUDIENCE: audience, KEY: key, ALGORITHM: alg };
      apis.set(way, await startApi(stack, project, environment));
    }
    const ask = (way: string, token: string): Promise<Response> =>
      fetch(`${apis.get(way)?.url}/`, { headers: { authorization: `Bearer ${token}` } });
    const answer = async (way: string, token: string): Promise<number> => (await ask(way, token)).status;
    await delay(1000);
    for (const way of ways) {
      const response = await ask(way, first);
      if (!response.ok)
        throw new Error(`${way} refuses a token that is alive: ${response.status} ${await response.text()}`);
    }

    const asks = texts.map((token) => ({ method: 'GET', path: '/', token }) as const);
    const block = async (way: string) => {
      const { url = '', pid = 0 } = apis.get(way) ?? {};
      const before = cpuSecondsOf(pid).own;
      const load = await sendLoad({ url, asks, seconds, pace: { hands }, connections: hands }, 1);
      const { length } = tookMsOfSuccess(load);
      return { perSecond: length / load.seconds, cpuMicroseconds: ((cpuSecondsOf(pid).own - before) * 1e6) / length };
    };
    for (const way of ways) await block(way);
    const blocks = await dealRounds(Object.fromEntries(ways.map((way) => [way, () => block(way)])), rounds);

    const dead = texts.at(-1) ?? '';
    const { status } = await logOut(service.url, dead);
    if (status !== 200) throw new Error(`The sign-out was answered ${status}`);
    const atOnce = new Map<string, number>();
    for (const way of ways) atOnce.set(way, await answer(way, dead));
    await delay(againMs);
    const rows: Row[] = [];
    for (const way of ways) {
      const of = blocks.get(way) ?? [];
      rows.push({
        way,
        perSecond: Math.round(median(of.map(({ perSecond }) => perSecond))),
        cpuMicroseconds: round(median(of.map(({ cpuMicroseconds }) => cpuMicroseconds)), 1),
        afterSignOut: atOnce.get(way) ?? 0,
        fiveSecondsLater: await answer(way, dead),
      });
    }
    const carried = (way: string): number => rows.find((row) => row.way === way)?.perSecond ?? 0;
    const missed: string[] = [];
    if (carried('strict') < 0.95 * carried('fast-jwt'))
      missed.push('a strict guard carries less than fast-jwt with its cache');
    for (const way of ['strict', 'ask'])
      if (atOnce.get(way) !== 401) missed.push(`a token that signed out was answered ${atOnce.get(way)} at "${way}"`);
    return {
      figures: { rows },
      table: table(
        ['way', 'requests/s', 'CPU µs a request', 'after the sign-out', '5 s later'],
        rows.map((row) => [row.way, row.perSecond, row.cpuMicroseconds, row.afterSignOut, row.fiveSecondsLater]),
      ),
      missed,
    };
  },
});
