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

/** What a message was; `unknown`: not from one of us, so nobody can say. */
export type MessageKind = 'hint' | 'acknowledgement' | 'unknown';

/** Told what a bus does, for the metrics. */
export interface BusObserver {
  /** The connection has come up or gone down. */
  up(isUp: boolean): void;
  /** From a message of this process to itself, by way of the bus, milliseconds. */
  roundTrip(ms: number): void;
  /** @param direction `dropped`: not sent, because the bus was down; `refused`: heard, and not from one of us */
  message(direction: 'sent' | 'heard' | 'dropped' | 'refused', kind: MessageKind): void;
}
