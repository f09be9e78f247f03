/**
 * Accounts with sessions, some of which are signed out before a moment and some after it: a backup or the move of a database may lose them.
 * @module
 */
import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { importAccounts } from './accounts.ts';
import { get, goodPassword, logOut, post, refresh, type Tokens, tokensOf } from './client.ts';
import { inParallel } from './in-parallel.ts';
import { operateUrlOf } from './operate-url.ts';
import type { Service } from './service.ts';

/** Sessions, by when they are signed out. */
export interface Crowd {
  /** For {@link signOutCrowd}, before the backup. */
  readonly first: readonly Session[];
  /** For {@link signOutCrowd}, after the backup. */
  readonly second: readonly Session[];
  /** Never signed out. */
  readonly kept: readonly Session[];
}

/** A session, and how it is ended. */
export interface Session {
  readonly email: string;
  /** The newest tokens: a refresh replaces them. */
  tokens: Tokens;
  /** `all`: every session of its account, by one request. */
  readonly by: 'session' | 'all';
}

/** Which sessions still live. */
export interface Fates {
  /** Sessions whose access token was accepted at least once. */
  readonly accepted: number;
  /** Sessions whose access token was refused at least once. */
  readonly refused: number;
  /** Sessions whose refresh token was traded. */
  readonly refreshed: number;
}

/** Longest wait for a hash lane, milliseconds: a busy machine has few. */
const laneMsMax = 60_000;

/** Signs an account of the tenant `lab` in, however busy the machine is. */
export const signInPatiently = async (url: string, email: string): Promise<Tokens> => {
  for (const deadlineMs = performance.now() + laneMsMax; ; await delay(200)) {
    const answer = await post(`${url}/auth/login`, { email, password: goodPassword, tenant: 'lab' });
    if (answer.status !== 503 || performance.now() > deadlineMs) return tokensOf(answer);
  }
};

/**
 * Makes accounts in the tenant `lab` and signs them in: three sessions each, and every fifth account two that are ended together.
 * @param accounts at least 5
 */
export const gatherCrowd = async (
  service: Pick<Service, 'url' | 'dataDir' | 'output'>,
  accounts: number,
): Promise<Crowd> => {
  const { url, dataDir } = service;
  const emails = Array.from({ length: accounts }, (_, index) => `crowd${index}@example.com`);
  await importAccounts(operateUrlOf(service), dataDir, emails);
  const sessions = async (email: string, by: Session['by'], count: number): Promise<readonly Session[]> => {
    const made: Session[] = [];
    while (made.length < count) made.push({ email, by, tokens: await signInPatiently(url, email) });
    return made;
  };
  const crowd: { [Part in keyof Crowd]: Session[] } = { first: [], second: [], kept: [] };
  await inParallel([...emails.entries()], async ([index, email]) => {
    if (index % 5 === 4) crowd[index % 2 === 0 ? 'first' : 'second'].push(...(await sessions(email, 'all', 2)));
    else
      for (const [place, session] of (await sessions(email, 'session', 3)).entries())
        crowd[(['first', 'second', 'kept'] as const)[place] ?? 'kept'].push(session);
  });
  return crowd;
};

/** The answers to sign-outs. */
export interface SignOuts {
  /** Milliseconds until each answer. */
  readonly timesMs: readonly number[];
  /** Those answered with 202, whose time is over. */
  readonly pending: number;
}

/** Signs sessions out, and waits for those that were answered with 202. @throws Error at any answer but 200 and 202 */
export const signOutCrowd = async (url: string, sessions: readonly Session[]): Promise<SignOuts> => {
  let [pending, withinMs] = [0, 0];
  const timesMs = await inParallel(sessions, async ({ tokens, by }) => {
    const beganMs = performance.now();
    const { status, text, body } = await (by === 'session'
      ? logOut(url, tokens.access)
      : post(`${url}/auth/logout-all`, undefined, tokens.access));
    if (status === 202) {
      pending++;
      withinMs = Math.max(withinMs, Number(body['complete_within_ms']));
    }
    // The other session of its account may have ended both.
    else if (status !== 200 && !(by === 'all' && status === 401))
      throw new Error(`A sign-out was answered with ${status}: ${text}`);
    return performance.now() - beganMs;
  });
  await delay(withinMs);
  return { timesMs, pending };
};

/** How often each access token is presented; the connections lead to different workers. */
const shownTimes = 3;

const isYes = (status: number, text: string): boolean => {
  if (status !== 200 && status !== 401) throw new Error(`Neither accepted nor refused: ${status} ${text}`);
  return status === 200;
};

/** Presents every access token. @throws Error at any answer but 200 and 401 */
const showAll = async (url: string, sessions: readonly Session[]): Promise<Pick<Fates, 'accepted' | 'refused'>> => {
  const [accepted, refused] = [new Set<Session>(), new Set<Session>()];
  for (let time = 0; time < shownTimes; time++)
    await inParallel(sessions, async (session) => {
      const { status, text } = await get(`${url}/auth/verify`, session.tokens.access);
      (isYes(status, text) ? accepted : refused).add(session);
    });
  return { accepted: accepted.size, refused: refused.size };
};

/** Presents every access token, then trades every refresh token. @throws Error at any answer but 200 and 401 */
export const judgeCrowd = async (url: string, sessions: readonly Session[]): Promise<Fates> => {
  const shown = await showAll(url, sessions);
  const traded = await inParallel(sessions, async (session) => {
    const { status, text, body } = await refresh(url, session.tokens.refresh);
    if (!isYes(status, text)) return false;
    session.tokens = {
      ...session.tokens,
      access: String(body['access_token']),
      refresh: String(body['refresh_token']),
    };
    return true;
  });
  return { ...shown, refreshed: traded.filter(Boolean).length };
};

/** Fails if a session lives by either token. */
export const assertAllDead = async (url: string, sessions: readonly Session[]): Promise<void> =>
  assert.deepEqual(await judgeCrowd(url, sessions), { accepted: 0, refused: sessions.length, refreshed: 0 });

/** Fails when an access token is accepted. The service may also be unable to judge it for a moment (503). */
export const assertNoneAccepted = async (url: string, sessions: readonly Session[]): Promise<void> => {
  for (let time = 0; time < shownTimes; time++)
    await inParallel(sessions, async ({ tokens }) => {
      const { status, text } = await get(`${url}/auth/verify`, tokens.access);
      assert.ok(status === 401 || status === 503, `${status} ${text}`);
    });
};

/** Fails unless every session lives, by both tokens. */
export const assertAllLive = async (url: string, sessions: readonly Session[]): Promise<void> =>
  assert.deepEqual(await judgeCrowd(url, sessions), {
    accepted: sessions.length,
    refused: 0,
    refreshed: sessions.length,
  });
