/**
 * Trials of what a guard does with the entries of pages.
 * @module
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { PageEntry } from '@catalytic/protocol/guards';
import { newSigningPair } from './signed-tokens.ts';
import { askMsMax, type Trial, type TrialCase } from './trial.ts';

/** Longest time between a page and the poll that acknowledges it, milliseconds: a busy machine is no fault. */
const acknowledgeMsMax = 1000;
/** Longest time until published keys are fetched, milliseconds. */
const keysMsMax = 5000;

const inAnHour = (): number => Date.now() + 3_600_000;

/**
 * Revokes something, and waits for the poll that acknowledges it.
 * @returns in the turn of the poll's arrival: how long it took, milliseconds
 */
const revoke = async (trial: Trial, entry: PageEntry): Promise<number> => {
  const { service } = trial;
  const count = service.revoke(entry);
  const revokedMs = performance.now();
  const poll = await service.nextPoll('poll that covers a revocation', askMsMax, (next) => service.covers(next, count));
  return poll.arrivedMs - revokedMs;
};

/** A token, and the entry that revokes it. */
const samples: readonly { readonly name: string; readonly make: (trial: Trial) => [string, PageEntry] }[] = [
  ...(['session', 'token'] as const).map((kind) => ({
    name: kind,
    make: (trial: Trial): [string, PageEntry] => {
      const claims = trial.claims();
      const key = String(claims[kind === 'session' ? 'sid' : 'jti']);
      return [trial.mint(claims), { kind, key, keep_until: inAnHour() }];
    },
  })),
  ...(['account', 'tenant'] as const).map((kind) => ({
    name: kind,
    make: (trial: Trial): [string, PageEntry] => {
      const claims = trial.claims();
      const key = String(claims[kind === 'account' ? 'sub' : 'tid']);
      return [trial.mint(claims), { kind, key, epoch: 2, keep_until: inAnHour() }];
    },
  })),
  {
    name: 'account whose sessions go on',
    make: (trial) => {
      const claims = trial.claims();
      const entry = { kind: 'account', key: String(claims['sub']), epoch: 2, keeps_sessions: true } as const;
      return [trial.mint(claims), { ...entry, keep_until: inAnHour() }];
    },
  },
  {
    name: 'key',
    make: (trial) => {
      const { doomed } = trial.parts;
      return [trial.mint({}, doomed), { kind: 'key', key: doomed.kid, keep_until: null }];
    },
  },
];

const revokeEachKind = async (trial: Trial): Promise<void> => {
  const tokens: string[] = [];
  for (const { name, make } of samples) {
    await trial.settle();
    const [token, entry] = make(trial);
    const before = await trial.askWhileCurrent(token);
    trial.judge('live-token-accepted', before.isAccepted, `a live token: accepted (${name})`, String(before.status));
    const tookMs = await revoke(trial, entry);
    const { status } = await trial.askWhileCurrent(token);
    const expected = `kind ${name}: 401 as soon as the poll that covers it has arrived`;
    trial.judge('revoked-once-acknowledged', status === 401, expected, String(status));
    const soon = `a poll that covers the page within ${acknowledgeMsMax} ms`;
    trial.judge('asked-again-at-once', tookMs <= acknowledgeMsMax, soon, `${Math.round(tookMs)} ms`);
    tokens.push(token);
  }
  const answers = await Promise.all(tokens.map((token) => trial.askWhileCurrent(token)));
  const revived = answers.findIndex(({ status }) => status !== 401);
  const seen = `the token of kind ${samples[revived]?.name} was answered ${answers[revived]?.status}`;
  trial.judge('pages-remove-nothing', revived === -1, 'every revoked token is refused after later pages', seen);
};

const lowerEpoch = async (trial: Trial): Promise<void> => {
  const claims = { ...trial.claims(), aep: 2 };
  const entry = { kind: 'account', key: String((claims as { sub?: unknown }).sub), keep_until: inAnHour() } as const;
  await revoke(trial, { ...entry, epoch: 3 });
  await revoke(trial, { ...entry, epoch: 2 });
  const { status } = await trial.askWhileCurrent(trial.mint(claims));
  trial.judge('epochs-never-fall', status === 401, 'epochs 3, then 2: a token of epoch 2 is refused', String(status));
};

/** Time after which a guard that forgets by the wall clock has forgotten, milliseconds. */
const sweepMs = 1600;

const keepLongEnough = async (trial: Trial): Promise<void> => {
  const claims = trial.claims();
  await revoke(trial, { kind: 'session', key: String(claims['sid']), keep_until: Date.now() + 100 });
  await delay(sweepMs);
  const { status } = await trial.askWhileCurrent(trial.mint(claims));
  const expected = `keep_until has passed, keep_ms has not: refused`;
  trial.judge('kept-long-enough', status === 401, expected, `${status} after ${sweepMs} ms`);
};

const untilStatus = async (trial: Trial, token: string, isIt: (status: number) => boolean): Promise<number> => {
  let status = 0;
  for (const deadline = performance.now() + keysMsMax; performance.now() < deadline; await delay(20)) {
    ({ status } = await trial.ask(token));
    if (isIt(status)) break;
  }
  return status;
};

const followKeys = async (trial: Trial): Promise<void> => {
  const { service, pair: former } = trial;
  const successor = newSigningPair('successor');
  service.publish([former, successor]);
  const added = await untilStatus(trial, trial.mint({}, successor), (status) => status === 200);
  const seconds = keysMsMax / 1000;
  const isFollowed = added >= 200 && added < 300;
  trial.judge('keys-followed', isFollowed, `a new key is accepted within ${seconds} s`, String(added));
  if (!isFollowed) {
    service.publish([former]);
    return;
  }
  trial.pair = successor;
  service.publish([successor]);
  const withdrawn = await untilStatus(trial, trial.mint({}, former), (status) => status === 401);
  trial.judge(
    'keys-followed',
    withdrawn === 401,
    `tokens of a withdrawn key are refused within ${seconds} s`,
    String(withdrawn),
  );
};

/** The trials. */
export const revocationTrials: readonly TrialCase[] = [
  {
    rules: ['live-token-accepted', 'revoked-once-acknowledged', 'asked-again-at-once', 'pages-remove-nothing'],
    run: revokeEachKind,
  },
  { rules: ['epochs-never-fall'], run: lowerEpoch },
  { rules: ['kept-long-enough'], run: keepLongEnough },
  { rules: ['keys-followed'], run: followKeys },
];
