/**
 * Steps of the workers in the model of a guard: their reads, and what they answer to a poll.
 * @module
 */
import type { Step as NamedStep } from './exploration.ts';
import type { GuardRules, GuardWorld } from './guard-rules.ts';
import {
  type Page,
  type Poll,
  restartedWorker,
  type State,
  type Worker,
  withGuard,
  withWorker,
} from './guard-state.ts';
import { set } from './steps.ts';

type Step = NamedStep<State>;

const readSteps = (state: State, index: number, rules: GuardRules): readonly Step[] => {
  const worker = state.workers[index] as Worker;
  const { committed, isOver, rows, history } = state;
  const live = rows.map((row) => row === 'live');
  const of = (name: string, change: Partial<Worker>): Step => ({
    name: `worker ${index} ${name}`,
    next: withWorker(state, index, change),
  });
  const { read } = worker;
  const steps: Step[] = [];
  if (!rules.rowComesWithEntries && worker.history !== -1)
    steps.push(of('reads the rows of guards alone', { shown: live }));
  if (read === null) return [...steps, of('sends a read', { read: { age: 0, served: null } })];
  if (read.served === null) {
    const served = { shows: committed && !isOver, live, history };
    return [...steps, of('is served', { read: { ...read, served } }), of('gives its read up', { read: null })];
  }
  const { shows, live: shown, history: found } = read.served;
  const isLetGo = worker.entry === 'heard' || (worker.history !== -1 && worker.history !== found);
  const entry = shows ? 'read' : isLetGo ? 'absent' : worker.entry;
  return [...steps, of('takes its read', { entry, history: found, age: read.age, shown, read: null })];
};

/** What a worker answers to a poll that it holds. */
const pageOf = (state: State, poll: Poll, rules: GuardRules, { leases }: GuardWorld): Page => {
  const worker = state.workers[poll.worker] as Worker;
  const longest = Math.max(...leases);
  const hasRead = worker.entry === 'read';
  const isLive = worker.shown[poll.id] === true || !rules.leaseNeedsRow;
  const length = rules.leaseOfRow ? (state.lengths[poll.id] ?? 0) : longest;
  const isCurrent = worker.age < longest;
  const lease = Math.max(0, length - (rules.ageIsTakenOff ? worker.age : 0) - (rules.leaseFromSend ? poll.age : 0));
  const isElsewhere = poll.cursor !== -1 && poll.cursor !== worker.history;
  const isRefused = isElsewhere && rules.startsOver;
  return {
    holds: hasRead && !poll.covers && !(isElsewhere && !rules.startsOver),
    covers: poll.covers || hasRead,
    history: worker.history as 0 | 1,
    lease: isLive && isCurrent && !isRefused ? lease : 0,
    isLive,
  };
};

/** What a worker may do next. */
export const workerSteps = (state: State, index: number, rules: GuardRules, world: GuardWorld): readonly Step[] => {
  const worker = state.workers[index] as Worker;
  const { poll } = state.guard;
  const steps: Step[] = [...readSteps(state, index, rules)];
  if (world.isWorkerRestarting === true && worker.history !== -1) {
    const lost = poll !== null && poll.worker === index ? withGuard(state, { poll: null }) : state;
    steps.push({ name: `worker ${index} starts anew`, next: withWorker(lost, index, restartedWorker(world)) });
  }
  if (state.hinted && worker.entry === 'absent')
    steps.push({ name: `worker ${index} hears of the entry`, next: withWorker(state, index, { entry: 'heard' }) });
  const acknowledge = (id: number, name: string): void => {
    if (!state.acked[id] && state.rows[id] !== 'none')
      steps.push({ name: `${name} for guard ${id}`, next: { ...state, acked: set(state.acked, id, true) } });
  };
  if (!rules.keyOwnsId && worker.entry === 'read')
    for (const id of state.rows.keys()) acknowledge(id, "a stranger's poll acknowledges");
  if (!rules.guardAcknowledges && worker.entry === 'read')
    for (const id of state.rows.keys()) acknowledge(id, `worker ${index} acknowledges what it has itself read`);
  if (poll === null || poll.worker !== index || poll.page !== null) return steps;
  const isOfItsHistory = poll.cursor === worker.history;
  const isCovered = poll.covers || (!rules.acknowledgedInItsHistory && poll.cursor === 0 && !isOfItsHistory);
  if (worker.entry === 'read' && isCovered && (isOfItsHistory || !rules.acknowledgedInItsHistory))
    acknowledge(poll.id, `worker ${index} passes on the acknowledgement`);
  if (!rules.acknowledgedWhenRead && worker.entry === 'heard')
    acknowledge(poll.id, `worker ${index} acknowledges an entry it has heard of`);
  // A worker that has read nothing has nothing to answer with.
  if (worker.history === -1) return steps;
  const page = pageOf(state, poll, rules, world);
  const answer = (name: string, given: Page): void => {
    steps.push({
      name: `worker ${index} answers ${name}`,
      next: withGuard(state, { poll: { ...poll, page: given } }),
    });
  };
  answer(page.lease > 0 ? 'and grants a lease' : 'without a lease', page);
  if (!page.holds) return steps;
  const part = { ...page, holds: false, covers: false, lease: 0 };
  answer('with a part', part);
  if (!rules.pageHoldsAll) answer('with entries from before its read', { ...page, holds: false });
  if (!rules.partGrantsNothing) answer('with a part that grants a lease', { ...part, lease: page.lease });
  if (!rules.cursorOfPage) answer('with a part and the cursor of the end', { ...part, covers: page.covers });
  return steps;
};
