/**
 * Port: the bus that carries hints and acknowledgements between members.
 *
 * It only hurries. Whatever it loses, delays, repeats or forgets, the journal brings as well, a little later.
 * @module
 */
import type { MemberId } from '@catalytic/protocol/ids';
import type { JournalEntry } from '@catalytic/protocol/journal';

/** Entries that were just committed, under a name that acknowledgements refer to. */
export interface Hint {
  /** Unique: a position in some queue could be used again. */
  readonly announcement: string;
  readonly entries: readonly JournalEntry[];
}

/** What a member says when it has applied the entries of an announcement. */
export interface Acknowledgement {
  readonly announcement: string;
  /** All ids of the process that says so. */
  readonly members: readonly MemberId[];
}

/** What a process does with what it hears. */
export interface HintListener {
  /** Applies the entries. Returns whether they may be acknowledged. */
  onHint(hint: Hint): boolean;
  /** The acknowledgement of this hint is known to have left this process; where nobody says so, the journal's reader speaks for it. */
  onAcknowledged(hint: Hint): void;
  onAcknowledgement(acknowledgement: Acknowledgement): void;
}

/** The bus. */
export interface HintBus {
  /** Tells every other member. Nothing waits for it, and what cannot be sent at once is dropped. */
  announce(hint: Hint): void;
  /** @param members ids of this process at the moment it acknowledges */
  listen(listener: HintListener, members: () => readonly MemberId[]): void;
}

/** What becomes of a message: `dropped` for want of room or of a connection, `refused` because it was not from one of us. */
export type BusDirection = 'sent' | 'heard' | 'dropped' | 'refused';
/** What a message carries; `unknown`: refused unread. */
export type BusMessageKind = 'hint' | 'acknowledgement' | 'unknown';

/** Who wants to know how a bus does. Told in the turn in which it happens, so it must return at once and never throw. */
export interface BusObserver {
  /** The connection is there, or has gone. */
  up(isUp: boolean): void;
  /** @param ms from a message's sending until this process has heard it, milliseconds */
  roundTrip(ms: number): void;
  message(direction: BusDirection, kind: BusMessageKind): void;
}
