/**
 * Trials of token checking and of the forms of answers.
 * @module
 */
import { entryKinds } from '@catalytic/protocol/guards';
import type { HeldPoll } from './held-poll.ts';
import type { SeenRegistration } from './played-service.ts';
import { tokenCases } from './token-cases.ts';
import type { Trial, TrialCase } from './trial.ts';

const outcome = (isAccepted: boolean): string => (isAccepted ? 'accepted' : 'refused');

const checkTokens = async (trial: Trial): Promise<void> => {
  const { issuer, audience, stranger } = trial.parts;
  for (const { name, verdict, make } of tokenCases) {
    const nowSeconds = Math.floor(Date.now() / 1000);
    const token = make({ issuer, audience, nowSeconds, pair: trial.pair, stranger });
    const { status, isAccepted } = await trial.askWhileCurrent(token);
    const isKept = verdict === 'accepted' ? isAccepted : status === 401;
    const expected = verdict === 'accepted' ? 'accepted' : `401 ${verdict}`;
    trial.judge('token-checked', isKept, `token "${name}": ${expected}`, `${outcome(isAccepted)} with ${status}`);
  }
};

const checkChallenge = async (trial: Trial): Promise<void> => {
  const without = await trial.ask();
  const challenge = without.headers['www-authenticate'] ?? '';
  const isBare = without.status === 401 && /^bearer\b/i.test(challenge) && !/\berror=/.test(challenge);
  const bare = 'without a token: 401 with a challenge of Bearer that has no error';
  trial.judge('challenge', isBare, bare, `${without.status}, challenge "${challenge}"`);
  const refused = await trial.ask('token');
  const told = refused.headers['www-authenticate'] ?? '';
  const isTold = refused.status === 401 && /^bearer\b.*\berror="invalid_token"/i.test(told);
  const expected = 'with a malformed token: 401 with error="invalid_token" in the challenge';
  trial.judge('challenge', isTold, expected, `${refused.status}, challenge "${told}"`);
};

const isWhole = (value: unknown, most: number): boolean =>
  Number.isSafeInteger(value) && Number(value) >= 0 && Number(value) <= most;
const hasEveryKind = (kinds: unknown): boolean =>
  Array.isArray(kinds) && entryKinds.every((kind) => kinds.includes(kind));
const isText = (value: unknown, most: number): boolean =>
  typeof value === 'string' && value !== '' && value.length <= most;
const hasOnly = (body: object, names: readonly string[]): boolean =>
  Object.keys(body).every((name) => names.includes(name));

/** What is wrong with the form of a poll. */
const faultOfPoll = ({ body, headers }: HeldPoll): string | undefined => {
  const { nonce, wait_ms: waitMs, kinds } = body;
  if (!headers['content-type']?.startsWith('application/json')) return 'a poll that is no application/json';
  if (!isText(nonce, 64)) return 'a poll whose nonce is no text of 1 to 64 characters';
  if (!isWhole(waitMs, 60_000)) return 'a poll whose wait_ms is no whole number from 0 to 60000';
  if (!hasEveryKind(kinds)) return `a poll whose kinds lack one of ${entryKinds.join(', ')}`;
  if (!hasOnly(body, ['after', 'guard', 'nonce', 'wait_ms', 'kinds'])) return 'a poll with a further member';
  return undefined;
};

const faultOfRegistration = ({ body }: SeenRegistration, expected: string): string | undefined => {
  const { audience, name, kinds } = body;
  if (audience !== expected) return 'a registration for another audience';
  if (!isText(name, 100) || !/^[ -~]+$/.test(String(name)))
    return 'a registration whose name is no printable ASCII of 1 to 100 characters';
  if (!hasEveryKind(kinds)) return `a registration whose kinds lack one of ${entryKinds.join(', ')}`;
  if (!hasOnly(body, ['audience', 'name', 'kinds'])) return 'a registration with a further member';
  return undefined;
};

const checkRequests = (trial: Trial): Promise<void> => {
  const { polls, registrations } = trial.service;
  const nonces = polls.map(({ body }) => body.nonce);
  const faults = [
    ...polls.map(faultOfPoll),
    ...registrations.map((registration) => faultOfRegistration(registration, trial.parts.audience)),
    new Set(nonces).size < nonces.length ? 'a nonce that was used before' : undefined,
  ].filter((fault) => fault !== undefined);
  const expected = 'requests as the page of the protocol describes them';
  trial.judge('request-form', faults.length === 0, expected, faults[0] ?? 'none');
  return Promise.resolve();
};

/** The trials at the beginning. */
export const tokenTrials: readonly TrialCase[] = [
  { rules: ['token-checked'], run: checkTokens },
  { rules: ['challenge'], run: checkChallenge },
];

/** The trial of all requests that were sent so far. */
export const requestTrial: TrialCase = { rules: ['request-form'], run: checkRequests };
