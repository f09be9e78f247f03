/**
 * Trials of the lease: what renews it, and that it ends.
 * @module
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { HeldPoll } from './held-poll.ts';
import type { RuleName } from './rules.ts';
import { askMsMax, type Trial, type TrialCase, within } from './trial.ts';

/** How much longer than its hold a guard waits for an answer, milliseconds. */
const patienceMs = 500;
/** Time between an answer that is not taken and the next, milliseconds: a guard may ask at once. */
const paceMs = 20;
/** Longest time by which a poll is answered late, beyond its hold, milliseconds: before it is given up. */
const lateMs = 200;

/** Longest time between two polls after a failure, and slack for a busy machine, milliseconds. */
const [backoffMs, slackMs] = [250, 1000];

/** Answers nothing. */
const silent = (): void => {};

/** Lets the next counted poll be answered late, and nothing after it. @returns that poll, when it was answered */
const answerLateThenFreeze = async (trial: Trial): Promise<HeldPoll> => {
  const { service } = trial;
  const first = trial.counted();
  service.play(silent);
  // The poll that is held at this moment was sent before: without an answer the guard gives it up.
  const held = service.lastPoll;
  const poll = held?.isOpen === true && service.isCounted(held) ? held : await first;
  first.catch(() => {});
  await delay(Math.max(0, poll.arrivedMs + service.holdMs + lateMs - performance.now()));
  service.grant(poll, { lease_ms: trial.parts.leaseMs });
  return poll;
};

const countConnections = (polls: readonly HeldPoll[]): number =>
  new Set(polls.map(({ connection }) => connection)).size;

const freeze = async (trial: Trial): Promise<void> => {
  const { service, parts } = trial;
  const late = await answerLateThenFreeze(trial);
  const answeredMs = late.answeredMs ?? late.arrivedMs;
  const endMs = service.leaseEndMs;
  const lateEndMs = answeredMs + parts.leaseMs;
  const pollsBefore = service.polls.length;
  const asked = await trial.series(endMs, lateEndMs + 300);
  const early = asked.filter(({ sentMs }) => sentMs < lateEndMs);
  const expected = 'refused after the time of sending plus lease_ms';
  trial.expectNone('lease-counts-from-sending', early, `an answer came late: ${expected}`, endMs);
  const after = asked.filter(({ sentMs }) => sentMs >= lateEndMs);
  trial.expectNone('lease-ends', after, 'the service is silent: nothing is accepted after the last lease', lateEndMs);
  await judgeStaleAnswers(trial);
  await answerTooLate(trial, service.polls[pollsBefore]);
};

const judgeStaleAnswers = async (trial: Trial): Promise<void> => {
  const live = await trial.ask(trial.mint());
  const retryAfter = live.headers['retry-after'];
  const isSaid = live.status === 503 && retryAfter !== undefined;
  const expected = 'a live token while the guard is not current: 503 with Retry-After';
  trial.judge('unavailable-is-503', isSaid, expected, `${live.status}, Retry-After ${retryAfter ?? 'absent'}`);
  const { status } = await trial.ask(trial.mint({}, trial.parts.stranger));
  const unknown = 'a token of an unknown key while the guard is not current: 503';
  trial.judge('unknown-key-while-stale', status === 503, unknown, String(status));
};

/** Nobody asks meanwhile: a request may make a guard give up its poll. */
const fallSilent = async (trial: Trial): Promise<void> => {
  const { service } = trial;
  service.play(silent);
  await within(askMsMax, () => service.lastPoll?.isOpen === true);
  const { polls } = service;
  const before = polls.length;
  const msMax = service.holdMs + patienceMs + backoffMs + slackMs;
  const isRepeated = await within(msMax, () => polls.length > before);
  const again = `a poll without an answer is repeated ${patienceMs} ms after the end of its hold`;
  trial.judge('silence-given-up', isRepeated, again, `none within ${msMax} ms`);
  const isOther = polls.at(-1)?.connection !== polls[before - 1]?.connection;
  trial.judge('silence-given-up', isOther, `${again}, on another connection`, 'on the same one');
};

/** Answers a poll from whose sending on its whole lease has passed. */
const answerTooLate = async (trial: Trial, poll: HeldPoll | undefined): Promise<void> => {
  const { service, parts } = trial;
  const isPossible = poll !== undefined;
  if (isPossible) {
    await delay(Math.max(0, poll.arrivedMs + parts.leaseMs + 50 - performance.now()));
    poll.answer(200, service.pageFor(poll, { lease_ms: parts.leaseMs }));
  }
  const fromMs = performance.now();
  const asked = await trial.series(fromMs, fromMs + 300);
  const expected = 'an answer after its own lease, or after its poll was given up, grants nothing';
  trial.expectNone('late-answer-grants-nothing', asked, expected, fromMs);
};

const shorten = async (trial: Trial): Promise<void> => {
  const { service, parts } = trial;
  const next = trial.counted();
  service.play(silent);
  const long = service.lastPoll?.isOpen === true ? service.lastPoll : await next;
  next.catch(() => {});
  const short = trial.counted('poll after a page');
  service.grant(long, { lease_ms: parts.leaseMs });
  const second = await short;
  const after = trial.counted('poll after a page with a short lease');
  service.grant(second, { lease_ms: 1 });
  await after;
  await delay(50);
  const { status, isAccepted, sentMs } = await trial.ask(trial.mint());
  const isInTime = sentMs < service.leaseEndMs - parts.leaseMs / 4;
  const expected = `a page with lease_ms 1 after one with ${parts.leaseMs}: still accepted`;
  trial.judge('lease-only-lengthens', isAccepted || !isInTime, expected, String(status));
};

/** Answers every poll in a way that must not be taken, until the last granted lease is over. */
const answerBadly = async (
  trial: Trial,
  rule: RuleName,
  how: string,
  answer: (poll: HeldPoll, cursor: string) => void,
): Promise<void> => {
  const { service } = trial;
  const bad = service.cursorAt(1_000_000);
  const before = service.polls.length;
  service.play((poll) => {
    setTimeout(() => answer(poll, bad), paceMs);
  });
  await trial.expectLeaseToEnd(rule, how);
  const polls = service.polls.slice(before);
  const taken = polls.find(({ body }) => body.after === bad);
  trial.judge(rule, taken === undefined, `${how}: its cursor is not used`, 'a poll with the cursor of that page');
  const isRenewed = countConnections(polls) === polls.length || polls.length < 2;
  const seen = `${polls.length} polls over ${countConnections(polls)} connections`;
  const each = `${how}: the next poll opens another connection`;
  trial.judge('new-connection-after-failure', isRenewed, each, seen);
  service.play(silent);
};

const answerOthers = (trial: Trial): Promise<void> => {
  const { service, parts } = trial;
  let count = 0;
  return answerBadly(
    trial,
    'answer-of-another-request',
    'pages had the nonce or the id of another request',
    (poll, cursor) => {
      const other = count++ % 2 === 0 ? { nonce: 'another' } : { guard: 'another' };
      poll.answer(200, service.pageFor(poll, { cursor, lease_ms: parts.leaseMs, ...other }));
    },
  );
};

const answerUnknownKind = (trial: Trial): Promise<void> => {
  const { service, parts } = trial;
  const entries = [{ kind: 'device', key: 'one', keep_until: null }];
  return answerBadly(trial, 'unknown-kind-not-taken', 'pages had an entry of an unknown kind', (poll, cursor) =>
    poll.answer(200, service.pageFor(poll, { cursor, lease_ms: parts.leaseMs, entries })),
  );
};

const answerInPart = (trial: Trial): Promise<void> => {
  const { service, parts } = trial;
  return answerBadly(trial, 'truncated-page-not-taken', 'pages lacked their end', (poll, cursor) =>
    poll.truncate(service.pageFor(poll, { cursor, lease_ms: parts.leaseMs })),
  );
};

const wrongClock = async (trial: Trial): Promise<void> => {
  const { service } = trial;
  service.clockAheadMs = 600_000;
  service.play((poll) => service.grant(poll));
  await service.nextPoll('poll', askMsMax);
  await service.nextPoll('poll after a page with another clock', askMsMax);
  service.play(silent);
  await delay(50);
  const fromMs = performance.now();
  const asked = await trial.series(fromMs, fromMs + 200);
  const expected = '`now` is ten minutes ahead: nothing is accepted';
  trial.expectNone('wrong-clock-accepts-nothing', asked, expected, fromMs);
};

/** The trials. */
export const leaseTrials: readonly TrialCase[] = [
  {
    rules: [
      ...(['lease-ends', 'lease-counts-from-sending', 'late-answer-grants-nothing'] as const),
      ...(['unavailable-is-503', 'unknown-key-while-stale'] as const),
    ],
    run: freeze,
  },
  { rules: ['silence-given-up'], run: fallSilent },
  { rules: ['lease-only-lengthens'], run: shorten },
  { rules: ['answer-of-another-request', 'new-connection-after-failure'], run: answerOthers },
  { rules: ['unknown-kind-not-taken', 'new-connection-after-failure'], run: answerUnknownKind },
  { rules: ['truncated-page-not-taken', 'new-connection-after-failure'], run: answerInPart },
  { rules: ['wrong-clock-accepts-nothing'], run: wrongClock },
];
