/**
 * Trials of registration, histories and tenants.
 * @module
 */
import { randomUUID } from 'node:crypto';
import type { PageEntry } from '@catalytic/protocol/guards';
import { askMsMax, settleMsMax, type Trial, type TrialCase, within } from './trial.ts';

/** Longest time until a former id is left, milliseconds. */
const leaveMsMax = 3000;
/** How long the first poll under a new id waits for its answer, milliseconds: time to leave too early. */
const renewalMs = 300;
/** Time between two pages of a load, milliseconds. */
const paceMs = 20;
/** Entries of the history that is loaded in many pages: more than there is time for. */
const entriesOfLoad = 2000;

/** The guard was marked, and cannot register for a while. */
const notLive = async (trial: Trial): Promise<void> => {
  const { service, parts } = trial;
  const former = service.lastPoll?.body.guard ?? '';
  const before = service.registrations.length;
  service.refusesRegistration = 503;
  service.live.delete(former);
  service.play(service.honest);
  const isAnew = await within(
    askMsMax,
    () => service.registrations.length > before || service.lastPoll?.body.guard !== former,
  );
  const anew = 'after 409 guard_not_live: another registration';
  trial.judge('not-live-keeps-lease', isAnew, anew, `none within ${askMsMax} ms`);
  const { isAccepted, status, sentMs } = await trial.ask(trial.mint());
  const isInTime = sentMs < service.leaseEndMs - parts.leaseMs / 4;
  const goesOn = 'after 409 guard_not_live: tokens are judged for the rest of the lease';
  trial.judge('not-live-keeps-lease', isAccepted || !isInTime, goesOn, String(status));
  await trial.expectLeaseToEnd('registered-before-accepting', 'and every page since was for no registered id');
  const counted = trial.counted('poll under a new id');
  service.play((poll) => {
    if (service.isCounted(poll)) setTimeout(() => service.grant(poll), renewalMs);
    else service.honest(poll);
  });
  service.refusesRegistration = undefined;
  const first = await counted;
  const keeps = 'the first poll under the new id has the cursor from before';
  trial.judge('not-live-keeps-lease', service.covers(first, service.entryCount), keeps, 'another, or none');
  const leftOf = (): number | undefined => service.left.find(({ id }) => id === former)?.atMs;
  await within(leaveMsMax, () => leftOf() !== undefined);
  const [leftMs, answeredMs = Number.POSITIVE_INFINITY] = [leftOf(), first.answeredMs];
  const seen = leftMs === undefined ? `it was not left within ${leaveMsMax} ms` : 'it was left before';
  const expected = 'DELETE of the former id after the first page under the new one';
  trial.judge('former-left-after-renewal', leftMs !== undefined && leftMs >= answeredMs, expected, seen);
};

const entriesWith = (session: string): readonly PageEntry[] =>
  Array.from({ length: entriesOfLoad }, (_, index) => ({
    ...{ kind: 'session' as const, key: index === 0 ? session : randomUUID(), keep_until: null },
  }));

/** Another history, whose load has many pages. */
const otherHistory = async (trial: Trial): Promise<void> => {
  const { service } = trial;
  const former = service.lastPoll?.body.guard;
  const formerEndMs = service.leaseEndMs;
  const claims = trial.claims();
  service.changeHistory(entriesWith(String(claims['sid'])));
  let given = 0;
  const first = service.nextPoll('poll after a page of another history', askMsMax);
  service.play((poll) => {
    const part = { more: true, lease_ms: 0, cursor: service.cursorAt(given + 1) };
    const { entries } = service.pageFor(poll);
    given += 1;
    setTimeout(() => poll.answer(200, service.pageFor(poll, { ...part, entries: entries.slice(0, 1) })), paceMs);
  });
  await first;
  const second = service.polls.length;
  const fromMs = performance.now();
  const asked = await trial.series(fromMs, Math.max(fromMs, formerEndMs) + 250);
  const soon = asked.filter(({ sentMs }) => sentMs < formerEndMs);
  trial.expectNone('other-history-starts-over', soon, 'nothing is accepted once a page had another history', fromMs);
  const later = asked.filter(({ sentMs }) => sentMs >= formerEndMs);
  trial.expectNone('part-grants-nothing', later, 'nothing is accepted while `more` is true', formerEndMs);
  await trial.settle();
  const { status } = await trial.askWhileCurrent(trial.mint(claims));
  const revoked = 'an entry of the first page of another history: refused';
  trial.judge('other-history-starts-over', status === 401, revoked, String(status));
  if (!trial.parts.isStrict) return;
  const isReused = service.polls.slice(second).some(({ body }) => body.guard === former);
  const anew = 'the former id is not used in another history';
  trial.judge('other-history-starts-over', !isReused, anew, 'a poll under the former id');
  const isLeft = await within(leaveMsMax, () => service.left.some(({ id }) => id === former));
  const left = 'the former id is left in another history';
  trial.judge('other-history-starts-over', isLeft, left, `no DELETE within ${leaveMsMax} ms`);
};

const keepTenant = async (trial: Trial): Promise<void> => {
  const { service } = trial;
  const move = async (tenant: string | null): Promise<void> => {
    service.tenant = tenant;
    trial.tenant = tenant ?? undefined;
    service.changeHistory();
    // The lease of the former history goes on until the guard has met the other one.
    const what = 'poll with a cursor of another history';
    const met = service.nextPoll(what, settleMsMax, (poll) => service.covers(poll, 0) && service.isCounted(poll));
    service.play(service.honest);
    await met;
    await trial.settle();
  };
  await move(randomUUID());
  const { status, isAccepted } = await trial.askWhileCurrent(trial.mint({ tid: randomUUID() }));
  const expected = 'pages name a tenant: the token of another one is refused (403)';
  trial.judge('tenant-kept', !isAccepted && status !== 0, expected, String(status));
  await move(null);
};

/** The trials. */
export const identityTrials: readonly TrialCase[] = [
  {
    rules: ['registered-before-accepting', 'not-live-keeps-lease', 'former-left-after-renewal'],
    isForStrict: true,
    run: notLive,
  },
  { rules: ['other-history-starts-over', 'part-grants-nothing'], run: otherHistory },
  { rules: ['tenant-kept'], run: keepTenant },
];
