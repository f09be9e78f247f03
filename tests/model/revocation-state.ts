/**
 * A state of the model of the revocation protocol.
 * @module
 */
import type { Rules } from './revocation-rules.ts';

/** Members that the view may be, one after the other. */
export const incarnationsMax = 2;

export type RowState = 'none' | 'live' | 'leaving' | 'gone';

/** 0: as it began; 1: after it was put back. */
export type History = 0 | 1;

export interface Served {
  readonly shows: boolean;
  /** Whether the snapshot says that everything up to the entry has been seen. */
  readonly covers: boolean;
  readonly isLive: boolean;
  readonly history: History;
  readonly name: History;
  /** Whether the newest entry that the view had read stands where it stood. */
  readonly isContinued: boolean;
}

export interface Read {
  /** Ticks since it was sent, clipped at the lease. */
  readonly age: number;
  /** Member it asks about. */
  readonly member: number;
  /** Whether the entry had been heard when it was sent. */
  readonly isAfterHint: boolean;
  /** What the database answered, once it has. */
  readonly served: Served | null;
}

export interface State {
  // Database
  readonly committed: boolean;
  /** Member rows of the view's incarnations. */
  readonly rows: readonly RowState[];
  /** Lengths of leases that the rows say, ticks. */
  readonly lengths: readonly number[];
  /** Which incarnations have written that they applied the entry. */
  readonly applied: readonly boolean[];
  /** Ticks since the leaving mark of a row was acknowledged, clipped; only while a row is leaving. */
  readonly markAge: number;
  readonly history: History;
  /** Its name; the one from before it was put back is a part of what was put back. */
  readonly name: History;
  /** Whether entries were written back to where they stood in the history before. */
  readonly isWrittenBack: boolean;
  /** The token has expired on every right clock, and the entry has been kept for as long as it must be. */
  readonly isOver: boolean;
  // View
  readonly member: number;
  readonly isAlive: boolean;
  /** `heard`: not read yet. `forgotten`: its cursor is past the entry, which is not read again. */
  readonly entry: 'absent' | 'heard' | 'held' | 'forgotten';
  /** History in which its cursor was made; -1: it reads from the beginning. */
  readonly cursor: -1 | History;
  /** Name of the history that it has read; -1: none yet. */
  readonly known: -1 | History;
  readonly clock: 'right' | 'behind' | 'ahead';
  /** Length of its lease, ticks. */
  readonly length: number;
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

export const incarnations = Array.from({ length: incarnationsMax }, (_, index) => index);
const none = incarnations.map(() => false);

export const initial: State = {
  committed: false,
  rows: incarnations.map(() => 'none' as const),
  lengths: incarnations.map(() => 0),
  applied: none,
  markAge: 0,
  history: 0,
  name: 0,
  isWrittenBack: false,
  isOver: false,
  member: -1,
  isAlive: false,
  entry: 'absent',
  cursor: -1,
  known: -1,
  clock: 'right',
  length: 0,
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

/** A view that has read the database, and that the database has left for longer than its lease. */
export const settled: Partial<State> = {
  ...{ member: 0, isAlive: true, cursor: 0, known: 0, isConfirmed: true, length: 2 },
  lengths: incarnations.map((index) => (index === 0 ? 2 : 0)),
};

export const has = ({ entry }: State): boolean => entry === 'heard' || entry === 'held';

/** Incarnations that the revoker still waits for. */
export const missing = (state: State): readonly number[] =>
  incarnations.filter(
    (index) => state.awaited[index] && !state.acked[index] && !state.applied[index] && state.rows[index] !== 'gone',
  );

const encodeRead = ({ read, entry }: State, rules: Rules): string => {
  if (read === null) return '';
  const { age, served } = read;
  const isAfterHint = entry === 'heard' && read.isAfterHint;
  if (served === null) return `${age}${isAfterHint}`;
  const { shows, covers, isLive, history, name, isContinued } = served;
  return `${isLive || !rules.onlyMembersRenew ? age : ''}${isAfterHint}${shows}${covers}${isLive}${history}${name}${isContinued}`;
};

/** Which members the revoker still waits for, or will when it has read them; nothing more can come of it once it has answered. */
const encodeWait = (state: State, rules: Rules): string => {
  const { revoker, waited, awaited, acked, applied } = state;
  if (revoker === 'answered') return revoker;
  const isCounting = revoker === 'waiting' || revoker === 'replied' || (revoker === 'sent' && !rules.waitFromReply);
  const lacking = revoker === 'waiting' ? missing(state) : incarnations.map((id) => acked[id] || applied[id]);
  return `${revoker}${isCounting ? waited : ''}${lacking}${revoker === 'waiting' ? '' : awaited}`;
};

/** Leaves out what can change nothing any more, so that states which differ in nothing else are one. */
export const encode = (state: State, rules: Rules): string => {
  const { committed, rows, lengths, markAge, history, name, cursor, isOver, former } = state;
  const { member, isAlive, entry, known, clock, length, isConfirmed, lease } = state;
  const isWrittenBack = cursor === 0 && state.isWrittenBack;
  const saidLengths = rows.map((row, id) => (row === 'live' || row === 'leaving' ? lengths[id] : ''));
  const database = `${committed}${rows}${saidLengths}${rows.includes('leaving') ? markAge : ''}${history}${name}${isWrittenBack}${isOver}`;
  const view = `${member}${isAlive}${entry}${cursor}${known}${clock}${length}${former}${former >= 0 && isConfirmed}${lease}`;
  return `${database} ${view} ${encodeRead(state, rules)} ${encodeWait(state, rules)}`;
};
