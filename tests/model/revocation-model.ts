/**
 * A model of the revocation protocol: one revoker, one other view, a database, a bus that loses, delays and repeats. Explored
 * exhaustively, it shows that no interleaving lets the view accept a token after the revoker has answered 200; with one rule broken it
 * finds the shortest interleaving that does.
 *
 * Time passes in ticks that any process may sleep through, so a pause, a slow network and a frozen process are all "nothing happens but
 * ticks". A lease lasts {@link leaseTicks} from the moment its read was *sent*, a wait {@link waitTicks} from the moment a reply came.
 * Clocks are clipped where a larger value can change nothing, so time is unbounded while states are finite. The view may crash and come
 * back {@link incarnationsMax} times, each time as a new member.
 *
 * Not in the model: expiry, mint races, clock drift, database failover. They rest on argument and on tests against real stores.
 * @module
 */

/** Length of a lease, ticks. */
export const leaseTicks = 2;
/** Length of a full wait, ticks: more than a lease, whatever the clocks' rates. */
export const waitTicks = 3;
/** Members that the view may be, one after the other. */
export const incarnationsMax = 2;

/** The protocol's rules, each of which can be broken alone. */
export interface Rules {
  /** The revoker reads the members after its commit was acknowledged. */
  readonly membersReadAfterCommit: boolean;
  /** A view's first read counts only once its registration is in the database. */
  readonly registerBeforeRead: boolean;
  /** A lease counts from the moment the read was sent, not from its reply. */
  readonly leaseFromSend: boolean;
  /** A hint never renews a lease. */
  readonly hintRenewsNothing: boolean;
  /** Who was marked leaving is deleted only after a full wait. */
  readonly waitBeforeDelete: boolean;
  /** A wait is longer than a lease. */
  readonly waitIsLongEnough: boolean;
  /** A view applies the rows before it acknowledges them. */
  readonly applyBeforeAck: boolean;
  /** A read that did not find its member live renews no lease. */
  readonly onlyMembersRenew: boolean;
  /** A revoker that heard nothing answers 200 only after a full wait. */
  readonly answerAfterWait: boolean;
  /** The wait counts from the commit's reply, not from its sending. */
  readonly waitFromReply: boolean;
  /** Reads are served by the primary. */
  readonly readsPrimary: boolean;
  /** One read brings everything, not a page. */
  readonly readsWhole: boolean;
  /** A repeated revoke goes through a barrier of its own. */
  readonly repeatWaits: boolean;
  /** A marked process removes its former row only after a good read under its new id. */
  readonly formerRowStays: boolean;
}

/** The protocol as specified. */
export const soundRules: Rules = {
  membersReadAfterCommit: true,
  registerBeforeRead: true,
  leaseFromSend: true,
  hintRenewsNothing: true,
  waitBeforeDelete: true,
  waitIsLongEnough: true,
  applyBeforeAck: true,
  onlyMembersRenew: true,
  answerAfterWait: true,
  waitFromReply: true,
  readsPrimary: true,
  readsWhole: true,
  repeatWaits: true,
  formerRowStays: true,
};

type RowState = 'none' | 'live' | 'leaving' | 'gone';

interface Read {
  /** Ticks since it was sent, clipped at the lease. */
  readonly age: number;
  /** Member it asks about. */
  readonly member: number;
  /** What the database answered, once it has. */
  readonly served: { readonly hasEntry: boolean; readonly isLive: boolean } | null;
}

interface State {
  // Database
  readonly committed: boolean;
  /** Member rows of the view's incarnations. */
  readonly rows: readonly RowState[];
  /** Which incarnations have written that they applied the entry. */
  readonly applied: readonly boolean[];
  /** Ticks since the leaving mark of a row was acknowledged, clipped; only while a row is leaving. */
  readonly markAge: number;
  // View
  readonly member: number;
  readonly isAlive: boolean;
  readonly hasEntry: boolean;
  /** Id that the same process had before it was marked, while its row may be there; -1: none. */
  readonly former: number;
  /** Whether a good read was received under the current id. */
  readonly isConfirmed: boolean;
  /** Ticks left of the lease; 0: not current. */
  readonly lease: number;
  readonly read: Read | null;
  // Bus
  /** A hint may arrive from now on, any number of times. */
  readonly hinted: boolean;
  /** Acknowledgements under way or arrived, by incarnation. */
  readonly acked: readonly boolean[];
  // Revoker
  readonly revoker: 'idle' | 'sent' | 'replied' | 'waiting' | 'answered';
  /** Ticks since the wait started, clipped. */
  readonly waited: number;
  /** Incarnations the revoker found registered and waits for. */
  readonly awaited: readonly boolean[];
}

const incarnations = Array.from({ length: incarnationsMax }, (_, index) => index);
const none = incarnations.map(() => false);

const initial: State = {
  committed: false,
  rows: incarnations.map(() => 'none' as const),
  applied: none,
  markAge: 0,
  member: -1,
  isAlive: false,
  hasEntry: false,
  former: -1,
  isConfirmed: false,
  lease: 0,
  read: null,
  hinted: false,
  acked: none,
  revoker: 'idle',
  waited: 0,
  awaited: none,
};

/** A step with the name that a trace shows. */
export interface Step {
  readonly name: string;
  readonly next: State;
}

const set = <Value>(list: readonly Value[], index: number, value: Value): readonly Value[] =>
  list.map((old, at) => (at === index ? value : old));

const tick = (state: State): Step => ({
  name: 'a tick passes',
  next: {
    ...state,
    lease: Math.max(0, state.lease - 1),
    waited: Math.min(waitTicks, state.waited + 1),
    markAge: Math.min(waitTicks, state.markAge + 1),
    read: state.read === null ? null : { ...state.read, age: Math.min(leaseTicks, state.read.age + 1) },
  },
});

const databaseSteps = (state: State, rules: Rules): readonly Step[] => {
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
    const isDue = !rules.waitBeforeDelete || state.markAge >= (rules.waitIsLongEnough ? waitTicks : leaseTicks - 1);
    if (isDue)
      steps.push({ name: `member ${leaving} is deleted`, next: { ...state, rows: set(state.rows, leaving, 'gone') } });
    // Whoever waited died: another one starts again, with a full wait.
    if (state.markAge > 0) steps.push({ name: `member ${leaving} is marked again`, next: { ...state, markAge: 0 } });
  }
  const { read } = state;
  if (read !== null && read.served === null && state.member >= 0) {
    const isLive =
      state.rows[read.member] === 'live' || (!rules.registerBeforeRead && state.rows[read.member] === 'none');
    const full = { hasEntry: state.committed, isLive };
    steps.push({ name: 'the read is served', next: { ...state, read: { ...read, served: full } } });
    if (!rules.readsPrimary || !rules.readsWhole)
      steps.push({
        name: rules.readsPrimary ? 'a page of the read is served' : 'a replica serves the read',
        next: { ...state, read: { ...read, served: { hasEntry: false, isLive } } },
      });
  }
  return steps;
};

const receive = (state: State, read: Read, rules: Rules): Step => {
  const served = read.served ?? { hasEntry: false, isLive: false };
  const isGood = served.isLive || !rules.onlyMembersRenew;
  const lease = isGood ? Math.max(state.lease, rules.leaseFromSend ? leaseTicks - read.age : leaseTicks) : state.lease;
  return {
    name: served.hasEntry ? 'the view applies the read' : 'the view takes the empty read',
    next: {
      ...state,
      hasEntry: state.hasEntry || served.hasEntry,
      isConfirmed: state.isConfirmed || served.isLive,
      lease,
      read: null,
    },
  };
};

const viewSteps = (state: State, rules: Rules): readonly Step[] => {
  const { member } = state;
  if (!state.isAlive) {
    const fresh = member + 1;
    if (fresh >= incarnationsMax) return [];
    const started = { ...state, isAlive: true, member: fresh, read: null };
    return [
      {
        name: `the view starts as member ${fresh} and registers`,
        next: { ...started, rows: set(state.rows, fresh, 'live') },
      },
      ...(rules.registerBeforeRead ? [] : [{ name: `the view starts as member ${fresh}`, next: started }]),
    ];
  }
  const steps: Step[] = [
    {
      name: 'the view crashes',
      next: { ...state, isAlive: false, hasEntry: false, former: -1, isConfirmed: false, lease: 0, read: null },
    },
  ];
  if (state.former >= 0 && (state.isConfirmed || !rules.formerRowStays))
    steps.push({
      name: `the view removes its former row ${state.former}`,
      next: { ...state, rows: set(state.rows, state.former, 'gone'), former: -1 },
    });
  if (state.rows[member] === 'none')
    steps.push({
      name: `the view registers as member ${member}`,
      next: { ...state, rows: set(state.rows, member, 'live') },
    });
  if (state.read === null)
    steps.push({ name: 'the view sends a read', next: { ...state, read: { age: 0, member, served: null } } });
  else if (state.read.served !== null) {
    const { next, name } = receive(state, state.read, rules);
    steps.push({ name, next });
    const fresh = member + 1;
    if (!state.read.served.isLive && state.rows[member] !== 'none' && fresh < incarnationsMax)
      // Marked while alive: a new member with the same view and the lease that still runs.
      steps.push({
        name: `the view registers anew as member ${fresh}`,
        next: { ...next, member: fresh, former: member, isConfirmed: false, rows: set(state.rows, fresh, 'live') },
      });
  } else steps.push({ name: 'the read is given up', next: { ...state, read: null } });
  if (state.hinted) {
    if (!state.hasEntry) steps.push({ name: 'the view applies a hint', next: { ...state, hasEntry: true } });
    if ((state.hasEntry || !rules.applyBeforeAck) && !state.acked[member])
      // Under every id of this process.
      steps.push({
        name: 'the view acknowledges',
        next: { ...state, acked: state.acked.map((is, id) => is || id === member || id === state.former) },
      });
  }
  // Any entry's hint may come at any time; this one brings nothing about the entry of the model.
  if (!rules.hintRenewsNothing)
    steps.push({ name: "another entry's hint renews the lease", next: { ...state, lease: leaseTicks } });
  if (state.hasEntry && !state.applied[member] && state.rows[member] !== 'none')
    steps.push({
      name: 'the view writes what it applied',
      next: { ...state, applied: set(state.applied, member, true) },
    });
  return steps;
};

const registered = (state: State): readonly boolean[] => state.rows.map((row) => row === 'live' || row === 'leaving');

const isSettled = (state: State): boolean =>
  incarnations.every(
    (index) => !state.awaited[index] || state.acked[index] || state.applied[index] || state.rows[index] === 'gone',
  );

const revokerSteps = (state: State, rules: Rules): readonly Step[] => {
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
      const isOver = state.waited >= (rules.waitIsLongEnough ? waitTicks : leaseTicks - 1) || !rules.answerAfterWait;
      return isSettled(state) || isOver
        ? [{ name: 'the revoker answers 200', next: { ...state, revoker: 'answered' } }]
        : [];
    }
    case 'answered':
      return [];
  }
};

/** What must never be: the answer is out, and the view would accept the token. */
const isViolation = (state: State): boolean =>
  state.revoker === 'answered' && state.isAlive && state.lease > 0 && !state.hasEntry;

/** Result of an exploration. */
export interface Exploration {
  readonly states: number;
  /** Names of the steps of the shortest violation; `undefined` when there is none. */
  readonly violation: readonly string[] | undefined;
}

/**
 * Explores every interleaving, breadth first, so a violation found is a shortest one.
 * @throws when there are more than `statesMax` states: the model has grown beyond what was meant
 */
export const explore = (rules: Rules, statesMax = 5_000_000): Exploration => {
  const cameFrom = new Map<string, { readonly key: string; readonly name: string } | null>();
  let frontier: (readonly [string, State])[] = [[JSON.stringify(initial), initial]];
  cameFrom.set(JSON.stringify(initial), null);
  while (frontier.length > 0) {
    const following: (readonly [string, State])[] = [];
    for (const [key, state] of frontier) {
      if (isViolation(state)) return { states: cameFrom.size, violation: trace(cameFrom, key) };
      const steps = [
        tick(state),
        ...databaseSteps(state, rules),
        ...viewSteps(state, rules),
        ...revokerSteps(state, rules),
      ];
      for (const { name, next } of steps) {
        const nextKey = JSON.stringify(next);
        if (cameFrom.has(nextKey)) continue;
        cameFrom.set(nextKey, { key, name });
        following.push([nextKey, next]);
      }
    }
    if (cameFrom.size > statesMax) throw new Error(`More than ${statesMax} states: bound the model`);
    frontier = following;
  }
  return { states: cameFrom.size, violation: undefined };
};

const trace = (
  cameFrom: ReadonlyMap<string, { readonly key: string; readonly name: string } | null>,
  end: string,
): readonly string[] => {
  const names: string[] = [];
  for (let at = cameFrom.get(end); at !== null && at !== undefined; at = cameFrom.get(at.key)) names.push(at.name);
  return names.reverse();
};
