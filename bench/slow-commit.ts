/**
 * How much a slow disk slows verify: 200 logins a second (login cache on) beside 200 verifies a second, both open loop, against the
 * service as it is and against a copy whose commits take 5 ms longer, in turns.
 *
 *   node bench/slow-commit.ts [--rounds 3] [--seconds 20] [--rate 200]
 * @module
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { argon2Sync, randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'hdr-histogram-js';
import { Pool } from 'undici';

const root = fileURLToPath(new URL('..', import.meta.url));
const password = 'nine lanterns over the harbour';
const accounts = 100;

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '20' },
    rate: { type: 'string', default: '200' },
  },
});
const rounds = Number(values.rounds);
const seconds = Number(values.seconds);
const rate = Number(values.rate);

interface Target {
  readonly child: ChildProcess;
  readonly url: string;
  readonly dataDir: string;
}

const serve = 'packages/server/src/main.ts';
const commands = {
  'as it is': [join(root, serve), 'serve'],
  'commit + 5 ms': [
    join(root, 'scripts/patched.ts'),
    '--patch',
    join(root, 'bench/slow-commit.patch'),
    '--',
    process.execPath,
    serve,
    'serve',
  ],
} as const;

type Variant = keyof typeof commands;

const start = async (variant: Variant): Promise<Target> => {
  const dataDir = mkdtempSync(join(tmpdir(), 'catalytic-bench-'));
  const child = spawn(process.execPath, commands[variant], {
    env: { PATH: process.env['PATH'], PORT: '0', DATA_DIR: dataDir, LOGIN_CACHE_SECONDS: '3600', LOG_LEVEL: 'warn' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  const url = await new Promise<string>((resolve, reject) => {
    child.stdout?.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      const found = /serves on (\S+)/.exec(output)?.[1];
      if (found !== undefined) resolve(found);
    });
    child.once('exit', (code) => reject(new Error(`The service ended with code ${code}:\n${output}`)));
  });
  return { child, url, dataDir };
};

const stop = async ({ child, dataDir }: Target): Promise<void> => {
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await ended;
  rmSync(dataDir, { recursive: true, force: true });
};

const email = (index: number): string => `bench-${index}@example.com`;

const importAccounts = async (pool: Pool, dataDir: string): Promise<void> => {
  const nonce = randomBytes(16);
  const tag = argon2Sync('argon2id', {
    message: password,
    nonce,
    parallelism: 1,
    tagLength: 32,
    memory: 19_456,
    passes: 2,
  });
  const unpadded = (bytes: Buffer): string => bytes.toString('base64').replace(/=+$/, '');
  const hash = `$argon2id$v=19$m=19456,t=2,p=1$${unpadded(nonce)}$${unpadded(tag)}`;
  const lines = Array.from({ length: accounts }, (_, index) =>
    JSON.stringify({ email: email(index), password_hash: hash }),
  );
  const { statusCode } = await pool.request({
    method: 'POST',
    path: '/admin/accounts/import?tenant=lab',
    headers: {
      authorization: `Bearer ${readFileSync(join(dataDir, 'lab.key'), 'utf8').trim()}`,
      'content-type': 'application/x-ndjson',
    },
    body: lines.join('\n'),
  });
  if (statusCode !== 200) throw new Error(`Cannot import the accounts: status ${statusCode}`);
};

const logIn = async (pool: Pool, index: number): Promise<string> => {
  const { statusCode, body } = await pool.request({
    method: 'POST',
    path: '/auth/login',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email: email(index), password, tenant: 'lab' }),
  });
  const text = await body.text();
  if (statusCode !== 200) throw new Error(`Cannot log in: ${statusCode} ${text}`);
  return (JSON.parse(text) as { access_token: string }).access_token;
};

const verify = async (pool: Pool, token: string): Promise<void> => {
  const { statusCode, body } = await pool.request({
    method: 'GET',
    path: '/auth/verify',
    headers: { authorization: `Bearer ${token}` },
  });
  await body.dump();
  if (statusCode !== 200) throw new Error(`Cannot verify: status ${statusCode}`);
};

/** Starts `act` at a fixed rate whatever the answers do; latency counts from the intended start, so a stall is not hidden. */
const openLoop = async (act: (index: number) => Promise<unknown>): Promise<ReturnType<typeof build>> => {
  const histogram = build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: 60_000_000,
    numberOfSignificantValueDigits: 3,
  });
  const startMs = performance.now() + 50;
  const count = rate * seconds;
  const pending: Promise<void>[] = [];
  for (let index = 0; index < count; ) {
    const dueMs = startMs + (index / rate) * 1000;
    const waitMs = dueMs - performance.now();
    if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
    pending.push(
      act(index++).then(() => histogram.recordValue(Math.max(1, Math.round((performance.now() - dueMs) * 1000)))),
    );
  }
  await Promise.all(pending);
  return histogram;
};

const ms = (histogram: ReturnType<typeof build>, percentile: number): string =>
  (histogram.getValueAtPercentile(percentile) / 1000).toFixed(2).padStart(8);

const measure = async (variant: Variant, round: number): Promise<void> => {
  const target = await start(variant);
  const logins = new Pool(target.url, { connections: 64 });
  const verifies = new Pool(target.url, { connections: 64 });
  try {
    await importAccounts(logins, target.dataDir);
    // Each account pays its full hash once, before the clock starts.
    const tokens = await Promise.all(Array.from({ length: accounts }, (_, index) => logIn(logins, index)));
    const [login, check] = await Promise.all([
      openLoop((index) => logIn(logins, index % accounts)),
      openLoop((index) => verify(verifies, tokens[index % accounts] as string)),
    ]);
    for (const [name, histogram] of [
      ['verify', check],
      ['login', login],
    ] as const)
      process.stdout.write(
        `${String(round).padStart(5)}  ${variant.padEnd(14)} ${name.padEnd(7)} ${String(histogram.totalCount).padStart(6)} ` +
          `${ms(histogram, 50)} ${ms(histogram, 99)} ${(histogram.maxValue / 1000).toFixed(2).padStart(8)}\n`,
      );
  } finally {
    await Promise.all([logins.close(), verifies.close()]);
    await stop(target);
  }
};

process.stdout.write('round  variant        request  count   p50 ms   p99 ms   max ms\n');
for (let round = 1; round <= rounds; round++)
  for (const variant of Object.keys(commands) as Variant[]) await measure(variant, round);
