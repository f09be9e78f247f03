/**
 * A model of the revocation protocol: one revoker, one other view, a database, a bus that loses, delays and repeats. Explored
 * exhaustively, it shows that no interleaving lets the view accept a token after the revoker has answered 200; with one rule broken it
 * finds the shortest interleaving that does.
 *
 * Time passes in ticks that any process may sleep through, so a pause, a slow network and a frozen process are all "nothing happens but
 * ticks". A lease lasts its own number of ticks from the moment its read was *sent*, a wait one more from the moment a reply came.
 * Clocks are clipped where a larger value can change nothing, so time is unbounded while states are finite. The view may crash and come
 * back `incarnationsMax` times, each time as a new member.
 *
 * A `World` says what may happen besides. Of a database that is put back to an earlier state the worst is assumed: entries that other
 * processes write back may stand where the view read the same ones, and what stands below them is hidden from a reader that goes on from there.
 *
 * Not in the model: mint races, clock drift, a failover that loses commits. They rest on argument and on tests against real stores.
 * @module
 */
import { type Exploration, exploreAll, type Step as NamedStep } from './exploration.ts';
import type { Rules, World } from './revocation-rules.ts';
import {
  encode,
  has,
  incarnations,
  incarnationsMax,
  initial,
  missing,
  type Read,
  type Served,
  type State,
  settled,
} from './revocation-state.ts';
import { set, waitFor } from './steps.ts';

type Step = NamedStep<State>;

const tick = (state: State, longest: number): Step => ({
  name: 'a tick passes',
  next: {
    ...state,
    lease: Math.max(0, state.lease - 1),
    waited: Math.min(longest + 1, state.waited + 1),
    markAge: Math.min(longest + 1, state.markAge + 1),
    read: state.read === null ? null : { ...state.read, age: Math.min(state.length, state.read.age + 1) },
  },
});

const databaseSteps = (state: State, rules: Rules, { leases: [shortest = 0] }: World): readonly Step[] => {
  const steps: Step[] = [];
  const leaving = state.rows.indexOf('leaving');
  if (leaving === -1) {
    // Anyone may believe that a silent member is gone; it may as well be alive.
    for (const index of incarnations)
      if (state.rows[index] === 'live')
        steps.push({
          name: `member ${index} is marked leaving`,
          next: { ...state, rows: set(state.rows, index, 'leaving'), markAge: 0 },
        });
  } else {
    const length = rules.evictsByRow ? (state.lengths[leaving] ?? 0) : shortest;
    const isDue = !rules.waitBeforeDelete || state.markAge >= waitFor(length, rules.waitIsLongEnough);
    if (isDue)
      steps.push({ name: `member ${leaving} is deleted`, next: { ...state, rows: set(state.rows, leaving, 'gone') } });
    // Whoever waited died: another one starts again, with a full wait.
    if (state.markAge > 0) steps.push({ name: `member ${leaving} is marked again`, next: { ...state, markAge: 0 } });
  }
  const { read } = state;
  if (read !== null && read.served === null && state.member >= 0) {
    const isLive =
      state.rows[read.member] === 'live' || (!rules.registerBeforeRead && state.rows[read.member] === 'none');
    const { committed, isOver, history, name, cursor } = state;
    const isWhole = cursor === -1 || cursor === history;
    const full = {
      shows: committed && isWhole && !isOver,
      covers: committed,
      isLive,
      history: cursor === -1 ? history : cursor,
      name,
      isContinued: isWhole || state.isWrittenBack,
    };
    steps.push({ name: 'the read is served', next: { ...state, read: { ...read, served: full } } });
    if (!rules.readsPrimary || !rules.readsWhole)
      steps.push({
        name: rules.readsPrimary ? 'a page of the read is served' : 'a replica serves the read',
        next: { ...state, read: { ...read, served: { ...full, shows: false, covers: false } } },
      });
  }
  return steps;
};

const historySteps = (state: State, rules: Rules): readonly Step[] => {
  if (state.history === 0)
    return (['live', 'leaving', 'gone'] as const).map((row) => ({
      name: `the database is put back, and the row of the view is ${row}`,
      next: { ...state, history: 1, rows: set(state.rows, state.member, row) },
    }));
  const steps: Step[] = [];
  if (state.name === 0) steps.push({ name: 'another process names the history', next: { ...state, name: 1 } });
  if (!state.isWrittenBack && (state.name === 1 || !rules.namedBeforeWriteBack))
    steps.push({ name: 'another process writes back what it holds', next: { ...state, isWrittenBack: true } });
  if (!rules.acknowledgedInItsHistory && state.rows[state.member] === 'live')
    steps.push({
      name: 'an acknowledgement from before arrives',
      next: { ...state, applied: set(state.applied, state.member, true) },
    });
  return steps;
};

const clockSteps = (state: State, rules: Rules): readonly Step[] => {
  const turn = (clock: State['clock']): Step => ({
    name: clock === 'right' ? 'the clock of the view is set right' : `the clock of the view is ${clock}`,
    next: {
      ...state,
      clock,
      ...(rules.clockStepEndsLease
        ? { lease: 0, read: state.read === null ? null : { ...state.read, age: state.length } }
        : {}),
    },
  });
  const steps = state.clock === 'right' ? [turn('behind'), turn('ahead')] : [turn('right')];
  if (state.revoker === 'answered' && !state.isOver)
    steps.push({ name: 'the token expires', next: { ...state, isOver: true } });
  const isForgotten =
    (state.isOver && state.clock !== 'behind') || (!rules.stepForwardNotBelieved && state.clock === 'ahead');
  if (isForgotten && has(state))
    steps.push({
      name: 'the view forgets the entry',
      next: { ...state, entry: state.entry === 'held' ? 'forgotten' : 'absent' },
    });
  return steps;
};

/** @param isSettled whether the read decides about what was heard */
const entryAfter = ({ entry }: State, { shows }: Served, isSettled: boolean): State['entry'] => {
  if (shows) return entry === 'forgotten' ? entry : 'held';
  return entry === 'heard' && isSettled ? 'absent' : entry;
};

/** Takes a read over. */
const receive = (state: State, served: Served, { age, isAfterHint }: Read, rules: Rules): readonly Step[] => {
  const done = { ...state, read: null };
  if (rules.startsOver && state.known !== -1 && state.known !== served.name) {
    const entry = state.entry === 'forgotten' ? 'absent' : state.entry;
    return [{ name: 'the view starts over', next: { ...done, lease: 0, cursor: -1, known: served.name, entry } }];
  }
  if (rules.positionChecked && !served.isContinued)
    return [{ name: 'the view names the history', next: { ...done, lease: 0, name: 1 } }];
  const isGood =
    (served.isLive || !rules.onlyMembersRenew) && (state.clock === 'right' || !rules.wrongClockRenewsNothing);
  const renewed = Math.max(state.lease, rules.leaseFromSend ? state.length - age : state.length);
  const next: State = {
    ...done,
    entry: entryAfter(state, served, isAfterHint || !rules.heardUntilLaterRead),
    cursor: state.cursor === -1 ? served.history : state.cursor,
    known: served.name,
    isConfirmed: state.isConfirmed || served.isLive,
    lease: isGood ? renewed : state.lease,
  };
  const name = served.shows ? 'the view applies the read' : 'the view takes the empty read';
  if (served.shows || !served.covers) return [{ name, next }];
  // Whoever believes that it has seen everything says so.
  const applied = set(state.applied, state.member, true);
  return [
    { name, next },
    { name: `${name} and writes that it has seen everything`, next: { ...next, applied } },
  ];
};

const crashed: Partial<State> = {
  ...{ isAlive: false, former: -1, isConfirmed: false, lease: 0, length: 0, read: null },
  ...{ entry: 'absent', cursor: -1, known: -1 },
};

const viewSteps = (state: State, rules: Rules, { leases }: World): readonly Step[] => {
  const { member } = state;
  if (!state.isAlive) {
    const fresh = member + 1;
    if (fresh >= incarnationsMax) return [];
    return leases.flatMap((length) => {
      const started = { ...state, isAlive: true, member: fresh, length };
      const registered = { rows: set(state.rows, fresh, 'live' as const), lengths: set(state.lengths, fresh, length) };
      return [
        {
          name: `the view starts as member ${fresh} with a lease of ${length} and registers`,
          next: { ...started, ...registered },
        },
        ...(rules.registerBeforeRead ? [] : [{ name: `the view starts as member ${fresh}`, next: started }]),
      ];
    });
  }
  const steps: Step[] = [{ name: 'the view crashes', next: { ...state, ...crashed } }];
  if (state.former >= 0 && (state.isConfirmed || !rules.formerRowStays))
    steps.push({
      name: `the view removes its former row ${state.former}`,
      next: { ...state, rows: set(state.rows, state.former, 'gone'), former: -1 },
    });
  if (state.rows[member] === 'none')
    steps.push({
      name: `the view registers as member ${member}`,
      next: { ...state, rows: set(state.rows, member, 'live'), lengths: set(state.lengths, member, state.length) },
    });
  if (state.read === null)
    steps.push({
      name: 'the view sends a read',
      next: { ...state, read: { age: 0, member, isAfterHint: state.entry === 'heard', served: null } },
    });
  else if (state.read.served !== null) {
    const { served } = state.read;
    const fresh = member + 1;
    for (const { name, next } of receive(state, served, state.read, rules)) {
      steps.push({ name, next });
      if (!served.isLive && state.rows[member] !== 'none' && fresh < incarnationsMax)
        // Marked while alive: a new member with the same view and the lease that still runs.
        steps.push({
          name: `${name} and registers anew as member ${fresh}`,
          next: {
            ...next,
            ...{ member: fresh, former: member, isConfirmed: false },
            ...{ rows: set(next.rows, fresh, 'live'), lengths: set(next.lengths, fresh, state.length) },
          },
        });
    }
  } else steps.push({ name: 'the read is given up', next: { ...state, read: null } });
  if (state.hinted) {
    if (!has(state)) {
      // A read that is under way was sent before.
      const read = state.read === null ? null : { ...state.read, isAfterHint: false };
      steps.push({ name: 'the view applies a hint', next: { ...state, read, entry: 'heard' } });
    }
    if ((has(state) || !rules.applyBeforeAck) && !state.acked[member])
      // Under every id of this process.
      steps.push({
        name: 'the view acknowledges',
        next: { ...state, acked: state.acked.map((is, id) => is || id === member || id === state.former) },
      });
  }
  // Any entry's hint may come at any time; this one brings nothing about the entry of the model.
  if (!rules.hintRenewsNothing)
    steps.push({ name: "another entry's hint renews the lease", next: { ...state, lease: state.length } });
  if (state.entry === 'held' && !state.applied[member] && state.rows[member] !== 'none')
    steps.push({
      name: 'the view writes what it applied',
      next: { ...state, applied: set(state.applied, member, true) },
    });
  return steps;
};

const registered = (state: State): readonly boolean[] => state.rows.map((row) => row === 'live' || row === 'leaving');

const revokerSteps = (state: State, rules: Rules, { leases: [shortest = 0] }: World): readonly Step[] => {
  switch (state.revoker) {
    case 'idle':
      return [
        {
          name: 'the revoker sends its commit',
          next: {
            ...state,
            revoker: 'sent',
            waited: 0,
            awaited: rules.membersReadAfterCommit ? state.awaited : registered(state),
          },
        },
      ];
    case 'sent':
      if (!state.committed) return [{ name: 'the entry is committed', next: { ...state, committed: true } }];
      return [
        {
          name: 'the commit is acknowledged',
          next: { ...state, revoker: 'replied', hinted: true, waited: rules.waitFromReply ? 0 : state.waited },
        },
      ];
    case 'replied': {
      const awaited = rules.membersReadAfterCommit ? registered(state) : state.awaited;
      return [
        { name: 'the revoker reads the members', next: { ...state, revoker: 'waiting', awaited } },
        ...(rules.repeatWaits
          ? []
          : [{ name: 'the client repeats and gets 200 at once', next: { ...state, revoker: 'answered' as const } }]),
      ];
    }
    case 'waiting': {
      const lacking = missing(state);
      const longest = Math.max(0, ...lacking.map((index) => state.lengths[index] ?? 0));
      const isOver = state.waited >= waitFor(rules.waitsForLongest ? longest : shortest, rules.waitIsLongEnough);
      return lacking.length === 0 || isOver || !rules.answerAfterWait
        ? [{ name: 'the revoker answers 200', next: { ...state, revoker: 'answered' } }]
        : [];
    }
    case 'answered':
      return [];
  }
};

/** What must never be: the answer is out, and the view would accept the token, which has not expired by its clock. */
const isViolation = (state: State): boolean =>
  state.revoker === 'answered' &&
  state.isAlive &&
  state.lease > 0 &&
  !has(state) &&
  (!state.isOver || state.clock === 'behind');

/** Explores every interleaving, breadth first, so a violation found is a shortest one. Gives up beyond `statesMax` states. */
export const explore = (rules: Rules, world: World, statesMax = 2_000_000): Exploration =>
  exploreAll(
    {
      initial: world.isPutBack === true ? { ...initial, ...settled } : initial,
      encode: (state) => encode(state, rules),
      isViolation,
      stepsOf: (state) => {
        if (world.isPutBack === true && state.history === 0) return historySteps(state, rules);
        return [
          tick(state, Math.max(...world.leases)),
          ...databaseSteps(state, rules, world),
          ...(world.isPutBack === true ? historySteps(state, rules) : []),
          ...(world.isClockSet === true ? clockSteps(state, rules) : []),
          ...viewSteps(state, rules, world),
          ...revokerSteps(state, rules, world),
        ];
      },
    },
    statesMax,
  );
