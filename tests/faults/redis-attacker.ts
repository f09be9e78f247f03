/**
 * An attacker who can read and write everything in the Redis of a deployment and knows the format of its messages, but not
 * the key that seals them.
 * @module
 */
import { createHmac, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { decode, encode } from '../harness/redis/command.ts';

/** Characters of the tag before the JSON of a message (packages/server/src/features/secrets/message-seal.ts). */
const tagCharacters = 22;
/** Most messages that the attacker keeps, and most that one attack writes. */
const messagesMax = 5000;

/** A message as it was heard. */
interface Heard {
  readonly channel: string;
  readonly tag: string;
  readonly text: string;
}

type Attack = (heard: Heard) => void;

/** An attacker with two connections: one hears every channel, one writes. */
export class RedisAttacker {
  readonly #ears: Socket;
  readonly #mouth: Socket;
  readonly #heard: Heard[] = [];
  readonly #channels = new Set<string>();
  /** Messages that the attacker wrote, which Redis delivers to it too. */
  readonly #known = new Set<string>();
  readonly #timers = new Set<NodeJS.Timeout>();
  #written = 0;
  #attack: Attack = () => {};

  private constructor(ears: Socket, mouth: Socket) {
    this.#ears = ears;
    this.#mouth = mouth;
    for (const socket of [ears, mouth]) socket.on('error', () => {}).unref();
    mouth.resume();
    let received = Buffer.alloc(0);
    ears.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      for (let found = decode(received, 0); found !== undefined; found = decode(received, 0)) {
        received = received.subarray(found.end);
        const [type, , channel, payload] = Array.isArray(found.answer) ? found.answer : [];
        if (type === 'pmessage') this.#hear(String(channel), String(payload));
      }
    });
  }

  /** Connects to a Redis that answers, and listens. */
  static async connect(port: number): Promise<RedisAttacker> {
    const sockets = [connect({ host: '127.0.0.1', port }), connect({ host: '127.0.0.1', port })] as const;
    await Promise.all(sockets.map((socket) => once(socket, 'connect')));
    const attacker = new RedisAttacker(...sockets);
    sockets[0].write(encode(['PSUBSCRIBE', '*']));
    return attacker;
  }

  /** Answers every announcement, past and future, with acknowledgements in the name of these members. */
  acknowledgeFor(members: readonly string[]): void {
    this.#begin((heard) => {
      const [kind, from, announcement] = parse(heard.text);
      if (kind !== 'hint') return;
      const inbox = heard.channel.replace(/:hints$/, `:inbox:${from}`);
      const text = JSON.stringify(['acknowledgement', announcement, members]);
      this.#writeUnder(inbox, text, heard);
      for (const earlier of this.#heard) {
        if (parse(earlier.text)[0] !== 'acknowledgement') continue;
        const [, former] = parse(earlier.text);
        this.#writeUnder(inbox, earlier.text.replace(String(former), String(announcement)), earlier);
        this.#write(inbox, earlier.tag + earlier.text);
      }
    });
  }

  /** Writes hints that name this session: altered copies of genuine ones, and forged ones. */
  signOut(sessionId: string): void {
    const entry = { id: randomUUID(), kind: 'session', key: sessionId, keepUntilMs: Date.now() + 3_600_000 };
    this.#begin((heard) => {
      const channel = heard.channel.replace(/:inbox:.*$/, ':hints');
      const [kind, from, , entries] = parse(heard.text);
      this.#writeUnder(channel, JSON.stringify(['hint', randomUUID(), randomUUID(), [entry]]), heard);
      if (kind !== 'hint' || !Array.isArray(entries)) return;
      for (const genuine of entries as readonly { readonly key: string }[]) {
        this.#writeUnder(channel, heard.text.replace(genuine.key, sessionId), heard);
        this.#writeUnder(
          channel,
          JSON.stringify(['hint', from, randomUUID(), [{ ...genuine, key: sessionId }]]),
          heard,
        );
      }
    });
  }

  /** Replays every message twice, late, on its channel and on all others. */
  repeatEverything(): void {
    this.#begin(({ channel, tag, text }) => {
      for (const lateMs of [0, 0, 40, 200, 700])
        this.#later(lateMs, () => {
          for (const other of new Set([channel, ...this.#channels])) this.#write(other, tag + text);
        });
    });
  }

  /** Closes the connections. */
  close(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#ears.destroy();
    this.#mouth.destroy();
  }

  #begin(attack: Attack): void {
    this.#attack = attack;
    for (const heard of [...this.#heard]) attack(heard);
  }

  #hear(channel: string, payload: string): void {
    this.#channels.add(channel);
    if (this.#known.has(payload) || this.#heard.length >= messagesMax) return;
    this.#known.add(payload);
    const heard = { channel, tag: payload.slice(0, tagCharacters), text: payload.slice(tagCharacters) };
    this.#heard.push(heard);
    this.#attack(heard);
  }

  /** Writes a text under every tag that can be made without the key. */
  #writeUnder(channel: string, text: string, { tag }: Heard): void {
    const guessed = createHmac('sha256', Buffer.alloc(32)).update(text).digest().subarray(0, 16).toString('base64url');
    for (const other of [tag, guessed, 'A'.repeat(tagCharacters), '']) this.#write(channel, other + text);
  }

  #write(channel: string, payload: string): void {
    if (this.#written++ > messagesMax) return;
    this.#known.add(payload);
    this.#mouth.write(encode(['PUBLISH', channel, payload]));
  }

  #later(ms: number, act: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      act();
    }, ms);
    this.#timers.add(timer);
  }
}

/** The parts of a message; `undefined` when it is none. */
const parse = (text: string): readonly unknown[] => {
  try {
    const parts: unknown = JSON.parse(text);
    return Array.isArray(parts) ? parts : [];
  } catch {
    return [];
  }
};
