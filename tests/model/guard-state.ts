/**
 * A state of the model of a guard: a database, one or two workers, a guard that polls them, and a process that revokes one token.
 * @module
 */
import type { GuardRules, GuardWorld } from './guard-rules.ts';

export type RowState = 'none' | 'live' | 'leaving' | 'gone';

/** 0: as it began; 1: after it was put back. */
export type History = 0 | 1;

/** What a worker's read brought, once the database has answered. */
export interface Served {
  readonly shows: boolean;
  /** Rows of guards that are live. */
  readonly live: readonly boolean[];
  readonly history: History;
}

export interface Worker {
  /** `heard`: over the bus, in no read yet. */
  readonly entry: 'absent' | 'heard' | 'read';
  /** History of its last good read; -1: none yet. */
  readonly history: -1 | History;
  /** Ticks since its last good read was sent, clipped at its own lease: from there on it is not current. */
  readonly age: number;
  /** Rows of guards that this read showed live. */
  readonly shown: readonly boolean[];
  readonly read: { readonly age: number; readonly served: Served | null } | null;
}

/** What a worker answers to a poll. */
export interface Page {
  readonly holds: boolean;
  readonly covers: boolean;
  readonly history: History;
  /** Ticks left of the lease that it grants; 0: none. */
  readonly lease: number;
  readonly isLive: boolean;
}

/** A poll under way. */
export interface Poll {
  readonly id: number;
  /** History of the cursor that it asks with; -1: from the beginning. */
  readonly cursor: -1 | History;
  /** Whether that cursor covers the entry. */
  readonly covers: boolean;
  /** Ticks from its sending until it reached its worker, clipped at the longest lease. */
  readonly age: number;
  /** Worker that holds it; -1: still on its way. */
  readonly worker: number;
  readonly page: Page | null;
}

export interface Guard {
  readonly isAlive: boolean;
  /** It accepts nothing any more. */
  readonly isStopped: boolean;
  /** -1: none. */
  readonly id: number;
  /** Id that it had before it was marked, while that row may be there; -1: none. */
  readonly former: number;
  /** Whether a page has renewed the lease under its id. */
  readonly isConfirmed: boolean;
  /** `forgotten`: let go because the token has expired. */
  readonly entry: 'absent' | 'held' | 'forgotten';
  readonly cursor: -1 | History;
  readonly covers: boolean;
  /** Ticks left. */
  readonly lease: number;
  readonly clock: 'right' | 'behind' | 'ahead';
  readonly poll: Poll | null;
  /** Length of a lease that an answer to an earlier poll grants, which was given up and may still arrive; -1: there is none. */
  readonly late: number;
}

export interface State {
  readonly committed: boolean;
  readonly history: History;
  /** The token has expired on every right clock, and the entry has been kept for as long as it must be. */
  readonly isOver: boolean;
  readonly rows: readonly RowState[];
  /** Lengths of leases that the rows say, ticks. */
  readonly lengths: readonly number[];
  /** Ticks since the leaving mark of a row was acknowledged, clipped. */
  readonly markAge: number;
  /** Ids for which somebody has acknowledged the entry. */
  readonly acked: readonly boolean[];
  readonly workers: readonly Worker[];
  readonly guard: Guard;
  /** A copy of the guard's process; `undefined`: there is none. */
  readonly fork: { readonly isHolding: boolean; readonly lease: number } | undefined;
  readonly hinted: boolean;
  readonly revoker: 'idle' | 'sent' | 'waiting' | 'answered';
  /** Ticks since the commit was acknowledged, clipped. */
  readonly waited: number;
  /** Ids that the revoker found registered and waits for. */
  readonly awaited: readonly boolean[];
}

/** A state in which a worker has changed. */
export const withWorker = (state: State, index: number, change: Partial<Worker>): State => ({
  ...state,
  workers: state.workers.map((worker, at) => (at === index ? { ...worker, ...change } : worker)),
});

/** A state in which the guard has changed. */
export const withGuard = (state: State, change: Partial<Guard>): State => ({
  ...state,
  guard: { ...state.guard, ...change },
});

const newWorker = (ids: number, longest: number): Worker => ({
  entry: 'absent',
  history: -1,
  age: longest,
  shown: Array.from({ length: ids }, () => false),
  read: null,
});

/** A worker that has read nothing since it started. */
export const restartedWorker = ({ ids, leases }: GuardWorld): Worker => newWorker(ids, Math.max(...leases));

const newGuard: Guard = {
  ...{ isAlive: true, isStopped: false, id: -1, former: -1, isConfirmed: false },
  ...{ entry: 'absent', cursor: -1, covers: false, lease: 0, clock: 'right', poll: null, late: -1 },
};

/** A process of the guard that starts: it knows nothing of the one before. */
export const restartedGuard = (id: number): Guard => ({ ...newGuard, id });

/** Where an exploration begins. */
export const initialState = (world: GuardWorld): State => {
  const ids = Array.from({ length: world.ids }, (_, id) => id);
  const longest = Math.max(...world.leases);
  const isSettled = world.isPutBack === true;
  const worker = newWorker(world.ids, longest);
  return {
    ...{ committed: false, history: 0, isOver: false, markAge: 0, hinted: false, revoker: 'idle', waited: 0 },
    rows: ids.map((id) => (isSettled && id === 0 ? 'live' : 'none')),
    lengths: ids.map((id) => (isSettled && id === 0 ? longest : 0)),
    acked: ids.map(() => false),
    awaited: ids.map(() => false),
    workers: Array.from({ length: world.workers }, () => (isSettled ? { ...worker, history: 0 } : worker)),
    guard: isSettled ? { ...newGuard, id: 0, isConfirmed: true, cursor: 0 } : newGuard,
    fork: undefined,
  };
};

const rowDigits = { none: 0, live: 1, leaving: 2, gone: 3 } as const;
const entryDigits = { absent: 0, heard: 1, held: 2, read: 2, forgotten: 3 } as const;
const clockDigits = { right: 0, behind: 1, ahead: 2 } as const;
const revokerDigits = { idle: 0, sent: 1, waiting: 2, answered: 3 } as const;

/** A list of flags as one number. */
const bits = (flags: readonly boolean[]): number => flags.reduce((sum, flag, at) => (flag ? sum + 2 ** at : sum), 0);

const encodeWorker = ({ entry, history, age, shown, read }: Worker, longest: number): string => {
  // A worker that is not current grants nothing, so what its last read showed is of no more use.
  const known = `${entryDigits[entry]}${history + 1}${age}${age < longest ? bits(shown) : ''}`;
  if (read === null) return known;
  const { served } = read;
  return `${known}r${read.age}${served === null ? '' : `s${+served.shows}${bits(served.live)}${served.history}`}`;
};

const encodePoll = ({ id, cursor, covers, age, worker, page }: Poll): string =>
  page === null
    ? `p${id}${cursor + 1}${+covers}${age}${worker + 1}`
    : `a${id}${cursor + 1}${+covers}${+page.holds}${+page.covers}${page.history}${page.lease}${+page.isLive}`;

const encodeGuard = ({ isAlive, isStopped, ...guard }: Guard): string => {
  if (!isAlive) return `-${guard.id + 1}`;
  const { id, former, isConfirmed, entry, cursor, covers, lease, clock, poll, late } = guard;
  const identity = `${id + 1}${former + 1}${+(former >= 0 && isConfirmed)}${+isStopped}${clockDigits[clock]}${late + 1}`;
  return `${identity}${entryDigits[entry]}${cursor + 1}${+covers}${lease}${poll === null ? '' : encodePoll(poll)}`;
};

/** Ids that the revoker still waits for. */
export const missing = ({ awaited, acked, rows }: State): readonly number[] =>
  awaited.flatMap((is, id) => (is && !acked[id] && rows[id] !== 'gone' ? [id] : []));

const encodeRevoker = (state: State): string => {
  const { revoker, waited, acked } = state;
  if (revoker === 'answered') return '3';
  if (revoker === 'waiting') return `2${waited}.${missing(state)}`;
  return `${revokerDigits[revoker]}${bits(acked)}`;
};

/** Leaves out what can change nothing any more, so that states which differ in nothing else are one. */
export const encode = (state: State, rules: GuardRules, longest: number): string => {
  const { committed, history, isOver, rows, lengths, markAge, fork, guard } = state;
  const said = rows.map((row, id) =>
    row === 'live' || row === 'leaving' ? `${rowDigits[row]}${lengths[id]}` : rowDigits[row],
  );
  const database = `${bits([committed, history === 1, isOver, state.hinted])}${said.join('')}${rows.includes('leaving') ? markAge : ''}`;
  const workers = state.workers.map((worker) => encodeWorker(worker, longest));
  // Two workers are alike: which of them is called the first makes no difference unless a poll is with one of them.
  if (guard.poll === null || guard.poll.worker === -1 || guard.poll.page !== null) workers.sort();
  const copy = fork === undefined || rules.forkHasNoLease ? '' : `f${+fork.isHolding}${fork.lease}`;
  return `${database} ${workers.join('/')} ${encodeGuard(guard)} ${encodeRevoker(state)}${copy}`;
};
