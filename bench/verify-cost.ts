/**
 * What does `GET /auth/verify` cost, beside the least that Node can do and beside better-auth?
 * @module
 */
import { execFileSync } from 'node:child_process';
import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { importAccounts } from '../tests/harness/accounts.ts';
import { goodPassword, request, signIn } from '../tests/harness/client.ts';
import { decodeSegment, forge, openSigningKeys } from '../tests/harness/forge.ts';
import { inParallel } from '../tests/harness/in-parallel.ts';
import { runBench } from './harness/bench.ts';
import { startChild } from './harness/child.ts';
import { watchStrangers } from './harness/conditions.ts';
import { median, round, table } from './harness/figures.ts';
import { flag, number, text } from './harness/options.ts';
import { cpuSecondsOfTree } from './harness/processes.ts';
import { type Outcome, say } from './harness/result.ts';
import { dealRounds } from './harness/rounds.ts';
import { folderOn, insteadOf, onCore, patchedCopy, pidOf, startServiceOn, targetPatch } from './harness/services.ts';
import { sendRawLoad } from './loads/raw-load.ts';
import { startBareServer } from './targets/bare-server.ts';

const help = `What GET /auth/verify costs on one core, against a bare node:http server that sends the same bytes.

  npm run bench -- verify-cost [--rounds 5] [--seconds 5] [--out FILE]
  npm run bench -- verify-cost --only warm         only the rows whose names contain this text, and the bare server
  npm run bench -- verify-cost --skip-better-auth  installs nothing

Servers run on core 0, the generator on core 1, with 64 connections and no pipelining. In every round each row gets a block of --seconds, in
random order. Figures are medians over the rounds: CPU time of the server per request, requests a second, and both against the bare server.
"Core" is the share of its core that the server used: far below 100 %, the generator was the slower one, and the requests a second say little.

  warm                16 tokens, asked for again and again
  issued              tokens that this process has issued and that have not been presented yet
  never seen          50,000 tokens in turn, more than a process remembers: each costs a signature check
  ... without door    the same with the whole pipeline for each request (without-door.patch, in a copy of the tree)
  better-auth         its get-session, installed from npm at a pinned version into a temporary folder: from SQLite in memory, and with its
                      cookie cache, which accepts a session for as long as the cookie lives, revoked or not

Aims: warm ≥ 0.80 of the bare server's requests a second, without the door ≥ 0.55. Linux, two cores. About 5 minutes; needs taskset (util-linux).
`;

const options = {
  rounds: number(5, { max: 100 }),
  seconds: number(5, { max: 120 }),
  only: text(''),
  'skip-better-auth': flag,
};

const aims: Readonly<Record<string, number>> = { warm: 0.8, 'warm, without door': 0.55 };
const serverCore = 0;
const generatorCore = 1;
const connections = 64;
const warmTokens = 16;
const issuedTokens = 8000;
/** The service remembers two generations of 16,384. */
const unseenTokens = 50_000;
/** Longest warm-up of a row, seconds. */
const warmUpSecondsMax = 3;
const betterAuth = { version: '1.7.25', before: '2026-11-25' };
const bareName = 'bare node:http';
const email = 'verify@example.com';
const bearer = { path: '/auth/verify', header: 'Authorization: Bearer ' };

/** One row: a server, and the requests it gets. */
interface Row {
  readonly name: string;
  readonly url: string;
  readonly pid: number;
  readonly path: string;
  readonly header: string;
  readonly valuesFile: string;
  /** Makes new values before each block. */
  readonly prepare?: () => Promise<void>;
  next: number;
}

/** Where rows get their servers and keep their values. */
interface Place {
  readonly stack: AsyncDisposableStack;
  readonly folder: string;
}

const writeValues = ({ folder }: Place, name: string, lines: readonly string[]): string => {
  const file = join(folder, name.replaceAll(/\W/g, '-'));
  writeFileSync(file, lines.join('\n'));
  return file;
};

/** Starts a service and makes its first tokens. */
const startTarget = async ({ stack }: Place, checkout?: string) => {
  const settings = {
    LOGIN_CACHE_SECONDS: 3600,
    ACCESS_TOKEN_SECONDS: 86_400,
    MAX_SESSIONS_PER_ACCOUNT: 100_000,
    LOG_LEVEL: 'warn',
  };
  const prefix = [...onCore(serverCore), ...(checkout === undefined ? [] : insteadOf(checkout))];
  const service = await startServiceOn(stack, settings, prefix);
  const { url, dataDir } = service;
  await importAccounts(url, dataDir, [email]);
  const issue = async (count: number): Promise<string[]> =>
    (await inParallel(Array.from({ length: count }), () => signIn(url, email, goodPassword, 'lab'))).map(
      ({ access }) => access,
    );
  // Once, before many at once could each pay for the hash.
  await issue(1);
  return { url, pid: pidOf(service), dataDir, issue };
};
type Target = Awaited<ReturnType<typeof startTarget>>;

const warmRow = async (place: Place, name: string, { url, pid, issue }: Target): Promise<Row> => ({
  ...bearer,
  name,
  url,
  pid,
  valuesFile: writeValues(place, name, await issue(warmTokens)),
  next: 0,
});

const issuedRow = (place: Place, { url, pid, issue }: Target): Row => {
  const valuesFile = writeValues(place, 'issued', []);
  const prepare = async (): Promise<void> => writeFileSync(valuesFile, (await issue(issuedTokens)).join('\n'));
  return { ...bearer, name: 'issued', url, pid, valuesFile, prepare, next: 0 };
};

const unseenRow = async (place: Place, name: string, { url, pid, dataDir, issue }: Target): Promise<Row> => {
  const [key] = openSigningKeys(dataDir);
  const [genuine] = await issue(1);
  if (key === undefined || genuine === undefined) throw new Error('The service has no signing key');
  const claims = decodeSegment(genuine, 1);
  // As long as a genuine `jti`.
  const jti = (index: number): string => `${String(claims['jti']).slice(0, -8)}${String(index).padStart(8, '0')}`;
  const tokens = Array.from({ length: unseenTokens }, (_, index) => forge(key, { ...claims, jti: jti(index) }));
  return { ...bearer, name, url, pid, valuesFile: writeValues(place, name, tokens), next: 0 };
};

/** A server that sends the bytes that the service has just sent. */
const bareRow = async (place: Place, { url, issue }: Target): Promise<Row> => {
  const tokens = await issue(warmTokens);
  const answer = await request(`${url}${bearer.path}`, { headers: { authorization: `Bearer ${tokens[0]}` } });
  const own = ['date', 'connection', 'keep-alive'];
  const headers = Object.fromEntries([...answer.headers].filter(([name]) => !own.includes(name)));
  const server = place.stack.use(startBareServer({ core: serverCore }));
  return {
    ...bearer,
    name: bareName,
    url: await server.ask('serve', { headers, body: answer.text }),
    pid: server.pid,
    valuesFile: writeValues(place, 'bare', tokens),
    next: 0,
  };
};

type BetterAuthTasks = {
  serve(mode: { readonly hasCookieCache: boolean }): { readonly url: string; readonly cookie: string };
};

const betterAuthRows = async (place: Place): Promise<readonly Row[]> => {
  const cwd = folderOn(place.stack);
  say(`Installing better-auth ${betterAuth.version} into a temporary folder`);
  writeFileSync(join(cwd, 'package.json'), '{"private":true,"type":"module"}');
  const flags = ['--silent', '--ignore-scripts', '--no-audit', '--no-fund', '--save-exact'];
  const words = ['install', ...flags, `--before=${betterAuth.before}`, `better-auth@${betterAuth.version}`];
  execFileSync('npm', words, { cwd, stdio: 'inherit' });
  const file = join(cwd, 'server.mjs');
  copyFileSync(join(import.meta.dirname, 'targets/better-auth-server.mjs'), file);
  const start = async (name: string, hasCookieCache: boolean): Promise<Row> => {
    const server = place.stack.use(
      startChild<BetterAuthTasks>(pathToFileURL(file), { core: serverCore, cwd, env: { NODE_ENV: 'production' } }),
    );
    const { url, cookie } = await server.ask('serve', { hasCookieCache });
    const valuesFile = writeValues(place, name, [cookie]);
    return { name, url, pid: server.pid, path: '/api/auth/get-session', header: 'Cookie: ', valuesFile, next: 0 };
  };
  return [await start('better-auth get-session', false), await start('better-auth get-session, cookie cache', true)];
};

interface Block {
  readonly cpuMicros: number;
  readonly perSecond: number;
  readonly corePercent: number;
  readonly generatorPercent: number;
}

const runBlock = async (row: Row, seconds: number): Promise<Block> => {
  await row.prepare?.();
  const { url, path, header, valuesFile, pid } = row;
  // The generator starts within this stretch, but that costs the server nothing.
  const before = cpuSecondsOfTree(pid);
  const load = await sendRawLoad(
    { url, path, header, valuesFile, from: row.next, connections, seconds },
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

const startRows = async (place: Place, only: string, hasBetterAuth: boolean): Promise<readonly Row[]> => {
  const isWanted = (name: string): boolean => name.includes(only);
  const target = await startTarget(place);
  const rows: Row[] = [await bareRow(place, target)];
  if (isWanted('warm')) rows.push(await warmRow(place, 'warm', target));
  if (isWanted('issued')) rows.push(issuedRow(place, await startTarget(place)));
  if (isWanted('never seen')) rows.push(await unseenRow(place, 'never seen', await startTarget(place)));
  if (isWanted('warm, without door')) {
    const copy = patchedCopy(place.stack, targetPatch('without-door.patch'));
    rows.push(await warmRow(place, 'warm, without door', await startTarget(place, copy)));
  }
  if (hasBetterAuth && isWanted('better-auth')) rows.push(...(await betterAuthRows(place)));
  return rows;
};

const summarise = (blocks: ReadonlyMap<string, readonly Block[]>) => {
  const middle = (name: string, figure: keyof Block): number =>
    median((blocks.get(name) ?? []).map((block) => block[figure]));
  return [...blocks.keys()].map((name) => ({
    name,
    cpuUsPerRequest: round(middle(name, 'cpuMicros'), 1),
    requestsPerSecond: round(middle(name, 'perSecond'), 0),
    ofBare: round(middle(name, 'perSecond') / middle(bareName, 'perSecond'), 3),
    cpuOfBare: round(middle(name, 'cpuMicros') / middle(bareName, 'cpuMicros'), 2),
    corePercent: round(middle(name, 'corePercent'), 0),
    generatorPercent: round(middle(name, 'generatorPercent'), 0),
  }));
};

const missedBy = (results: ReturnType<typeof summarise>): string[] =>
  results.flatMap(({ name, ofBare }) => {
    const aim = aims[name];
    return aim === undefined || ofBare >= aim
      ? []
      : [`${name}: ${ofBare} of the bare server's requests a second, aim ≥ ${aim}`];
  });

await runBench({
  help,
  options,
  measures: 'times',
  coresMin: 2,
  run: async ({ values: { rounds, seconds, only, 'skip-better-auth': skips } }, stack): Promise<Outcome> => {
    say('Starting the servers');
    const rows = await startRows({ stack, folder: folderOn(stack) }, only, !skips);
    for (const row of rows) {
      say(`Warming up: ${row.name}`);
      await runBlock(row, Math.min(warmUpSecondsMax, seconds));
    }
    const look = watchStrangers();
    const blocks = await dealRounds(
      Object.fromEntries(rows.map((row) => [row.name, () => runBlock(row, seconds)])),
      rounds,
    );
    const conditions = look();
    const results = summarise(blocks);
    return {
      figures: { rounds, seconds, connections, results, blocks },
      table: table(
        ['', 'CPU µs/request', 'requests/s', 'of bare', 'CPU of bare', 'core %', 'generator %'],
        results.map((one) => Object.values(one)),
      ),
      conditions,
      missed: missedBy(results),
    };
  },
});
