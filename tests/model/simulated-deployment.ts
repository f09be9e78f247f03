/**
 * A deployment in simulated time: processes that run the real view, reader, barrier and eviction, and what befalls them.
 * @module
 */
import { JournalReader } from '@catalytic/guard/journal-reader';
import { View } from '@catalytic/guard/view';
import type { AccessTokenClaims } from '@catalytic/protocol/claims';
import type { MemberId } from '@catalytic/protocol/ids';
import type { JournalEntry } from '@catalytic/protocol/journal';
import { Barrier, type Propagation } from '../../packages/server/src/features/revocation/barrier.ts';
import { Eviction } from '../../packages/server/src/features/revocation/eviction.ts';
import { SimulatedDatabase } from './simulated-database.ts';
import { SimulatedNetwork, type Weather } from './simulated-network.ts';
import { SimulatedProcess, SimulatedTime } from './simulated-time.ts';

/** What a simulation starts from. */
export interface Setting {
  readonly seed: number;
  readonly processes: number;
  readonly leaseMs: number;
  readonly answerMs: number;
  readonly weather: Weather;
}

interface Server {
  readonly process: SimulatedProcess;
  readonly view: View;
  readonly reader: JournalReader;
  readonly barrier: Barrier;
  readonly eviction: Eviction;
  /** Every id it has told its supervisor. */
  readonly ids: MemberId[];
  isStopping: boolean;
}

/** A revoke, from the moment its transaction began. */
export interface Revoke {
  readonly session: string;
  answer?: Propagation;
  answeredAfterMs?: number;
  /** Whether nobody may accept the token any more. */
  isPromised: boolean;
}

/** No process may be off by more (REVOCATION: 8.3 %). */
const rateErrorMax = 0.083;

/** A deployment. */
export class SimulatedDeployment {
  readonly time: SimulatedTime;
  readonly database = new SimulatedDatabase();
  readonly network: SimulatedNetwork;
  readonly revokes: Revoke[] = [];
  readonly #setting: Setting;
  readonly #servers: (Server | undefined)[] = [];
  #started = 0;

  constructor(setting: Setting) {
    this.#setting = setting;
    this.time = new SimulatedTime(setting.seed);
    this.network = new SimulatedNetwork(this.time, this.database, setting.weather);
    for (let slot = 0; slot < setting.processes; slot++) this.start(slot);
  }

  /** Starts the process of a slot, if none runs there. */
  start(slot: number): void {
    if (this.#servers[slot] !== undefined) return;
    const { random } = this.time;
    const traits = {
      name: `process ${slot}.${this.#started++}`,
      rate: 1 + (2 * random() - 1) * rateErrorMax,
      wallOffsetMs: Math.floor(random() * 60_000),
    };
    const process = new SimulatedProcess(this.time, traits);
    const { clocks, name } = process;
    const onProblem = (message: string, error?: unknown): void => this.time.note(`${name}: ${message} ${error ?? ''}`);
    const { leaseMs, answerMs } = this.#setting;
    const ids: MemberId[] = [];
    const view = new View();
    const reader = new JournalReader({
      source: this.network.source(process),
      view,
      clocks,
      leaseMs,
      onProblem,
      onRegistering: (id) => {
        this.time.note(`${name} registers as ${id}`);
        ids.push(id);
      },
    });
    const members = this.network.members(process);
    const parts = { members, clocks, leaseMs, onProblem };
    const barrier = new Barrier({ ...parts, reader, bus: this.network.bus(process), answerMs });
    this.#servers[slot] = { process, view, reader, barrier, eviction: new Eviction(parts), ids, isStopping: false };
    void reader.start();
  }

  process(slot: number): SimulatedProcess | undefined {
    return this.#servers[slot]?.process;
  }

  isCurrent(slot: number): boolean {
    return this.#servers[slot]?.reader.isCurrent() ?? false;
  }

  /** Dies at once; its supervisor may notice and remove its rows. */
  kill(slot: number, isReaped: boolean): void {
    const server = this.#servers[slot];
    if (server === undefined) return;
    this.time.note(`${server.process.name} is killed`);
    server.process.isDead = true;
    this.#servers[slot] = undefined;
    if (isReaped) this.time.after(this.network.delayMs(), () => this.database.remove(server.ids));
  }

  stop(slot: number): void {
    const server = this.#servers[slot];
    if (server === undefined || server.isStopping || server.process.isFrozen) return;
    this.time.note(`${server.process.name} stops`);
    server.isStopping = true;
    void server.reader.stop();
  }

  /** One process takes another for silent, rightly or not. */
  evict(slot: number, victim: number): void {
    const server = this.#servers[slot];
    const id = this.#servers[victim]?.reader.memberIds.at(-1);
    if (server === undefined || server.process.isFrozen || id === undefined) return;
    // Whoever evicts has read the row: a mark before the registration has been committed would mark nothing.
    if (!this.database.list().some((row) => row.id === id)) return;
    this.time.note(`${server.process.name} evicts ${id}`);
    server.eviction.start([id]);
  }

  /** One process revokes a session; its transaction stays open for a while. */
  revoke(slot: number, session: string, openMs: number): void {
    const server = this.#servers[slot];
    if (server === undefined || server.process.isFrozen) return;
    const { process, barrier } = server;
    const revoke: Revoke = { session, isPromised: false };
    this.revokes.push(revoke);
    const entry = {
      id: `${session} by ${process.name} at ${this.time.nowMs}`,
      kind: 'session',
      key: session,
      keepUntilMs: 1e12,
    } as unknown as JournalEntry;
    this.time.after(this.network.delayMs(), () => {
      const { connections } = this.database;
      const id = this.database.begin();
      this.time.after(openMs, () => {
        // A crash has undone it, and may have given its id to another.
        if (this.database.connections !== connections) return;
        this.database.commit(id, entry);
        this.time.note(`${session} is committed as ${id} by ${process.name}`);
        process.deliver(this.network.delayMs(), () => {
          const repliedMs = this.time.nowMs;
          void barrier.settle({ entries: [entry], position: String(id) }).then((answer) => {
            revoke.answeredAfterMs = this.time.nowMs - repliedMs;
            this.#answered(process, revoke, answer);
          });
        });
      });
    });
  }

  #answered(process: SimulatedProcess, revoke: Revoke, answer: Propagation): void {
    this.time.note(`${revoke.session} is answered ${JSON.stringify(answer)} by ${process.name}`);
    revoke.answer = answer;
    if (answer.propagation === 'complete') revoke.isPromised = true;
    else
      this.time.after(process.realMs(answer.completeWithinMs), () => {
        revoke.isPromised = true;
      });
  }

  /** @throws when a process accepts what it may not accept any more */
  check(): void {
    for (const server of this.#servers) {
      if (server === undefined || server.process.isFrozen || !server.reader.isCurrent()) continue;
      for (const { session, isPromised } of this.revokes)
        if (isPromised && !server.view.isRevoked({ sid: session, aep: 0, tep: 0 } as AccessTokenClaims, 'kid'))
          throw new Error(
            `${server.process.name} accepts ${session} after the answer:\n${this.time.history.join('\n')}`,
          );
    }
  }
}
