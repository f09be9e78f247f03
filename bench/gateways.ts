/**
 * What does a gateway cost that asks for each request whether its token is alive, and does one ever let in what it must not?
 * @module
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { RunResult } from '../packages/lab/src/results/result.ts';
import { readLeniently } from '../tests/abuse/hostile-heads.ts';
import { hostileRequests } from '../tests/abuse/random-heads.ts';
import { logOut, signUp } from '../tests/harness/client.ts';
import { echoApiIn, identityOf, type Reached } from '../tests/harness/echo-api.ts';
import { type GatewayName, gatewayNames, startGateway } from '../tests/harness/gateways.ts';
import { addGuardKey } from '../tests/harness/guard-key.ts';
import { saidTo } from '../tests/harness/raw.ts';
import { randomFrom, seed } from '../tests/harness/seed.ts';
import { freePort, runCatalytic } from '../tests/harness/service.ts';
import { startSidecar } from '../tests/harness/sidecar.ts';
import { runBench } from './harness/bench.ts';
import { median, round, table } from './harness/figures.ts';
import { flag, number, RefusedError, type ValuesOf } from './harness/options.ts';
import { cpuSecondsOfTree } from './harness/processes.ts';
import { type Outcome, say } from './harness/result.ts';
import { dealRounds } from './harness/rounds.ts';
import { folderOn, onCore, pidOf, scopeOf, startServiceOn } from './harness/services.ts';
import { sendRawLoad } from './loads/raw-load.ts';
import { startBareServer } from './targets/bare-server.ts';

const help = `A small API behind nginx: without a check, and with one by a sidecar over TCP, a sidecar over a Unix socket, GET /auth/verify, and
POST /oauth/introspect. nginx itself cannot read the answer of an introspection: that row is its cost alone.

  npm run bench -- gateways [--rounds 5] [--seconds 5] [--tokens 200] [--out FILE]

nginx, the API and what is asked run on core 0, the load on core 1, with 32 connections. Blocks are dealt in random order. Medians over the
rounds: requests a second, and CPU time per request. Then one token signs out, and each way is asked at once. Needs taskset (util-linux). About
2 minutes. Aim: a token that has signed out is answered 401 behind both sidecars and behind /auth/verify.

  npm run bench -- gateways --revocation --seconds 300 [--users 400] [--tries 100000]

Four workers on PostgreSQL and Redis, with nginx and Caddy, each with a strict sidecar, as guards of the lab's scenario "revocation". Aim: at least
--tries requests with dead tokens were tried at the gateways, and none was accepted after the sign-out had answered 200.

  npm run bench -- gateways --random [--seconds 300]

Random hostile requests through nginx, nginx that passes underscores, and Caddy to an API that remembers what reaches it. Aim: every request that
reaches it has the identity of its token and no other, none is a hidden one, and none is below /admin, which needs a role. SEED=… repeats a run.
`;

const options = {
  rounds: number(5, { max: 100 }),
  seconds: number(5, { max: 3600 }),
  tokens: number(200, { max: 5000 }),
  users: number(400, { max: 10_000 }),
  tries: number(100_000, { min: 0, max: 100_000_000 }),
  revocation: flag,
  random: flag,
};

const serverCore = 0;
const generatorCore = 1;
const connections = 32;
const warmUpSeconds = 1;
const audience = 'https://api.example.com';

/** Ways of nginx to check a token. */
const ways = ['no check', 'sidecar, TCP', 'sidecar, Unix socket', '/auth/verify', 'introspection'] as const;
type Way = (typeof ways)[number];

/** Ways after which nginx refuses a token that is dead. */
const refusing: readonly Way[] = ['sidecar, TCP', 'sidecar, Unix socket', '/auth/verify'];

/** Service, API and tokens that all ways share. */
interface Place {
  readonly stack: AsyncDisposableStack;
  readonly folder: string;
  readonly url: string;
  readonly issuer: string;
  readonly servicePid: number;
  readonly api: { readonly address: string; readonly pid: number };
  readonly key: { readonly id: string; readonly key: string };
  readonly texts: readonly string[];
}

/** A gateway with what it asks. */
interface Row {
  readonly url: string;
  readonly gatewayPid: number;
  readonly askedPid: number | undefined;
}

const startPlace = async (stack: AsyncDisposableStack, tokens: number): Promise<Place> => {
  const port = await freePort();
  const issuer = `http://127.0.0.1:${port}`;
  const settings = { AUDIENCE: audience, PORT: port, ISSUER: issuer, ACCESS_TOKEN_SECONDS: 86_400, LOG_LEVEL: 'warn' };
  const service = await startServiceOn(stack, settings, onCore(serverCore));
  const { url, dataDir } = service;
  const made = await runCatalytic(['guard-keys', 'create', '--json'], { DATA_DIR: dataDir });
  const texts: string[] = [];
  for (let index = 0; index < tokens; index++) texts.push((await signUp(url, `user${index}@example.com`)).access);
  const bare = stack.use(startBareServer({ core: serverCore }));
  const { host } = new URL(await bare.ask('serve', { headers: { 'content-length': '2' }, body: '{}' }));
  return {
    ...{ stack, folder: folderOn(stack), url, issuer, servicePid: pidOf(service) },
    api: { address: host, pid: bare.pid },
    key: JSON.parse(made.stdout) as Place['key'],
    texts,
  };
};

/** Changes of the recipe that make nginx ask for an introspection (RFC 7662 section 2.1). */
const askIntrospection = (recipe: string, { id, key }: Place['key']): string =>
  recipe
    .replace('map $http_upgrade', 'map $http_authorization $token { "~^Bearer (.+)$" $1; }\nmap $http_upgrade')
    .replace('catalytic_guard/check;', 'catalytic_guard/oauth/introspect;\n        proxy_method POST;')
    .replace('proxy_pass_request_body off;', 'proxy_set_body "token=$token";')
    .replace(
      'proxy_set_header Authorization $http_authorization;',
      `proxy_set_header Authorization "Basic ${btoa(`${id}:${key}`)}";`,
    )
    .replace('proxy_set_header Content-Length "";', 'proxy_set_header Content-Type application/x-www-form-urlencoded;');

const startRow = async (place: Place, way: Way): Promise<Row> => {
  const { stack, url, issuer, key, api, folder } = place;
  const prefixCommand = onCore(serverCore);
  const start = async (
    guard: string,
    askedPid: number | undefined,
    vary?: (recipe: string) => string,
  ): Promise<Row> => {
    const gateway = stack.use(
      await startGateway('nginx', { api: api.address, guard, prefixCommand, ...(vary && { vary }) }),
    );
    return { url: gateway.url, gatewayPid: gateway.pid, askedPid };
  };
  const service = new URL(url).host;
  switch (way) {
    case 'no check':
      return start('127.0.0.1:9', undefined, (recipe) => recipe.replace(/^ *auth_request \/.*$/m, ''));
    case '/auth/verify':
      return start(service, place.servicePid, (recipe) =>
        recipe.replace('catalytic_guard/check;', 'catalytic_guard/auth/verify;'),
      );
    case 'introspection':
      return start(service, place.servicePid, (recipe) => askIntrospection(recipe, key));
    default: {
      const listen = way === 'sidecar, TCP' ? '127.0.0.1:0' : `unix:${join(folder, 'guard.sock')}`;
      const flags = ['--issuer', issuer, '--audience', audience];
      const sidecar = stack.use(await startSidecar({ url, key: key.key, listen, flags, prefixCommand }));
      return start(sidecar.address, sidecar.process.pid);
    }
  }
};

const measureRates = async (
  { rounds, seconds, tokens }: ValuesOf<typeof options>,
  stack: AsyncDisposableStack,
): Promise<Outcome> => {
  say('Starting the servers');
  const place = await startPlace(stack, tokens);
  const valuesFile = join(place.folder, 'tokens');
  writeFileSync(valuesFile, place.texts.join('\n'));
  const rows = new Map<Way, Row>();
  for (const way of ways) rows.set(way, await startRow(place, way));
  const rowOf = (way: Way): Row => rows.get(way) as Row;
  const block = async (way: Way, blockSeconds: number) => {
    const { url, gatewayPid, askedPid } = rowOf(way);
    const read = () => [gatewayPid, askedPid, place.api.pid].map(cpuSecondsOfTree);
    const before = read();
    const header = 'Authorization: Bearer ';
    const plan = { url, path: '/notes', header, valuesFile, from: 0, connections, seconds: blockSeconds };
    const load = await sendRawLoad(plan, generatorCore);
    if (load.refused > 0) throw new Error(`${way}: ${load.refused} of ${load.requests} answers were not 200`);
    const [gateway = 0, asked = 0, api = 0] = read().map(
      (cpuSeconds, index) => (1e6 * (cpuSeconds - (before[index] ?? 0))) / load.requests,
    );
    return { perSecond: load.requests / load.seconds, gateway, asked, all: gateway + asked + api };
  };
  for (const way of ways) await block(way, warmUpSeconds);
  const blocks = await dealRounds(Object.fromEntries(ways.map((way) => [way, () => block(way, seconds)])), rounds);

  const [dead = ''] = place.texts;
  const { status } = await logOut(place.url, dead);
  if (status !== 200) throw new Error(`The sign-out was answered ${status}`);
  const results = [];
  for (const way of ways) {
    const { status: afterSignOut } = await fetch(rowOf(way).url, { headers: { authorization: `Bearer ${dead}` } });
    const middle = (figure: 'perSecond' | 'gateway' | 'asked' | 'all', digits: number): number =>
      round(median((blocks.get(way) ?? []).map((each) => each[figure])), digits);
    results.push({
      way,
      requestsPerSecond: middle('perSecond', 0),
      nginxCpuMicroseconds: middle('gateway', 1),
      askedCpuMicroseconds: middle('asked', 1),
      allCpuMicroseconds: middle('all', 1),
      afterSignOut,
    });
  }
  return {
    figures: { ways: results },
    table: table(
      ['way', 'requests/s', 'CPU µs a request: nginx', 'what it asks', 'with the API', 'after the sign-out'],
      results.map((row) => Object.values(row)),
    ),
    missed: results
      .filter(({ way, afterSignOut }) => refusing.includes(way) && afterSignOut !== 401)
      .map(({ way, afterSignOut }) => `${way}: a token that had signed out was answered ${afterSignOut}`),
  };
};

const tryDeadTokens = async (
  { users, seconds, tries }: ValuesOf<typeof options>,
  stack: AsyncDisposableStack,
): Promise<Outcome> => {
  const out = join(folderOn(stack), 'result');
  const words = ['--machines', '4', '--guards', gatewayNames.join(','), '--', 'revocation'];
  const load = [
    '--users',
    String(users),
    '--duration',
    `${seconds}s`,
    '--spawn-rate',
    '20',
    '--wait',
    '0.2-0.6',
    '--out',
    out,
  ];
  const program = join(import.meta.dirname, 'many-machines.ts');
  const child = spawn(process.execPath, [program, ...words, ...load], { stdio: ['ignore', 'inherit', 'inherit'] });
  const [code] = (await once(child, 'exit')) as [number | null];
  if (!existsSync(`${out}.json`))
    throw new RefusedError(`Cannot try tokens: the lab ended with code ${code}, see above`);
  const { guards, logouts } = JSON.parse(readFileSync(`${out}.json`, 'utf8')) as RunResult;
  const apis = (guards?.apis ?? []).map(({ dead, live, violations }, index) => {
    const gateway = gatewayNames[index] ?? '';
    return { gateway, deadTried: dead.tried, deadRefused: dead.refused, violations, liveRefused: live.refused };
  });
  const tried = apis.reduce((sum, { deadTried }) => sum + deadTried, 0);
  const accepted = apis.reduce((sum, { violations }) => sum + violations, 0);
  const liveRefused = apis.reduce((sum, api) => sum + api.liveRefused, 0);
  return {
    figures: { labExitCode: code, logouts: logouts.completed, tried, accepted, gateways: apis },
    table: table(
      ['gateway', 'dead tokens tried', 'refused', 'accepted after a 200', 'live tokens refused'],
      apis.map((api) => Object.values(api)),
    ),
    missed: [
      ...(accepted > 0 ? [`${accepted} dead tokens were accepted after a sign-out had answered 200`] : []),
      ...(liveRefused > 0 ? [`${liveRefused} live tokens were refused`] : []),
      ...(tried < tries ? [`only ${tried} requests with dead tokens were tried, not ${tries}`] : []),
    ],
  };
};

/** Requests that are under way at once at each gateway. */
const batchSize = 64;
/** Until what a gateway has passed on has reached the API, milliseconds. */
const settleMs = 20;

const sendRandomRequests = async (
  { seconds }: ValuesOf<typeof options>,
  stack: AsyncDisposableStack,
): Promise<Outcome> => {
  const scope = scopeOf(stack);
  const issuer = 'https://id.example';
  const service = await startServiceOn(stack, { ISSUER: issuer });
  const key = addGuardKey(service.dataDir);
  const { access, session } = await signUp(service.url, 'ada@example.com');
  const startOne = async (name: GatewayName, vary = (recipe: string): string => recipe) => {
    const pathFrom = name === 'nginx' ? 'x-original-uri' : 'x-forwarded-uri';
    const flags = ['--issuer', issuer, '--path-from', pathFrom, '--require', '/admin role=admin'];
    const sidecar = stack.use(await startSidecar({ url: service.url, key, flags }));
    const api = await echoApiIn(scope);
    const gateway = stack.use(await startGateway(name, { api: api.address, guard: sidecar.address, vary }));
    return { url: gateway.url, api };
  };
  const plain = await startOne('nginx');
  const places = [
    plain,
    await startOne('nginx', (recipe) => recipe.replace(/^server \{/m, 'server {\n    underscores_in_headers on;')),
    await startOne('caddy'),
  ];
  const next = hostileRequests(randomFrom(seed), access);
  await saidTo(
    plain.url,
    `GET /notes HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${access}\r\nConnection: close\r\n\r\n`,
  );
  const own = plain.api.taken().flatMap(identityOf);
  if (!own.includes(`catalytic-session: ${session}`)) throw new Error('The API was not told who asks');
  let sent = 0;
  let served = 0;
  const breaches: Reached[] = [];
  const isBreach = (one: Reached): boolean =>
    identityOf(one).join() !== own.join() || /^\/smuggled|^\/admin(\/|$)/.test(readLeniently(one.target));
  for (const untilMs = performance.now() + seconds * 1000; performance.now() < untilMs && breaches.length === 0; ) {
    const batch = Array.from({ length: batchSize }, () => Buffer.from(next(), 'latin1'));
    await Promise.all(places.flatMap((place) => batch.map((bytes) => saidTo(place.url, bytes))));
    await delay(settleMs);
    const reached = places.flatMap((place) => place.api.taken());
    sent += batch.length;
    served += reached.length;
    breaches.push(...reached.filter(isBreach));
  }
  for (const { method, target, headers } of breaches) say(JSON.stringify({ method, target, headers }));
  return {
    figures: { sentToEach: sent, served, breaches: breaches.length },
    table: table(
      ['requests to each gateway', 'reached the API', 'that must not have'],
      [[sent, served, breaches.length]],
    ),
    missed: breaches.length > 0 ? [`${breaches.length} requests reached the API that must not have`] : [],
  };
};

await runBench({
  help,
  options,
  // The lab that runs there takes the turn of measuring itself; random requests are only counted.
  measures: process.argv.some((word) => word === '--revocation' || word === '--random') ? 'counts' : 'times',
  coresMin: 2,
  run: ({ values }, stack) => {
    if (values.random) return sendRandomRequests(values, stack);
    return values.revocation ? tryDeadTokens(values, stack) : measureRates(values, stack);
  },
});
