/**
 * The bus over Redis pub/sub, between the processes of all machines. Redis stores nothing for it.
 *
 * Every process subscribes to the channel of hints and to its inbox for acknowledgements. A lost
 * message makes a sign-out slower, never wrong (docs/operating/revocation.md).
 * @module
 */
import { createHash, randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { MemberId } from '@catalytic/protocol/ids';
import type { BusMessageKind, BusObserver, Hint, HintBus, HintListener } from '../features/revocation/hint-bus.ts';
import { MessageSeal } from '../features/secrets/message-seal.ts';
import { within } from './deadline.ts';
import type { RedisConnection } from './redis-connection.ts';
import { RedisLink } from './redis-link.ts';
import type { RedisPlace } from './redis-place.ts';

/** Parts of a bus. */
export interface RedisBusParts {
  readonly place: RedisPlace;
  /** 32 bytes that only processes of this deployment, in this history of its database, have. */
  readonly key: Buffer;
  readonly observer: BusObserver;
  readonly onProblem: (message: string, error?: unknown) => void;
}

/** A message, as JSON; sealed while it travels. */
type Message =
  | readonly ['hint', from: string, announcement: string, entries: Hint['entries']]
  | readonly ['acknowledgement', announcement: string, members: readonly MemberId[]]
  /** From a process to itself: checks that published messages reach subscribers. */
  | readonly ['beat', number: number];

/** Longest time for the subscriptions to be confirmed, milliseconds. */
const subscribeMsMax = 500;
const beatEveryMs = 500;
/** A slower beat means that Redis is frozen, cut off or overloaded, milliseconds. */
const beatMsMax = 300;

/**
 * The channels of the deployment with this key. Other keys give other channels, so deployments may
 * share a Redis.
 */
const channelsOf = (key: Buffer): { readonly hints: string; readonly inbox: (process: string) => string } => {
  const name = `catalytic:${createHash('sha256').update('channel').update(key).digest('base64url').slice(0, 16)}`;
  return { hints: `${name}:hints`, inbox: (process) => `${name}:inbox:${process}` };
};

/** The end of the bus in one process. */
export class RedisBus implements HintBus {
  readonly #parts: RedisBusParts;
  readonly #seal: MessageSeal;
  readonly #channels: ReturnType<typeof channelsOf>;
  readonly #link: RedisLink;
  /** Identifies this process on the bus. */
  readonly #id = randomUUID();
  #listener: HintListener | undefined;
  #members: () => readonly MemberId[] = () => [];
  #beat = { number: 0, heard: (): void => {} };

  constructor(parts: RedisBusParts) {
    this.#parts = parts;
    this.#seal = new MessageSeal(parts.key);
    this.#channels = channelsOf(parts.key);
    this.#link = new RedisLink({
      place: parts.place,
      onProblem: parts.onProblem,
      prepare: async (connection) => {
        await this.#subscribe(connection);
        await this.#sendBeat(connection);
      },
      onUp: (connection) => {
        parts.observer.up(true);
        void this.#keepBeating(connection);
      },
      onDown: () => parts.observer.up(false),
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

  /**
   * Sends a message, or drops it when that is impossible at once. Returns whether a subscriber
   * received it.
   */
  async #publish(channel: string, kind: BusMessageKind, message: Message): Promise<boolean> {
    const { observer } = this.#parts;
    const connection = this.#link.connection;
    try {
      if (connection === undefined) throw new Error('Redis is away');
      const receivers = await connection.publish(channel, this.#seal.seal(JSON.stringify(message)));
      observer.message('sent', kind);
      return receivers > 0;
    } catch {
      // The link detects faults of the connection itself.
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
        if (message[1] === this.#beat.number) this.#beat.heard();
    }
  }

  /** Applies a hint, then acknowledges it. */
  #take(from: string, hint: Hint): void {
    this.#parts.observer.message('heard', 'hint');
    const acknowledgeFor = (members: readonly MemberId[]): Promise<boolean> =>
      this.#publish(this.#channels.inbox(from), 'acknowledgement', ['acknowledgement', hint.announcement, members]);
    if (this.#listener?.onHint(hint, (members) => void acknowledgeFor(members)) !== true) return;
    void acknowledgeFor(this.#members()).then((isSent) => {
      if (isSent) this.#listener?.onAcknowledged(hint);
    });
  }

  /**
   * Sends a message to this process. Redis answers commands in order, so a beat that arrives proves
   * that everything before it was taken too: its deadline is the deadline of every call.
   */
  async #sendBeat(connection: RedisConnection): Promise<void> {
    const sentMs = performance.now();
    const number = this.#beat.number + 1;
    const heard = new Promise<void>((resolve, reject) => {
      this.#beat = { number, heard: resolve };
      const sealed = this.#seal.seal(JSON.stringify(['beat', number] satisfies Message));
      connection.publish(this.#channels.inbox(this.#id), sealed).catch(reject);
    });
    await within(beatMsMax, 'Passing a message on by Redis', heard);
    this.#parts.observer.roundTrip(performance.now() - sentMs);
  }

  async #keepBeating(connection: RedisConnection): Promise<void> {
    try {
      while (this.#link.connection === connection) {
        await delay(beatEveryMs, undefined, { ref: false });
        if (this.#link.connection === connection) await this.#sendBeat(connection);
      }
    } catch (error) {
      if (this.#link.connection === connection) this.#link.fail(error as Error);
    }
  }
}
