/**
 * A model of a strict guard: a process that is not one of ours, has a row among the members, and polls our workers. Explored exhaustively,
 * it shows that no interleaving lets the guard accept a token after the revoker has answered 200; with one rule broken it finds the shortest
 * interleaving that does.
 *
 * Time passes in ticks, as in the model of the workers' own protocol: a pause, a slow network and a frozen process are "nothing happens but
 * ticks". A worker's reads are taken as they are proven there: each is one statement that brings the entries and the rows of guards. Whether a
 * worker notices that the database was put back is that model's subject too; here it does.
 *
 * Not in the model: the rates of clocks (the wait of 1.2 leases is one more tick), windows of entries and pages of more than one entry, whose
 * faults all end in a page that lacks an entry, in a cursor that covers too much, or in a lease that a page should not grant.
 * @module
 */
import { type Exploration, exploreAll, type Step as NamedStep } from './exploration.ts';
import type { GuardRules, GuardWorld } from './guard-rules.ts';
import {
  encode,
  type Guard,
  initialState,
  missing,
  type Page,
  type Poll,
  restartedGuard,
  type State,
  type Worker,
  withGuard,
} from './guard-state.ts';
import { workerSteps } from './guard-workers.ts';
import { set, waitFor } from './steps.ts';

type Step = NamedStep<State>;

const agedPoll = (poll: Poll, longest: number): Poll => ({
  ...poll,
  age: poll.worker === -1 ? Math.min(longest, poll.age + 1) : poll.age,
  page: poll.page === null ? null : { ...poll.page, lease: Math.max(0, poll.page.lease - 1) },
});

const tick = (state: State, rules: GuardRules, longest: number): Step => {
  const { guard, fork, workers } = state;
  const older = (age: number): number => Math.min(longest, age + 1);
  const isPageFrozen = !rules.leaseFromSend && guard.poll !== null && guard.poll.page !== null;
  return {
    name: 'a tick passes',
    next: {
      ...state,
      markAge: Math.min(longest + 1, state.markAge + 1),
      waited: Math.min(longest + 1, state.waited + 1),
      workers: workers.map((worker) => ({
        ...worker,
        age: older(worker.age),
        read: worker.read === null ? null : { ...worker.read, age: older(worker.read.age) },
      })),
      guard: {
        ...guard,
        lease: Math.max(0, guard.lease - 1),
        poll: guard.poll === null || isPageFrozen ? guard.poll : agedPoll(guard.poll, longest),
      },
      fork: fork === undefined ? undefined : { ...fork, lease: Math.max(0, fork.lease - 1) },
    },
  };
};

const rowSteps = (state: State, rules: GuardRules, shortest: number): readonly Step[] => {
  const { rows, lengths, markAge } = state;
  const steps: Step[] = [];
  const change = (name: string, id: number, row: 'leaving' | 'gone' | 'none'): Step => ({
    name: `${name} ${id}`,
    next: { ...state, rows: set(rows, id, row), ...(row === 'leaving' ? { markAge: 0 } : {}) },
  });
  const leaving = rows.indexOf('leaving');
  if (leaving === -1) {
    // Anyone may believe that a silent guard is gone; it may as well be alive.
    for (const [id, row] of rows.entries())
      if (row === 'live') steps.push(change('a worker marks the guard', id, 'leaving'));
  } else {
    const length = rules.deletesByRow ? (lengths[leaving] ?? 0) : shortest;
    if (!rules.waitsBeforeDeleting || markAge >= waitFor(length, rules.deletesLateEnough))
      steps.push(change('a worker deletes the guard', leaving, 'gone'));
    // The process that waited died: another one starts again, with a full wait.
    if (markAge > 0) steps.push(change('a worker marks once more the guard', leaving, 'leaving'));
  }
  for (const [id, row] of rows.entries()) {
    if (!rules.startKeepsRows && (row === 'live' || row === 'leaving'))
      steps.push(change('a start of the service removes the guard', id, 'gone'));
    if (!rules.registrationIsDurable && row === 'live') steps.push(change('a failover loses the guard', id, 'none'));
  }
  return steps;
};

const register = (state: State, id: number, length: number, rules: GuardRules): State => {
  const { guard } = state;
  const isMarked = guard.id !== -1 && guard.id !== id;
  const shown = (worker: Worker): Worker =>
    rules.registrationIsNoRead || worker.history === -1 ? worker : { ...worker, shown: set(worker.shown, id, true) };
  return {
    ...state,
    rows: set(state.rows, id, 'live'),
    lengths: set(state.lengths, id, length),
    workers: state.workers.map(shown),
    guard: { ...guard, id, former: isMarked ? guard.id : guard.former, isConfirmed: false },
  };
};

/** Steps of a guard that takes a page. */
const receive = (state: State, page: Page, rules: GuardRules, world: GuardWorld): readonly Step[] => {
  const { guard } = state;
  if (page.history !== guard.cursor && guard.cursor !== -1 && rules.startsOver) {
    const over = { ...restartedGuard(rules.newIdInNewHistory ? -1 : guard.id), clock: guard.clock };
    if (!rules.newIdInNewHistory)
      return [{ name: 'the guard starts over under its id', next: { ...state, guard: over } }];
    // It accepts nothing from here on, so its row may go at once.
    const left = { ...state, rows: set(state.rows, guard.id, 'gone') };
    return [
      { name: 'the guard leaves its id and starts over', next: { ...left, guard: over } },
      { name: 'the guard starts over, and its row stays', next: { ...state, guard: over } },
    ];
  }
  const isRenewing = guard.clock === 'right' || !rules.wrongClockGrantsNothing;
  const applied = page.holds && guard.entry === 'absent' ? 'held' : guard.entry;
  const taken: Partial<Guard> = {
    poll: null,
    entry: applied,
    cursor: guard.cursor === -1 ? page.history : guard.cursor,
    covers: guard.covers || page.covers,
    lease: isRenewing ? Math.max(guard.lease, page.lease) : guard.lease,
    isConfirmed: guard.isConfirmed || (page.isLive && page.lease > 0),
  };
  const steps: Step[] = [];
  const take = (name: string, change: Partial<Guard>): void => {
    const next = withGuard(state, { ...taken, ...change });
    steps.push({ name: `the guard takes a page${name}`, next });
    const fresh = guard.id + 1;
    if (page.isLive || fresh >= world.ids) return;
    // Marked while alive: it keeps its view, its cursor and the lease that still runs.
    for (const length of world.leases)
      steps.push({
        name: `the guard takes a page${name} and registers anew as ${fresh}`,
        next: register(next, fresh, length, rules),
      });
  };
  take('', {});
  if (page.holds) {
    if (!rules.entriesBeforeCursor) take(', its cursor first', { entry: guard.entry, lease: guard.lease });
    if (!rules.unknownKeepsNothing) take(' whose entry it does not know', { entry: guard.entry });
  } else if (!rules.pagesRemoveNothing && guard.entry === 'held') take(' in place of its view', { entry: 'absent' });
  return steps;
};

const endingSteps = (state: State, rules: GuardRules): readonly Step[] => {
  const { guard } = state;
  const { id } = guard;
  const crashed = { ...restartedGuard(id), isAlive: false };
  const steps: Step[] = [{ name: 'the guard crashes', next: { ...state, guard: crashed } }];
  if (id === -1) return steps;
  const left = { ...state, rows: set(state.rows, id, 'gone') };
  if (guard.isStopped) {
    if (state.rows[id] !== 'gone') steps.push({ name: 'the guard leaves', next: left });
    return steps;
  }
  const poll = rules.nothingAfterStop ? null : guard.poll;
  steps.push({ name: 'the guard stops', next: withGuard(state, { isStopped: true, lease: 0, poll }) });
  if (!rules.stopsBeforeLeaving) steps.push({ name: 'the guard leaves and has not stopped', next: left });
  return steps;
};

const clockSteps = (state: State, rules: GuardRules): readonly Step[] => {
  const { guard } = state;
  const turn = (clock: Guard['clock']): Step => {
    const poll =
      guard.poll === null ? null : { ...guard.poll, page: guard.poll.page && { ...guard.poll.page, lease: 0 } };
    const ended = rules.clockStepEndsLease ? { lease: 0, poll } : {};
    return {
      name: clock === 'right' ? 'the clock of the guard is set right' : `the clock of the guard is ${clock}`,
      next: withGuard(state, { clock, ...ended }),
    };
  };
  const steps = guard.clock === 'right' ? [turn('behind'), turn('ahead')] : [turn('right')];
  if (state.revoker === 'answered' && !state.isOver)
    steps.push({ name: 'the token expires', next: { ...state, isOver: true } });
  const isForgotten =
    (state.isOver && guard.clock !== 'behind') || (!rules.stepForwardNotBelieved && guard.clock === 'ahead');
  if (isForgotten && guard.entry === 'held')
    steps.push({ name: 'the guard forgets the entry', next: withGuard(state, { entry: 'forgotten' }) });
  return steps;
};

const pollSteps = (state: State, rules: GuardRules, world: GuardWorld): readonly Step[] => {
  const { guard } = state;
  const { poll } = guard;
  const longest = Math.max(...world.leases);
  if (poll === null) {
    if (guard.id === -1 || guard.isStopped) return [];
    const { id, cursor, covers } = guard;
    return [
      {
        name: 'the guard sends a poll',
        next: withGuard(state, { poll: { id, cursor, covers, age: 0, worker: -1, page: null } }),
      },
    ];
  }
  const steps: Step[] = [];
  if (poll.page !== null) {
    const late = rules.answerOfItsRequest ? -1 : poll.page.lease + poll.age;
    steps.push({ name: 'an answer is lost', next: withGuard(state, { poll: null, late: Math.min(longest, late) }) });
    if (!guard.isStopped) return [...steps, ...receive(state, poll.page, rules, world)];
    return [
      ...steps,
      { name: 'the stopped guard takes a page', next: withGuard(state, { poll: null, lease: poll.page.lease }) },
    ];
  }
  steps.push({ name: 'the guard gives its poll up', next: withGuard(state, { poll: null }) });
  if (poll.worker !== -1) return steps;
  for (const index of state.workers.keys())
    steps.push({
      name: `the poll reaches worker ${index}`,
      next: withGuard(state, { poll: { ...poll, worker: index } }),
    });
  if (guard.late >= 0)
    steps.push({
      name: 'the guard takes an answer to an earlier poll',
      next: withGuard(state, { poll: null, late: -1, lease: Math.max(guard.lease, guard.late - poll.age) }),
    });
  return steps;
};

const guardSteps = (state: State, rules: GuardRules, world: GuardWorld): readonly Step[] => {
  const { guard } = state;
  if (!guard.isAlive) {
    const started = { ...state, guard: restartedGuard(-1) };
    const fresh = guard.id + 1;
    const starts = world.leases.flatMap((length) => [
      ...(fresh < world.ids ? [register(started, fresh, length, rules)] : []),
      ...(rules.idsAreNew || guard.id === -1 ? [] : [register(started, guard.id, length, rules)]),
    ]);
    return starts.map((next) => ({ name: `the guard starts and registers as ${next.guard.id}`, next }));
  }
  const steps: Step[] = [...pollSteps(state, rules, world)];
  if (guard.id === -1) {
    const fresh = state.rows.indexOf('none');
    if (fresh >= 0)
      for (const length of world.leases)
        steps.push({
          name: `the guard registers as ${fresh} for ${length}`,
          next: register(state, fresh, length, rules),
        });
  }
  if (guard.former >= 0 && (guard.isConfirmed || !rules.formerRowStays))
    steps.push({
      name: `the guard removes its former row ${guard.former}`,
      next: withGuard({ ...state, rows: set(state.rows, guard.former, 'gone') }, { former: -1 }),
    });
  if (!rules.forkHasNoLease && state.fork === undefined)
    steps.push({
      name: 'the process of the guard is copied',
      next: { ...state, fork: { isHolding: guard.entry !== 'absent', lease: guard.lease } },
    });
  if (world.isGuardEnding === true) steps.push(...endingSteps(state, rules));
  if (world.isClockSet === true) steps.push(...clockSteps(state, rules));
  return steps;
};

const registered = ({ rows }: State): readonly boolean[] => rows.map((row) => row === 'live' || row === 'leaving');

const revokerSteps = (state: State, rules: GuardRules, shortest: number): readonly Step[] => {
  switch (state.revoker) {
    case 'idle':
      return [{ name: 'the entry is committed', next: { ...state, revoker: 'sent', committed: true, waited: 0 } }];
    case 'sent':
      return [
        {
          name: 'the commit is acknowledged, and the members are read',
          next: { ...state, revoker: 'waiting', hinted: true, waited: 0, awaited: registered(state) },
        },
      ];
    case 'waiting': {
      const lacking = missing(state);
      const longest = Math.max(0, ...lacking.map((id) => state.lengths[id] ?? 0));
      const isOver = state.waited >= waitFor(rules.waitsByRow ? longest : shortest, rules.waitIsLongEnough);
      return lacking.length === 0 || isOver
        ? [{ name: 'the revoker answers 200', next: { ...state, revoker: 'answered' } }]
        : [];
    }
    case 'answered':
      return [];
  }
};

const historySteps = (state: State): readonly Step[] =>
  (['live', 'leaving', 'gone'] as const).map((row) => ({
    name: `the database is put back, and the row of the guard is ${row}`,
    next: { ...state, history: 1, rows: set(state.rows, 0, row) },
  }));

/** What must never be: the answer is out, and the guard or a copy of it would accept the token, which has not expired by its clock. */
const isViolation = ({ revoker, guard, isOver, fork }: State): boolean => {
  if (revoker !== 'answered') return false;
  if (fork !== undefined && fork.lease > 0 && !fork.isHolding && !isOver) return true;
  return guard.isAlive && guard.lease > 0 && guard.entry !== 'held' && (!isOver || guard.clock === 'behind');
};

/** Explores every interleaving, breadth first, so a violation found is a shortest one. Gives up beyond `statesMax` states. */
export const exploreGuard = (rules: GuardRules, world: GuardWorld, statesMax = 8_000_000): Exploration => {
  const longest = Math.max(...world.leases);
  const shortest = Math.min(...world.leases);
  return exploreAll(
    {
      initial: initialState(world),
      encode: (state) => encode(state, rules, longest),
      isViolation,
      stepsOf: (state) => {
        if (world.isPutBack === true && state.history === 0) return historySteps(state);
        return [
          tick(state, rules, longest),
          ...rowSteps(state, rules, shortest),
          ...state.workers.flatMap((_, index) => workerSteps(state, index, rules, world)),
          ...guardSteps(state, rules, world),
          ...revokerSteps(state, rules, shortest),
        ];
      },
    },
    statesMax,
  );
};
