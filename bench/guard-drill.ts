/**
 * What do APIs behind guards notice of a rolling reload, of restarts of the service, and of a failover of its database?
 * @module
 */
import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { signal } from '@catalytic/lab/process-tree';
import { Pool } from 'undici';
import { importAccounts } from '../tests/harness/accounts.ts';
import { goodPassword, logOut, signIn } from '../tests/harness/client.ts';
import { type GuardedApi, startGuardedApi } from '../tests/harness/guarded-api.ts';
import { inParallel } from '../tests/harness/in-parallel.ts';
import { operateUrlOf } from '../tests/harness/operate-url.ts';
import { createServiceDatabase, serviceDatabaseUrl } from '../tests/harness/postgres/service-database.ts';
import { startStandby, withStandby } from '../tests/harness/postgres/standby.ts';
import { type Postgres, startPostgres } from '../tests/harness/postgres.ts';
import { freePort, runCatalytic, type Service, startService } from '../tests/harness/service.ts';
import { runBench } from './harness/bench.ts';
import { largest, round, table } from './harness/figures.ts';
import { choices, number } from './harness/options.ts';
import { say } from './harness/result.ts';
import { folderOn, pidOf } from './harness/services.ts';
import { openLoop } from './loads/open-loop.ts';

const events = ['reload', 'restart', 'killed', 'failover'] as const;
type EventName = (typeof events)[number];

const help = `Two strict and two following guards, each with an API in a process of its own, ask a service of two workers on a real PostgreSQL, while each API
is asked at a steady rate with live tokens and, every tenth time, with one that was signed out before. Sessions are signed out meanwhile, and every
strict guard is asked about each as soon as its sign-out is answered. Then

  reload    SIGHUP replaces the workers one after the other
  restart   the service is stopped, and started again at once
  killed    all of its processes are killed, and started again at once
  failover  the primary of the database is killed, and a second later its standby is promoted; DATABASE_URL names both

  npm run bench -- guard-drill [--rate 200] [--after 15] [--only reload,failover] [--out FILE]

--rate   requests a second to each API
--after  seconds that the load goes on after the event

Aims: no live token refused, no dead one accepted, and no verdict missing. Only after a failover some may be missing: the database has another history
then, which ends every lease at once. About 2 minutes. Exit codes: 0 all met, 2 an aim was missed, 3 invalid: other programs kept the machine busy.
`;

const issuer = 'https://id.example.com';
const modes = ['strict', 'strict', 'follow', 'follow'] as const;
const beforeSeconds = 3;
const liveTokens = 20;
const signOutsPerSecond = 5;
const promotedAfterMs = 1000;
/** Connections of the clients of an API. */
const connectionsEach = 8;
const stateEveryMs = 50;
/** A guard that was answered less than this ago is served as usual: a poll is held for a second, milliseconds. */
const usualStaleMs = 1500;
const email = 'drill@example.com';

/** What an event acts on. */
interface Scene {
  readonly primary: Postgres;
  readonly standby: Postgres | undefined;
  service: Service;
  readonly serve: () => Promise<Service>;
}

const happen: Readonly<Record<EventName, (scene: Scene) => Promise<void>>> = {
  reload: async ({ service }) => void signal(pidOf(service), 'SIGHUP'),
  restart: async (scene) => {
    await scene.service.end('SIGTERM');
    scene.service = await scene.serve();
  },
  killed: async (scene) => {
    await scene.service.end('SIGKILL');
    scene.service = await scene.serve();
  },
  failover: async ({ primary, standby }) => {
    await primary.kill();
    await delay(promotedAfterMs);
    await standby?.sql('select pg_promote()');
  },
};

const setScene = async (stack: AsyncDisposableStack, name: EventName) => {
  const primary = stack.use(await startPostgres({ settings: { max_connections: 100 } }));
  await createServiceDatabase(primary.sql);
  const standby = name === 'failover' ? stack.use(await startStandby(primary)) : undefined;
  const dataDir = folderOn(stack);
  const url = serviceDatabaseUrl(primary.port);
  const settings = {
    DATABASE_URL: standby === undefined ? url : withStandby(url, standby),
    CATALYTIC_MASTER_KEY: randomBytes(32).toString('base64'),
    ISSUER: issuer,
    PORT: await freePort(),
    OPERATE_PORT: 0,
    WORKERS: 2,
    LOGIN_CACHE_SECONDS: 3600,
  };
  const serve = (): Promise<Service> => startService(dataDir, settings);
  const scene: Scene = { primary, standby, service: await serve(), serve };
  stack.defer(async () => void (await scene.service.end('SIGKILL')));
  await importAccounts(operateUrlOf(scene.service), dataDir, [email]);
  const made = await runCatalytic(['guard-keys', 'create', '--json'], { ...settings, DATA_DIR: dataDir });
  const { key } = JSON.parse(made.stdout) as { key: string };
  const apis: GuardedApi[] = [];
  for (const mode of modes)
    apis.push(
      stack.use(
        await startGuardedApi({ guard: { mode, issuer, url: scene.service.url, key, name: `${mode} ${apis.length}` } }),
      ),
    );
  await Promise.all(apis.map((api) => api.current()));
  return { scene, apis };
};

/** An answer of an API. */
interface Answered {
  /** Seconds after the event. */
  readonly atSeconds: number;
  readonly isDead: boolean;
  readonly status: number;
}

const tokensOf = ({ url }: Service, count: number): Promise<readonly string[]> =>
  inParallel(
    Array.from({ length: count }),
    async () => (await signIn(url, email, goodPassword, 'lab')).access,
    liveTokens,
  );

/** Notes how long ago the guards were last answered, until it is ended. @returns the longest, and when the last of them was late, ms and s */
const watchStates = (apis: readonly GuardedApi[], eventMs: number) => {
  let [longestMs, lateUntilSeconds, isOver] = [0, 0, false];
  const look = async (api: GuardedApi): Promise<void> => {
    for (; !isOver; await delay(stateEveryMs)) {
      const { staleMs } = await api.state();
      longestMs = Math.max(longestMs, staleMs);
      if (staleMs > usualStaleMs) lateUntilSeconds = Math.max(lateUntilSeconds, (performance.now() - eventMs) / 1000);
    }
  };
  const looks = apis.map(look);
  return async () => {
    isOver = true;
    await Promise.all(looks);
    return { longestMs, lateUntilSeconds };
  };
};

/** Signs a session out and asks every strict guard about it. */
const signOut = async (scene: Scene, strict: readonly GuardedApi[], token: string, eventMs: number) => {
  const sentMs = performance.now();
  const status = await logOut(scene.service.url, token).then(
    (answer) => answer.status,
    () => 0,
  );
  const tookMs = performance.now() - sentMs;
  const answers = status === 200 ? await Promise.all(strict.map((api) => api.statusOf(token))) : [];
  return {
    status,
    tookMs,
    atSeconds: (sentMs - eventMs) / 1000,
    accepted: answers.filter((answer) => answer === 200).length,
  };
};

const drill = async (name: EventName, rate: number, afterSeconds: number) => {
  await using stack = new AsyncDisposableStack();
  const { scene, apis } = await setScene(stack, name);
  const seconds = beforeSeconds + afterSeconds;
  const live = await tokensOf(scene.service, liveTokens);
  const dead = await tokensOf(scene.service, liveTokens);
  for (const token of dead) await logOut(scene.service.url, token);
  const toEnd = await tokensOf(scene.service, signOutsPerSecond * seconds);
  // Followers learn of the last sign-out a little later.
  await delay(500);

  const eventMs = performance.now() + beforeSeconds * 1000;
  const endStates = watchStates(apis, eventMs);
  const loads = apis.map((api) => {
    const pool = new Pool(api.url, { connections: connectionsEach });
    stack.defer(() => pool.destroy());
    return openLoop(rate, rate * seconds, async (index, dueMs): Promise<Answered> => {
      const isDead = index % 10 === 0;
      const token = (isDead ? dead : live)[index % liveTokens];
      const status = await pool
        .request({ path: '/', method: 'GET', headers: { authorization: `Bearer ${token}` } })
        .then(async ({ statusCode, body }) => {
          await body.dump();
          return statusCode;
        })
        .catch(() => 0);
      return { atSeconds: (dueMs - eventMs) / 1000, isDead, status };
    });
  });
  const strict = apis.filter((_, index) => modes[index] === 'strict');
  const ends = openLoop(signOutsPerSecond, toEnd.length, (index) =>
    signOut(scene, strict, toEnd[index] as string, eventMs),
  );
  await delay(beforeSeconds * 1000);
  await happen[name](scene);
  const answers = (await Promise.all((await Promise.all(loads)).flat())) satisfies readonly Answered[];
  const signOuts = await Promise.all(await ends);
  const states = await endStates();
  const ofLive = answers.filter(({ isDead }) => !isDead);
  const count = (of: readonly { readonly status: number }[], ...statuses: readonly number[]): number =>
    of.filter(({ status }) => statuses.includes(status)).length;
  const failed = signOuts.filter(({ status }) => status !== 200 && status !== 202);
  return {
    event: name,
    requests: answers.length,
    live_refused: count(ofLive, 401, 403),
    dead_accepted:
      count(
        answers.filter(({ isDead }) => isDead),
        200,
      ) + signOuts.reduce((sum, { accepted }) => sum + accepted, 0),
    no_verdict: count(answers, 503),
    no_answer: ofLive.length - count(ofLive, 200, 401, 403, 503),
    guards_stale_ms: round(states.longestMs, 0),
    guards_late_until_s: round(states.lateUntilSeconds, 2),
    sign_outs: signOuts.length,
    pending: count(signOuts, 202),
    sign_outs_failed: failed.length,
    sign_outs_failing_until_s: round(largest(failed.map(({ atSeconds }) => atSeconds)), 2),
    sign_outs_pending_until_s: round(
      largest(signOuts.filter(({ status }) => status === 202).map(({ atSeconds }) => atSeconds)),
      2,
    ),
  };
};

type Row = Awaited<ReturnType<typeof drill>>;

const missedBy = (row: Row): readonly string[] => [
  ...(row.live_refused > 0 ? [`${row.event}: ${row.live_refused} live tokens were refused`] : []),
  ...(row.dead_accepted > 0 ? [`${row.event}: ${row.dead_accepted} dead tokens were accepted`] : []),
  ...(row.event !== 'failover' && row.no_verdict + row.no_answer > 0
    ? [`${row.event}: ${row.no_verdict + row.no_answer} requests had no verdict`]
    : []),
];

await runBench({
  help,
  options: {
    rate: number(200, { max: 2000 }),
    after: number(15, { min: 5, max: 600 }),
    only: choices(events),
  },
  measures: 'times',
  run: async ({ values: { rate, after, only } }) => {
    const rows: Row[] = [];
    for (const name of events.filter((each) => only.includes(each))) {
      say(name);
      rows.push(await drill(name, rate, after));
    }
    return {
      figures: { rate, rows },
      table: table(
        [
          'event',
          'requests',
          'live refused',
          'dead accepted',
          'no verdict',
          'no answer',
          'guards unanswered for at most, ms',
          'late until, s',
          'sign-outs',
          '202',
          'failed',
          'failing until, s',
          '202 until, s',
        ],
        rows.map((row) => Object.values(row)),
      ),
      missed: rows.flatMap(missedBy),
    };
  },
});
