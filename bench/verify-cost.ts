/**
 * What `GET /auth/verify` costs beside the least that Node can do: `node bench/verify-cost.ts --help`.
 * @module
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { copyTree } from '../scripts/tree-copy.ts';
import { importAccounts } from '../tests/harness/accounts.ts';
import { goodPassword, request, signIn } from '../tests/harness/client.ts';
import { decodeSegment, forge, openSigningKeys } from '../tests/harness/forge.ts';
import { removeFolder, startService, temporaryFolder } from '../tests/harness/service.ts';
import { cpuSecondsOfTree, watchStrangers } from './cpu.ts';
import { median, round, table } from './figures.ts';
import { type RawLoad, rawLoadFrom } from './raw-load.ts';
import { finish, insteadOf, machine, numberOption, say, spread, takeTurn } from './setting.ts';

const help = `What GET /auth/verify costs on one core, against a bare node:http server that sends the same bytes.

  node bench/verify-cost.ts [--rounds 5] [--seconds 5] [--out FILE]
  node bench/verify-cost.ts --only warm            only the rows whose names hold this text, and the bare server
  node bench/verify-cost.ts --skip-better-auth     installs nothing

Servers on core 0, the generator on core 1, 64 connections without pipelining, in turns: each row gets a block of --seconds in every round.
Figures are medians over the rounds: CPU time of the server per request, requests a second, and both against the bare server. "Core" is how
much of its core the server had: far below 100 % the generator was the slower one, and the requests a second say little.

  warm                16 tokens, asked for again and again
  issued              tokens that this process has issued and nobody has shown yet
  never seen          50,000 tokens in turn, more than any process remembers: each pays for a signature check
  ... without door    the same with the whole pipeline for each request (bench/without-door.patch, in a copy of the tree)
  better-auth         its get-session, installed from npm at a pinned version into a temporary folder: from SQLite in memory, and with its
                      cookie cache, which accepts a session for as long as the cookie lives, revoked or not

Aims: warm ≥ 0.80 of the bare server's requests a second, without the door ≥ 0.55. Linux, two cores. About 5 minutes; needs taskset (util-linux).
`;

const { values } = parseArgs({
  options: {
    help: { type: 'boolean', short: 'h', default: false },
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '5' },
    only: { type: 'string', default: '' },
    'skip-better-auth': { type: 'boolean', default: false },
    out: { type: 'string' },
  },
});

const aims: Readonly<Record<string, number>> = { warm: 0.8, 'warm, without door': 0.55 };
const serverCore = 0;
const generatorCore = 1;
const connections = 64;
const warmTokens = 16;
const issuedTokens = 8000;
/** The service remembers two generations of 16,384. */
const unseenTokens = 50_000;
const betterAuth = { version: '1.7.25', before: '2026-11-25' };
const root = fileURLToPath(new URL('..', import.meta.url));

const rounds = numberOption('rounds', values.rounds, { max: 100 });
const seconds = numberOption('seconds', values.seconds, { max: 120 });

const stack = new AsyncDisposableStack();
const folder = temporaryFolder();
stack.defer(() => removeFolder(folder));

/** One row: a server, and what it is asked for. */
interface Row {
  readonly name: string;
  readonly url: string;
  readonly pid: number;
  readonly path: string;
  readonly header: string;
  readonly valuesFile: string;
  /** Made new before each block. */
  readonly prepare?: () => Promise<void>;
  next: number;
}

const writeValues = (name: string, lines: readonly string[]): string => {
  const file = join(folder, name.replaceAll(/\W/g, '-'));
  writeFileSync(file, lines.join('\n'));
  return file;
};

const email = 'verify@example.com';
const bearer = { path: '/auth/verify', header: 'Authorization: Bearer ' };
const onServerCore: readonly string[] = ['taskset', '-c', String(serverCore)];

/** Starts a service and makes its first tokens. */
const startTarget = async (checkout?: string) => {
  const dataDir = temporaryFolder();
  stack.defer(() => removeFolder(dataDir));
  const settings = {
    LOGIN_CACHE_SECONDS: 3600,
    ACCESS_TOKEN_SECONDS: 86_400,
    MAX_SESSIONS_PER_ACCOUNT: 100_000,
    LOG_LEVEL: 'warn',
  };
  const service = await startService(dataDir, settings, [
    ...onServerCore,
    ...(checkout === undefined ? [] : insteadOf(checkout)),
  ]);
  stack.defer(async () => void (await service.end('SIGKILL')));
  await importAccounts(service.url, dataDir, [email]);
  const issue = async (count: number): Promise<string[]> =>
    (await spread(Array.from({ length: count }), 16, () => signIn(service.url, email, goodPassword, 'lab'))).map(
      ({ access }) => access,
    );
  // Once, before many at once could each pay for the hash.
  await issue(1);
  return { url: service.url, pid: service.process.pid ?? 0, dataDir, issue };
};
type Target = Awaited<ReturnType<typeof startTarget>>;

const warmRow = async (name: string, { url, pid, issue }: Target): Promise<Row> => ({
  ...bearer,
  name,
  url,
  pid,
  valuesFile: writeValues(name, await issue(warmTokens)),
  next: 0,
});

const issuedRow = ({ url, pid, issue }: Target): Row => {
  const valuesFile = writeValues('issued', []);
  const prepare = async (): Promise<void> => writeFileSync(valuesFile, (await issue(issuedTokens)).join('\n'));
  return { ...bearer, name: 'issued', url, pid, valuesFile, prepare, next: 0 };
};

const unseenRow = async (name: string, { url, pid, dataDir, issue }: Target): Promise<Row> => {
  const [key] = openSigningKeys(dataDir);
  const [genuine] = await issue(1);
  if (key === undefined || genuine === undefined) throw new Error('The service has no signing key');
  const claims = decodeSegment(genuine, 1);
  // As long as a genuine `jti`.
  const jti = (index: number): string => `${String(claims['jti']).slice(0, -8)}${String(index).padStart(8, '0')}`;
  const tokens = Array.from({ length: unseenTokens }, (_, index) => forge(key, { ...claims, jti: jti(index) }));
  return { ...bearer, name, url, pid, valuesFile: writeValues(name, tokens), next: 0 };
};

/** Starts any program that prints its address. */
const startProgram = async (args: readonly string[], env: Readonly<Record<string, string>>, cwd: string) => {
  const [taskset = '', ...words] = [...onServerCore, process.execPath, ...args];
  const child: ChildProcess = spawn(taskset, words, {
    cwd,
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  stack.defer(() => void child.kill('SIGKILL'));
  const text = await new Promise<string>((resolve, reject) => {
    child.stdout?.once('data', (chunk: Buffer) => resolve(chunk.toString()));
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`${args[0]} ended with code ${code}`)));
  });
  return { pid: child.pid ?? 0, text };
};

/** A server that sends what the service has just sent. */
const bareRow = async ({ url, issue }: Target): Promise<Row> => {
  const tokens = await issue(warmTokens);
  const answer = await request(`${url}${bearer.path}`, { headers: { authorization: `Bearer ${tokens[0]}` } });
  const own = ['date', 'connection', 'keep-alive'];
  const headers = Object.fromEntries([...answer.headers].filter(([name]) => !own.includes(name)));
  const env = { BARE_HEADERS: JSON.stringify(headers), BARE_BODY: answer.text };
  const { pid, text } = await startProgram([fileURLToPath(new URL('bare-server.ts', import.meta.url))], env, root);
  const address = /http:\S+/.exec(text)?.[0] ?? '';
  return { ...bearer, name: 'bare node:http', url: address, pid, valuesFile: writeValues('bare', tokens), next: 0 };
};

const betterAuthRows = async (): Promise<readonly Row[]> => {
  const place = temporaryFolder();
  stack.defer(() => removeFolder(place));
  say(`Installing better-auth ${betterAuth.version} into a temporary folder`);
  writeFileSync(join(place, 'package.json'), '{"private":true,"type":"module"}');
  const flags = [
    '--silent',
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    '--save-exact',
    `--before=${betterAuth.before}`,
  ];
  execFileSync('npm', ['install', ...flags, `better-auth@${betterAuth.version}`], { cwd: place, stdio: 'inherit' });
  copyFileSync(fileURLToPath(new URL('better-auth-server.mjs', import.meta.url)), join(place, 'server.mjs'));
  const start = async (name: string, mode: string): Promise<Row> => {
    const { pid, text } = await startProgram(['server.mjs', mode], { NODE_ENV: 'production' }, place);
    const { url, cookie } = JSON.parse(text) as { url: string; cookie: string };
    const valuesFile = writeValues(name, [cookie]);
    return { name, url, pid, path: '/api/auth/get-session', header: 'Cookie: ', valuesFile, next: 0 };
  };
  return [
    await start('better-auth get-session', 'database'),
    await start('better-auth get-session, cookie cache', 'cookie-cache'),
  ];
};

interface Block {
  readonly cpuMicros: number;
  readonly perSecond: number;
  readonly corePercent: number;
  readonly generatorPercent: number;
}

const runBlock = async (row: Row, length: number): Promise<Block> => {
  await row.prepare?.();
  const { url, path, header, valuesFile, pid } = row;
  // The generator starts within this stretch, but for that it costs the server nothing.
  const before = cpuSecondsOfTree(pid);
  const load: RawLoad = await rawLoadFrom(
    { url, path, header, valuesFile, from: row.next, connections, seconds: length },
    generatorCore,
  );
  const used = cpuSecondsOfTree(pid) - before;
  if (load.refused > 0) throw new Error(`${row.name}: ${load.refused} of ${load.requests} answers were not 200`);
  row.next += load.requests;
  return {
    cpuMicros: (1e6 * used) / load.requests,
    perSecond: load.requests / load.seconds,
    corePercent: (100 * used) / load.seconds,
    generatorPercent: (100 * load.cpuSeconds) / load.seconds,
  };
};

const startRows = async (): Promise<readonly Row[]> => {
  const isWanted = (name: string): boolean => name.includes(values.only);
  const target = await startTarget();
  const rows: Row[] = [await bareRow(target)];
  if (isWanted('warm')) rows.push(await warmRow('warm', target));
  if (isWanted('issued')) rows.push(issuedRow(await startTarget()));
  if (isWanted('never seen')) rows.push(await unseenRow('never seen', await startTarget()));
  if (isWanted('warm, without door')) {
    const copy = copyTree(root, join(root, 'bench/without-door.patch'));
    stack.defer(() => copy.remove());
    rows.push(await warmRow('warm, without door', await startTarget(copy.path)));
  }
  if (!values['skip-better-auth'] && isWanted('better-auth')) rows.push(...(await betterAuthRows()));
  return rows;
};

const main = async (): Promise<void> => {
  takeTurn();
  if (machine().cores < 2) throw new Error('Cannot measure here: server and generator need a core each');
  say('Starting the servers');
  const rows = await startRows();
  for (const row of rows) {
    say(`Warming up: ${row.name}`);
    await runBlock(row, Math.min(3, seconds));
  }
  const look = watchStrangers();
  const blocks = new Map<string, Block[]>(rows.map(({ name }) => [name, []]));
  for (let number = 1; number <= rounds; number++)
    for (const row of rows) {
      say(`Round ${number} of ${rounds}: ${row.name}`);
      blocks.get(row.name)?.push(await runBlock(row, seconds));
    }
  const conditions = look();
  const middle = (name: string, figure: keyof Block): number =>
    median((blocks.get(name) ?? []).map((block) => block[figure]));
  const bare = rows[0]?.name ?? '';
  const results = rows.map(({ name }) => ({
    name,
    cpu_us_per_request: round(middle(name, 'cpuMicros'), 1),
    requests_per_second: round(middle(name, 'perSecond'), 0),
    of_bare: round(middle(name, 'perSecond') / middle(bare, 'perSecond'), 3),
    cpu_of_bare: round(middle(name, 'cpuMicros') / middle(bare, 'cpuMicros'), 2),
    core_percent: round(middle(name, 'corePercent'), 0),
    generator_percent: round(middle(name, 'generatorPercent'), 0),
  }));
  const missed = results.flatMap(({ name, of_bare: share }) => {
    const aim = aims[name];
    return aim === undefined || share >= aim
      ? []
      : [`${name}: ${share} of the bare server's requests a second, aim ≥ ${aim}`];
  });
  finish({
    out: values.out,
    figures: { rounds, seconds, connections, results, blocks: Object.fromEntries(blocks) },
    table: table(
      ['', 'CPU µs/request', 'requests/s', 'of bare', 'CPU of bare', 'core %', 'generator %'],
      results.map((one) => Object.values(one)),
    ),
    conditions,
    missed,
  });
};

if (values.help) process.stdout.write(help);
else
  try {
    await main();
  } finally {
    await stack.disposeAsync();
  }
