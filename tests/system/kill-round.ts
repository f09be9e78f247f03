/**
 * One round of a drill: people sign in, refresh, sign out and register, the service is killed (`kill -9`) and started again, and everything
 * that was answered before must hold from the first request of the next process.
 * @module
 */
import assert from 'node:assert/strict';
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { importAccounts } from '../harness/accounts.ts';
import {
  type Answer,
  get,
  goodPassword,
  logOut,
  post,
  refresh,
  signIn,
  type Tokens,
  tokensOf,
} from '../harness/client.ts';
import { rowsOf } from '../harness/database.ts';
import { assertProblem } from '../harness/problems.ts';
import {
  freePort,
  removeFolder,
  type Service,
  type Settings,
  startService,
  temporaryFolder,
} from '../harness/service.ts';

const sessionsPerRound = 400;
const logOutEveryMs = 5;
const readEveryMs = 5;
/** A kill comes so long after the load has begun, milliseconds, plus a chance of up to {@link killSpreadMs}. */
const killAfterMsMin = 300;
const killSpreadMs = 1000;
const emails = Array.from({ length: 8 }, (_, index) => `person-${index}@example.com`);

/** What the client knows: answered, never asked, or asked without an answer. */
interface Ledger {
  readonly loggedOut: Tokens[];
  readonly unanswered: Tokens[];
  readonly alive: Map<string, Tokens>;
  readonly registered: string[];
  /** Refreshes without an answer: when they were sent, by session. */
  readonly unansweredRefreshes: Map<string, number>;
}

/** Runs a request whose server may be killed; `undefined` when no answer came. */
const orNothing = (request: Promise<Answer>): Promise<Answer | undefined> => request.catch(() => undefined);

const openSessions = async (url: string, count: number): Promise<Tokens[]> => {
  const opened: Tokens[] = [];
  // First once each: a second sign-in with the same password skips the hash.
  for (const email of emails) opened.push(await signIn(url, email, goodPassword, 'lab'));
  while (opened.length < count)
    opened.push(...(await Promise.all(emails.map((email) => signIn(url, email, goodPassword, 'lab')))));
  return opened;
};

/** Signs out at a fixed rate, and signs in, refreshes and registers beside it, until the service is killed. */
const load = async (service: Service, ledger: Ledger, killAfterMs: number, round: number): Promise<void> => {
  const { url } = service;
  const inFlight: Promise<void>[] = [];
  const leaving = [...ledger.alive.values()].slice(0, sessionsPerRound - 60);
  const staying = [...ledger.alive.values()].slice(sessionsPerRound - 60);
  let isOver = false;
  const every = (ms: number, act: (count: number) => Promise<void>): NodeJS.Timeout => {
    let count = 0;
    return setInterval(() => {
      if (!isOver) inFlight.push(act(count++));
    }, ms);
  };
  const timers = [
    every(readEveryMs, async (count) => {
      const tokens = staying[count % Math.max(1, staying.length)];
      const answer = tokens && (await orNothing(get(`${url}/api/protected`, tokens.access)));
      if (answer !== undefined) assert.equal(answer.status, 200, answer.text);
    }),
    every(logOutEveryMs, async () => {
      const tokens = leaving.pop();
      if (tokens === undefined) return;
      ledger.alive.delete(tokens.session);
      const answer = await orNothing(logOut(url, tokens.access));
      if (answer !== undefined) assert.equal(answer.status, 200, answer.text);
      (answer === undefined ? ledger.unanswered : ledger.loggedOut).push(tokens);
    }),
    every(20, async (count) => {
      const answer = await orNothing(
        post(`${url}/auth/login`, { email: emails[count % emails.length], password: goodPassword, tenant: 'lab' }),
      );
      if (answer === undefined) return;
      const tokens = tokensOf(answer);
      ledger.alive.set(tokens.session, tokens);
    }),
    every(20, async () => {
      const tokens = staying.pop();
      if (tokens === undefined) return;
      // Without an answer the old token stays in the ledger: it must still yield its one successor.
      const sentMs = performance.now();
      const answer = await orNothing(refresh(url, tokens.refresh));
      if (answer === undefined) ledger.unansweredRefreshes.set(tokens.session, sentMs);
      else ledger.alive.set(tokens.session, tokensOf(answer));
    }),
    every(150, async (count) => {
      const email = `new-${round}-${count}@example.com`;
      const answer = await orNothing(post(`${url}/auth/register`, { email, password: goodPassword }));
      if (answer !== undefined) assert.equal(answer.status, 201, answer.text);
      if (answer !== undefined) ledger.registered.push(email);
    }),
  ];
  await delay(killAfterMs);
  const ended = service.end('SIGKILL');
  isOver = true;
  for (const timer of timers) clearInterval(timer);
  await ended;
  await Promise.all(inFlight);
};

/** Asks until somebody answers: the very first answer of the new process. */
const firstAnswer = async (url: string, token: string): Promise<{ answer: Answer; ms: number }> => {
  const start = performance.now();
  for (;;) {
    const answer = await orNothing(get(`${url}/api/protected`, token));
    if (answer !== undefined) return { answer, ms: performance.now() - start };
    if (performance.now() - start > 20_000) throw new Error('The service did not come back');
    await delay(1);
  }
};

const assertDatabaseIsWhole = (dataDir: string): void => {
  const rows = (sql: string) => rowsOf(dataDir, sql);
  assert.deepEqual(
    rows('pragma integrity_check').map((row) => row['integrity_check']),
    ['ok'],
  );
  assert.deepEqual(rows('pragma foreign_key_check'), []);
  const unusedTokens = 'select count(*) from refresh_token r where r.session_id = s.id and r.used_at is null';
  assert.deepEqual(rows(`select s.id from session s where s.ended_at is null and (${unusedTokens}) <> 1`), []);
  assert.deepEqual(
    rows(
      'select hash from refresh_token r where successor_hash is not null and not exists (select 1 from refresh_token n where n.hash = r.successor_hash)',
    ),
    [],
    'every successor named is there',
  );
  assert.deepEqual(
    rows(
      "select id from session s where ended_at is not null and not exists (select 1 from journal j where j.kind = 'session' and j.key = s.id)",
    ),
    [],
    'every ended session is in the journal',
  );
};

const inBatches = async <Item>(items: readonly Item[], act: (item: Item) => Promise<void>): Promise<void> => {
  for (let start = 0; start < items.length; start += 50) await Promise.all(items.slice(start, start + 50).map(act));
};

/** As the crash has left it, before anybody opens it again. */
const assertCopyIsWhole = (dataDir: string): void => {
  const copy = temporaryFolder();
  try {
    cpSync(dataDir, join(copy, 'data'), { recursive: true });
    assertDatabaseIsWhole(join(copy, 'data'));
  } finally {
    removeFolder(copy);
  }
};

/** A replay yields the successor for 10 s; one that comes later, because this machine is slow, is theft by rule. */
const graceMs = 10_000;

/** A refresh without an answer has happened or not: asked again in time, the same token yields its one successor. */
const repeatRefreshes = async (url: string, { alive, unansweredRefreshes }: Ledger): Promise<void> => {
  for (const [session, sentMs] of unansweredRefreshes) {
    const tokens = alive.get(session);
    if (tokens === undefined) continue;
    const isInTime = performance.now() - sentMs < graceMs / 2;
    const answer = await refresh(url, tokens.refresh);
    if (!isInTime && answer.body['code'] === 'refresh_reused') alive.delete(session);
    else alive.set(session, tokensOf(answer));
  }
  unansweredRefreshes.clear();
};

/** Sign-outs and registrations that were answered are remembered; what was not answered has happened whole or not at all. */
const assertNothingIsLost = async (url: string, ledger: Ledger): Promise<void> => {
  await repeatRefreshes(url, ledger);
  const lost: string[] = [];
  await inBatches(ledger.loggedOut, async ({ access, refresh: token, session }) => {
    const answer = await get(`${url}/api/protected`, access);
    if (answer.body['code'] !== 'token_revoked') lost.push(`${session}: ${answer.status} ${answer.text}`);
    else assertProblem(await refresh(url, token), 'session_ended');
  });
  assert.deepEqual(lost, [], 'sign-outs answered 200 and forgotten');

  // Either it happened or it did not: never half.
  await inBatches(ledger.unanswered.splice(0), async (tokens) => {
    const isRevoked = (await get(`${url}/api/protected`, tokens.access)).status === 401;
    const refreshed = await refresh(url, tokens.refresh);
    if (isRevoked) assertProblem(refreshed, 'session_ended');
    else ledger.alive.set(tokens.session, tokensOf(refreshed));
  });

  await inBatches([...ledger.alive.values()], async (tokens) => {
    assert.equal((await get(`${url}/auth/verify`, tokens.access)).status, 200);
    ledger.alive.set(tokens.session, tokensOf(await refresh(url, tokens.refresh)));
  });
  for (const email of ledger.registered.splice(0))
    tokensOf(await post(`${url}/auth/login`, { email, password: goodPassword }));
};

/** What a round has seen. */
export interface KillRound {
  readonly killedAfterMs: number;
  readonly signOutsAcknowledged: number;
  readonly registrationsAcknowledged: number;
  readonly sessionsAlive: number;
  /** From the start of the next process until it answered its first request. */
  readonly firstAnswerMs: number;
}

/** A service that is killed again and again, on one data folder. */
export interface KillDrill extends AsyncDisposable {
  /**
   * Runs one round.
   * @param chance in [0, 1): when the kill comes
   * @throws AssertionError that names what was answered and did not hold
   */
  round(chance: number): Promise<KillRound>;
}

/** Starts the service. */
export const startKillDrill = async (): Promise<KillDrill> => {
  const dataDir = temporaryFolder();
  const settings: Settings = { PORT: await freePort(), LOGIN_CACHE_SECONDS: 3600, LOG_LEVEL: 'warn' };
  const ledger: Ledger = {
    loggedOut: [],
    unanswered: [],
    alive: new Map(),
    registered: [],
    unansweredRefreshes: new Map(),
  };
  let number = 0;
  let service: Service | undefined;
  const dispose = async (): Promise<void> => {
    await service?.end('SIGKILL');
    removeFolder(dataDir);
  };
  try {
    service = await startService(dataDir, settings);
    await importAccounts(service.url, dataDir, emails);
  } catch (error) {
    await dispose();
    throw error;
  }

  const round = async (chance: number): Promise<KillRound> => {
    const killed = service as Service;
    for (const tokens of await openSessions(killed.url, sessionsPerRound)) ledger.alive.set(tokens.session, tokens);
    const before = ledger.loggedOut.length;
    const killedAfterMs = killAfterMsMin + Math.floor(chance * killSpreadMs);
    await load(killed, ledger, killedAfterMs, ++number);
    const acknowledged = ledger.loggedOut.slice(before);
    assert.ok(acknowledged.length > 0, 'the round signed somebody out');
    assertCopyIsWhole(dataDir);

    const dead = acknowledged.at(-1)?.access ?? '';
    const [first, restarted] = await Promise.all([firstAnswer(killed.url, dead), startService(dataDir, settings)]);
    service = restarted;
    assertProblem(first.answer, 'token_revoked', 'the first request after the restart');
    const registrationsAcknowledged = ledger.registered.length;
    await assertNothingIsLost(restarted.url, ledger);
    assertDatabaseIsWhole(dataDir);
    return {
      killedAfterMs,
      signOutsAcknowledged: acknowledged.length,
      registrationsAcknowledged,
      sessionsAlive: ledger.alive.size,
      firstAnswerMs: first.ms,
    };
  };
  return { round, [Symbol.asyncDispose]: dispose };
};
