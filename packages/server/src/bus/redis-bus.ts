/**
 * The bus over Redis pub/sub: between the processes of all machines. Redis stores nothing of it.
 *
 * Every member hears the channel of hints, and has an inbox of its own for acknowledgements. A message that is lost costs time, never truth
 * (docs/operating/revocation.md).
 * @module
 */
import { createHash, randomUUID } from 'node:crypto';
import type { MemberId } from '@catalytic/protocol/ids';
import type { BusObserver, Hint, HintBus, HintListener, MessageKind } from '../features/revocation/hint-bus.ts';
import { within } from './deadline.ts';
import { MessageSeal } from './message-seal.ts';
import type { RedisConnection } from './redis-connection.ts';
import { RedisLink } from './redis-link.ts';
import type { RedisPlace } from './redis-place.ts';

/** What a bus works with. */
export interface RedisBusParts {
  readonly place: RedisPlace;
  /** 32 bytes that only processes of this deployment, in this history of its database, have. */
  readonly key: Buffer;
  readonly observer: BusObserver;
  readonly onProblem: (message: string, error?: unknown) => void;
}

/** What travels, sealed, as JSON. */
type Message =
  | readonly ['hint', from: string, announcement: string, entries: Hint['entries']]
  | readonly ['acknowledgement', announcement: string, members: readonly MemberId[]]
  /** From a process to itself: whether what it publishes reaches whoever has subscribed. */
  | readonly ['beat', number: number];

/** Longest time for the subscriptions to be confirmed, milliseconds. */
const subscribeMsMax = 500;
const beatEveryMs = 500;
/** A beat that takes longer means that Redis is frozen, cut off or overloaded, milliseconds. */
const beatMsMax = 300;

/** The channels of the deployment that has this key. Another key gives others, so deployments may share a Redis. */
const channelsOf = (key: Buffer): { readonly hints: string; readonly inbox: (process: string) => string } => {
  const name = `catalytic:${createHash('sha256').update('channel').update(key).digest('base64url').slice(0, 16)}`;
  return { hints: `${name}:hints`, inbox: (process) => `${name}:inbox:${process}` };
};

/** One process's end of the bus. */
export class RedisBus implements HintBus {
  readonly #parts: RedisBusParts;
  readonly #seal: MessageSeal;
  readonly #channels: ReturnType<typeof channelsOf>;
  readonly #link: RedisLink;
  /** Names this process on the bus. */
  readonly #id = randomUUID();
  #listener: HintListener | undefined;
  #members: () => readonly MemberId[] = () => [];
  #beat = { number: 0, sentMs: 0 };
  #beatTimer: NodeJS.Timeout | undefined;

  constructor(parts: RedisBusParts) {
    this.#parts = parts;
    this.#seal = new MessageSeal(parts.key);
    this.#channels = channelsOf(parts.key);
    this.#link = new RedisLink({
      place: parts.place,
      onProblem: parts.onProblem,
      prepare: (connection) => this.#subscribe(connection),
      onUp: () => {
        parts.observer.up(true);
        this.#sendBeat();
      },
      onDown: () => {
        clearTimeout(this.#beatTimer);
        parts.observer.up(false);
      },
    });
  }

  /** Whether hints travel at this moment. */
  get isUp(): boolean {
    return this.#link.connection !== undefined;
  }

  /** Begins to connect; does not wait for it, because nothing needs the bus. */
  start(): void {
    this.#link.start();
  }

  listen(listener: HintListener, members: () => readonly MemberId[]): void {
    this.#listener = listener;
    this.#members = members;
  }

  announce({ announcement, entries }: Hint): void {
    void this.#publish(this.#channels.hints, 'hint', ['hint', this.#id, announcement, entries]);
  }

  async close(): Promise<void> {
    await this.#link.close();
  }

  async #subscribe(connection: RedisConnection): Promise<void> {
    const hear = (sealed: string): void => this.#hear(sealed);
    const channels = [this.#channels.hints, this.#channels.inbox(this.#id)];
    await within(subscribeMsMax, 'Subscribing in Redis', connection.subscribe(channels, hear));
  }

  /** Sends, or drops what cannot be sent at once. Returns whether Redis has taken it. */
  async #publish(channel: string, kind: MessageKind, message: Message): Promise<boolean> {
    const { observer } = this.#parts;
    const connection = this.#link.connection;
    try {
      if (connection === undefined) throw new Error('Redis is away');
      const receivers = await connection.publish(channel, this.#seal.seal(JSON.stringify(message)));
      observer.message('sent', kind);
      return receivers > 0;
    } catch {
      // The link notices by itself what is wrong with the connection.
      observer.message('dropped', kind);
      return false;
    }
  }

  #hear(sealed: string): void {
    const text = this.#seal.open(sealed);
    if (text === undefined) {
      this.#parts.observer.message('refused', 'unknown');
      return;
    }
    const message = JSON.parse(text) as Message;
    switch (message[0]) {
      case 'hint':
        if (message[1] !== this.#id) this.#take(message[1], { announcement: message[2], entries: message[3] });
        return;
      case 'acknowledgement':
        this.#parts.observer.message('heard', 'acknowledgement');
        this.#listener?.onAcknowledgement({ announcement: message[1], members: message[2] });
        return;
      case 'beat':
        if (message[1] === this.#beat.number) this.#beatHeard();
    }
  }

  /** Applied first, acknowledged then. */
  #take(from: string, hint: Hint): void {
    this.#parts.observer.message('heard', 'hint');
    if (this.#listener?.onHint(hint) !== true) return;
    const message = ['acknowledgement', hint.announcement, this.#members()] as const;
    void this.#publish(this.#channels.inbox(from), 'acknowledgement', message).then((isSent) => {
      if (isSent) this.#listener?.onAcknowledged(hint);
    });
  }

  /** Answers come in the order of commands, so a beat that is heard says that everything before it has been taken as well. */
  #sendBeat(): void {
    const connection = this.#link.connection;
    if (connection === undefined) return;
    this.#beat = { number: this.#beat.number + 1, sentMs: performance.now() };
    const { number } = this.#beat;
    const sealed = this.#seal.seal(JSON.stringify(['beat', number] satisfies Message));
    connection.publish(this.#channels.inbox(this.#id), sealed).catch(() => {});
    // Once more round the event loop: a process that was starved itself may find the answer there.
    this.#beatTimer = setTimeout(() => setImmediate(() => this.#judgeBeat(number)), beatMsMax).unref();
  }

  #judgeBeat(number: number): void {
    if (number === this.#beat.number && this.isUp)
      this.#link.fail(new Error(`Redis took longer than ${beatMsMax} ms to pass a message on`));
  }

  #beatHeard(): void {
    clearTimeout(this.#beatTimer);
    this.#parts.observer.roundTrip(performance.now() - this.#beat.sentMs);
    // No beat is under way: one that is repeated says nothing.
    this.#beat = { number: this.#beat.number + 1, sentMs: 0 };
    this.#beatTimer = setTimeout(() => this.#sendBeat(), beatEveryMs).unref();
  }
}
