/**
 * Port: the bus that carries hints and acknowledgements between members.
 *
 * It makes revocations faster and is never needed for correctness: the journal brings the same
 * entries a little later.
 * @module
 */
import type { MemberId } from '@catalytic/protocol/ids';
import type { JournalEntry } from '@catalytic/protocol/journal';

/** Entries that were just committed, under a name that acknowledgements refer to. */
export interface Hint {
  /** Unique. A position in a queue would not do, because it could be used again. */
  readonly announcement: string;
  readonly entries: readonly JournalEntry[];
}

/** Sent by a member that has applied the entries of an announcement. */
export interface Acknowledgement {
  readonly announcement: string;
  /** All ids of the process that acknowledges. */
  readonly members: readonly MemberId[];
}

/** Sends the acknowledgement of a hint for further members, to the process that announced it. */
export type AcknowledgeFor = (members: readonly MemberId[]) => void;

/** What a process does with messages of the bus. */
export interface HintListener {
  /**
   * Applies the entries.
   * @param acknowledgeFor acknowledges them later for members that this process speaks for
   * @returns whether they may be acknowledged for this process
   */
  onHint(hint: Hint, acknowledgeFor: AcknowledgeFor): boolean;
  /**
   * Called once the acknowledgement of this hint is known to be sent. Without this call, the reader
   * acknowledges in the journal.
   */
  onAcknowledged(hint: Hint): void;
  onAcknowledgement(acknowledgement: Acknowledgement): void;
}

/** The bus. */
export interface HintBus {
  /**
   * Sends a hint to every other member. No caller waits for it, and a hint that cannot be sent at
   * once is dropped.
   */
  announce(hint: Hint): void;
  /** @param members ids of this process at the moment it acknowledges */
  listen(listener: HintListener, members: () => readonly MemberId[]): void;
}

/**
 * What became of a message: `dropped` without room or connection, `refused` because no member of
 * this deployment has made it.
 */
export type BusDirection = 'sent' | 'heard' | 'dropped' | 'refused';
/** What a message carries; `unknown`: it was refused unread. */
export type BusMessageKind = 'hint' | 'acknowledgement' | 'unknown';

/**
 * Observes a bus. Called in the turn of the event, so each method must return at once and never
 * throw.
 */
export interface BusObserver {
  /** The connection was made, or was lost. */
  up(isUp: boolean): void;
  /** @param ms from the sending of a message until this process has received it, milliseconds */
  roundTrip(ms: number): void;
  message(direction: BusDirection, kind: BusMessageKind): void;
}
