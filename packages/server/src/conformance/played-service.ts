/**
 * Plays a service against a guard: honest unless it is told otherwise.
 *
 * It listens like the service, keeps a journal in memory, and hands every poll to a script, which
 * answers it when and as a trial says.
 * @module
 */
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { problemType } from '@catalytic/protocol/errors';
import { holdMsMax, type PageEntry, type Registration } from '@catalytic/protocol/guards';
import { paths } from '@catalytic/protocol/paths';
import { urlHost } from '../config/addresses.ts';
import { leaseMsOf } from '../features/guards/rules.ts';
import { HeldPoll, type LoosePage } from './held-poll.ts';
import type { SigningPair } from './signed-tokens.ts';

/** What it is started with. */
export interface PlayedServiceOptions {
  readonly host: string;
  /** 0: a free one. */
  readonly port: number;
  /** The guard key that it takes. */
  readonly key: string;
  /** Length of the leases, milliseconds. */
  readonly leaseMs: number;
  /** Whether only polls of a registered id grant a lease. */
  readonly isStrict: boolean;
  readonly pairs: readonly SigningPair[];
}

/** A registration, as it arrived. */
export interface SeenRegistration {
  readonly body: Partial<Registration>;
  readonly headers: IncomingMessage['headers'];
  /** The id that it was given; `undefined`: it was refused. */
  readonly id: string | undefined;
}

/** Answers a poll, now or later. */
export type Script = (poll: HeldPoll) => void;

interface Waiter {
  readonly isIt: (poll: HeldPoll) => boolean;
  readonly resolve: (poll: HeldPoll) => void;
}

/** How long an entry is kept, milliseconds: longer than any run. */
const keepMs = 3_600_000;
/** Longest body that it reads, characters. */
const bodyCharactersMax = 100_000;

/** Most polls that are remembered: a faulty guard may ask without a pause. */
const pollsMax = 20_000;

const problem = (status: number, code: string): object => ({ type: problemType(code), title: code, status, code });

const readBody = async (request: IncomingMessage): Promise<object> => {
  let text = '';
  for await (const piece of request) if (text.length < bodyCharactersMax) text += String(piece);
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
};

/** The service. */
export class PlayedService {
  readonly polls: HeldPoll[] = [];
  readonly registrations: SeenRegistration[] = [];
  /** Ids that have left, and when, monotonic milliseconds. */
  readonly left: { readonly id: string; readonly atMs: number }[] = [];
  /** Ids that are registered. */
  readonly live = new Set<string>();
  /** Called when a guard leaves, before it is answered. */
  onLeave: (id: string) => Promise<void> = () => Promise.resolve();
  /** Status with which registrations are refused; `undefined`: they are not. */
  refusesRegistration: number | undefined;
  /** The only tenant whose tokens guards may accept. */
  tenant: string | null = null;
  /** By how much the clock in pages is ahead, milliseconds. */
  clockAheadMs = 0;
  /** Until when a guard that has obeyed every rule may accept tokens, monotonic milliseconds. */
  leaseEndMs = Number.NEGATIVE_INFINITY;
  readonly #options: PlayedServiceOptions;
  readonly #server: Server;
  readonly #connections = new WeakMap<object, number>();
  #connectionCount = 0;
  #pairs: readonly SigningPair[];
  #keysVersion = 1;
  #history: string = randomUUID();
  #entries: PageEntry[] = [];
  #script: Script;
  #waiters: Waiter[] = [];

  constructor(options: PlayedServiceOptions) {
    this.#options = options;
    this.#pairs = options.pairs;
    this.#script = this.honest;
    this.#server = createServer({ keepAliveTimeout: 600_000 }, (request, response) => {
      this.#handle(request, response).catch(() => response.destroy());
    });
  }

  /** Listens. @returns its URL */
  async listen(): Promise<string> {
    const { host, port } = this.#options;
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, host, resolve);
    });
    const { port: listening } = this.#server.address() as AddressInfo;
    return `http://${urlHost(host)}:${listening}`;
  }

  close(): Promise<void> {
    for (const poll of this.polls) poll.cancelHold();
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }

  /** Longest time that a poll is held, milliseconds. */
  get holdMs(): number {
    return Math.floor(holdMsMax(this.#options.leaseMs));
  }

  /** The last poll. */
  get lastPoll(): HeldPoll | undefined {
    return this.polls.at(-1);
  }

  /** Another script for the polls that wait, and for all that follow. */
  play(script: Script): void {
    this.#script = script;
    for (const poll of this.polls) {
      if (!poll.isOpen) continue;
      poll.cancelHold();
      script(poll);
    }
  }

  /** Adds an entry, and tells it to the guards that wait. @returns what {@link PlayedService.covers} asks for */
  revoke(entry: PageEntry): number {
    this.#entries.push(entry);
    this.play(this.honest);
    return this.#entries.length;
  }

  /** Publishes these keys from now on. */
  publish(pairs: readonly SigningPair[]): void {
    this.#pairs = pairs;
    this.#keysVersion++;
  }

  /** The database has another history from now on, with these entries. Whoever is registered stays it. */
  changeHistory(entries: readonly PageEntry[] = []): void {
    this.#history = randomUUID();
    this.#entries = [...entries];
  }

  /** Number of entries in the present history. */
  get entryCount(): number {
    return this.#entries.length;
  }

  /** Whether a poll says that the guard has the first entries of the present history. */
  covers(poll: HeldPoll, count: number): boolean {
    return (this.#countOf(poll.body.after) ?? -1) >= count;
  }

  /** Whether a poll is one of a registered guard, or need not be. */
  isCounted({ body: { guard } }: HeldPoll): boolean {
    return guard === undefined ? !this.#options.isStrict : this.live.has(guard);
  }

  /** The first poll from now on that fits; rejects when none arrives in time. */
  nextPoll(what: string, msMax: number, isIt: (poll: HeldPoll) => boolean = () => true): Promise<HeldPoll> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no ${what} arrived within ${msMax} ms`)), msMax);
      this.#waiters.push({
        isIt,
        resolve: (poll) => {
          clearTimeout(timer);
          resolve(poll);
        },
      });
    });
  }

  /** Answers as the service does: at once when there is news, else after `wait_ms`. */
  readonly honest: Script = (poll) => {
    const { guard, wait_ms: waitMs = 0, after } = poll.body;
    if (guard !== undefined && !this.live.has(guard)) {
      poll.answer(409, problem(409, 'guard_not_live'));
      return;
    }
    const hasNews = (this.#countOf(after) ?? -1) < this.#entries.length;
    const leftMs = Math.min(waitMs, this.holdMs) - (performance.now() - poll.arrivedMs);
    if (hasNews || leftMs <= 0) {
      this.grant(poll);
      return;
    }
    const timer = setTimeout(() => this.grant(poll), leftMs);
    poll.cancelHold = () => clearTimeout(timer);
  };

  /** Answers with what the guard lacks, and the lease that this grants. */
  grant(poll: HeldPoll, change: Partial<LoosePage> = {}): void {
    if (!poll.isOpen) return;
    const page = this.pageFor(poll, change);
    if (this.isCounted(poll) && !page.more) this.leaseEndMs = Math.max(this.leaseEndMs, poll.arrivedMs + page.lease_ms);
    poll.answer(200, page);
  }

  /** The page of the service for a poll. */
  pageFor(poll: HeldPoll, change: Partial<LoosePage> = {}): LoosePage {
    const { nonce = '', guard, after } = poll.body;
    const { leaseMs } = this.#options;
    return {
      ...{ nonce, guard: guard ?? null, history: this.#history, cursor: this.cursorAt(this.#entries.length) },
      ...{ more: false, lease_ms: leaseMsOf({ leaseMs, ageMs: 0, heldMs: performance.now() - poll.arrivedMs }) },
      ...{ now: Date.now() + this.clockAheadMs, keep_ms: keepMs, keys: `keys-${this.#keysVersion}` },
      ...{ tenant: this.tenant, entries: this.#entries.slice(this.#countOf(after) ?? 0) },
      ...change,
    };
  }

  /** Cursor that covers so many entries of the present history. Guards cannot read it. */
  cursorAt(count: number): string {
    return Buffer.from(`${this.#history}/${count}`).toString('base64url');
  }

  #countOf(cursor: unknown): number | undefined {
    const [history, count] = Buffer.from(String(cursor), 'base64url').toString().split('/');
    return history === this.#history && /^\d+$/.test(count ?? '') ? Number(count) : undefined;
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const arrivedMs = performance.now();
    const { method = '', url = '', headers, socket } = request;
    if (!this.#connections.has(socket)) this.#connections.set(socket, ++this.#connectionCount);
    const connection = this.#connections.get(socket) ?? 0;
    const answer = (status: number, body: object, more: Readonly<Record<string, string>> = {}): void => {
      response.writeHead(status, { 'content-type': 'application/json', ...more }).end(JSON.stringify(body));
    };
    if (method === 'GET' && url === paths.jwks) {
      answer(200, { keys: this.#pairs.map(({ published }) => published) }, { etag: `"keys-${this.#keysVersion}"` });
      return;
    }
    const body = await readBody(request);
    if (headers.authorization !== `Bearer ${this.#options.key}`) {
      const code = headers.authorization === undefined ? 'guard_key_missing' : 'guard_key_invalid';
      answer(401, problem(401, code), { 'www-authenticate': 'Bearer realm="catalytic"' });
    } else if (method === 'POST' && url === paths.revocations)
      this.#arrive(new HeldPoll({ body, arrivedMs, connection }, request, response));
    else if (method === 'POST' && url === paths.guards) this.#register(body, headers, answer);
    else if (method === 'DELETE' && url.startsWith(`${paths.guards}/`))
      await this.#leave(decodeURIComponent(url.slice(paths.guards.length + 1)), answer);
    else answer(404, problem(404, 'route_unknown'));
  }

  #arrive(poll: HeldPoll): void {
    this.polls.push(poll);
    if (this.polls.length > pollsMax) this.polls.shift();
    const waiting = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiting) {
      if (waiter.isIt(poll)) waiter.resolve(poll);
      else this.#waiters.push(waiter);
    }
    this.#script(poll);
  }

  #register(
    body: Partial<Registration>,
    headers: IncomingMessage['headers'],
    answer: (status: number, body: object) => void,
  ): void {
    const refused = this.refusesRegistration;
    const id = refused === undefined ? randomUUID() : undefined;
    this.registrations.push({ body, headers, id });
    if (refused !== undefined || id === undefined) {
      answer(refused ?? 503, problem(refused ?? 503, 'guards_unavailable'));
      return;
    }
    this.live.add(id);
    answer(201, { guard: id, lease_ms: this.#options.leaseMs });
  }

  async #leave(id: string, answer: (status: number, body: object) => void): Promise<void> {
    this.left.push({ id, atMs: performance.now() });
    await this.onLeave(id);
    answer(200, { left: this.live.delete(id) });
  }
}
