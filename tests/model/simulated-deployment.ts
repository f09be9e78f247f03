/**
 * A deployment in simulated time: processes that run the real view, reader, barrier and eviction, and what befalls them.
 * @module
 */
import type { Follower } from '@catalytic/guard/follower';
import { JournalReader } from '@catalytic/guard/journal-reader';
import { View } from '@catalytic/guard/view';
import type { AccessTokenClaims } from '@catalytic/protocol/claims';
import type { MemberId } from '@catalytic/protocol/ids';
import type { JournalEntry } from '@catalytic/protocol/journal';
import { Polls } from '../../packages/server/src/features/guards/polls.ts';
import { Barrier, type Propagation } from '../../packages/server/src/features/revocation/barrier.ts';
import { Eviction } from '../../packages/server/src/features/revocation/eviction.ts';
import { SimulatedDatabase } from './simulated-database.ts';
import { cursorSeal, type GuardRoad, startGuard } from './simulated-guards.ts';
import { SimulatedNetwork, type Weather } from './simulated-network.ts';
import { SimulatedProcess, SimulatedTime } from './simulated-time.ts';

/** What a simulation starts from. */
export interface Setting {
  readonly seed: number;
  readonly processes: number;
  /** Strict guards that ask them. */
  readonly guards?: number;
  /** Each process takes one of them, as in a deployment whose setting is being changed. */
  readonly leasesMs: readonly number[];
  readonly answerMs: number;
  readonly weather: Weather;
}

interface Server {
  readonly process: SimulatedProcess;
  readonly view: View;
  readonly reader: JournalReader;
  readonly barrier: Barrier;
  readonly polls: Polls;
  readonly eviction: Eviction;
  /** Every id it has told its supervisor. */
  readonly ids: MemberId[];
  isStopping: boolean;
}

interface Guard {
  readonly process: SimulatedProcess;
  readonly follower: Follower;
}

/** A revoke, from the moment its transaction began. */
export interface Revoke {
  readonly session: string;
  answer?: Propagation;
  answeredAfterMs?: number;
  /** Whether no process may accept the token any more. */
  isPromised: boolean;
  /** Whether the database was put back to a time before it: nothing is promised then. */
  isForgotten: boolean;
}

/** No process may be off by more (REVOCATION: 8.3 %). */
const rateErrorMax = 0.083;

/** A deployment. */
export class SimulatedDeployment {
  readonly time: SimulatedTime;
  readonly database: SimulatedDatabase;
  readonly network: SimulatedNetwork;
  readonly revokes: Revoke[] = [];
  readonly #setting: Setting;
  readonly #servers: (Server | undefined)[] = [];
  readonly #guards: (Guard | undefined)[] = [];
  #started = 0;

  constructor(setting: Setting) {
    this.#setting = setting;
    this.time = new SimulatedTime(setting.seed);
    this.database = new SimulatedDatabase(() => this.time.nowMs);
    this.network = new SimulatedNetwork(this.time, this.database, setting.weather);
    for (let slot = 0; slot < setting.processes; slot++) this.start(slot);
    for (let slot = 0; slot < (setting.guards ?? 0); slot++) this.startGuard(slot);
  }

  #traits(name: string) {
    const { random } = this.time;
    return {
      name: `${name}.${this.#started++}`,
      rate: 1 + (2 * random() - 1) * rateErrorMax,
      wallOffsetMs: Math.floor(random() * 60_000),
    };
  }

  #leaseMs(): number {
    const { leasesMs } = this.#setting;
    return leasesMs[Math.floor(this.time.random() * leasesMs.length)] ?? 0;
  }

  /** Starts the guard of a slot, if none runs there. */
  startGuard(slot: number): void {
    if (this.#guards[slot] !== undefined) return;
    const traits = this.#traits(`guard ${slot}`);
    const process = new SimulatedProcess(this.time, traits);
    const road: GuardRoad = {
      time: this.time,
      network: this.network,
      servers: () => this.#servers.filter((server) => server !== undefined),
      repeated: this.#setting.weather.repeated ?? 0,
      leaseMs: this.#leaseMs(),
    };
    this.#guards[slot] = { process, follower: startGuard(road, process, traits.name) };
  }

  guard(slot: number): SimulatedProcess | undefined {
    return this.#guards[slot]?.process;
  }

  isGuardCurrent(slot: number): boolean {
    return this.#guards[slot]?.follower.isCurrent() ?? false;
  }

  killGuard(slot: number): void {
    const guard = this.#guards[slot];
    if (guard === undefined) return;
    this.time.note(`${guard.process.name} is killed`);
    guard.process.isDead = true;
    this.#guards[slot] = undefined;
  }

  stopGuard(slot: number): void {
    const guard = this.#guards[slot];
    if (guard === undefined || guard.process.isFrozen) return;
    this.time.note(`${guard.process.name} stops`);
    void guard.follower.stop();
  }

  /** Starts the process of a slot, if none runs there. */
  start(slot: number): void {
    if (this.#servers[slot] !== undefined) return;
    const process = new SimulatedProcess(this.time, this.#traits(`process ${slot}`));
    const { clocks, name } = process;
    const onProblem = (message: string, error?: unknown): void => this.time.note(`${name}: ${message} ${error ?? ''}`);
    const { answerMs } = this.#setting;
    const leaseMs = this.#leaseMs();
    const ids: MemberId[] = [];
    const view = new View();
    const polls = new Polls({
      clocks,
      reader: () => reader,
      guards: { page: (request) => this.network.ask(process, () => this.database.page(request)) },
      seal: cursorSeal,
      leaseMs,
      onGuardKeys: () => {},
      facts: () => ({ now: clocks.wallMs(), keep_ms: 1e12, keys: 'keys' }),
    });
    const reader: JournalReader = new JournalReader({
      source: this.network.source(process),
      view,
      clocks,
      leaseMs,
      onProblem,
      follower: polls,
      onRegistering: (id) => {
        this.time.note(`${name} registers as ${id}`);
        ids.push(id);
      },
    });
    const members = this.network.members(process);
    const parts = { members, clocks, onProblem };
    const barrier = new Barrier({ ...parts, reader, guards: polls, bus: this.network.bus(process), answerMs });
    this.#servers[slot] = {
      process,
      view,
      reader,
      barrier,
      polls,
      eviction: new Eviction(parts),
      ids,
      isStopping: false,
    };
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
    const row = this.database.list().find((each) => each.id === id);
    if (row === undefined) return;
    this.time.note(`${server.process.name} evicts ${id}`);
    server.eviction.start([row]);
  }

  /** One process revokes a session; its transaction stays open for a while. */
  revoke(slot: number, name: string, openMs: number): void {
    const server = this.#servers[slot];
    if (server === undefined || server.process.isFrozen) return;
    const { process, barrier } = server;
    // It has the form of an id, because an entry that is written back has the id of its session.
    const session = Buffer.from(name).toString('hex').padStart(36, '0');
    const revoke: Revoke = { session, isPromised: false, isForgotten: false };
    this.revokes.push(revoke);
    const entry = {
      id: String(this.revokes.length).padStart(36, '0'),
      kind: 'session',
      key: session,
      keepUntilMs: 1e12,
    } as unknown as JournalEntry;
    this.time.after(this.network.delayMs(), () => {
      const { connections } = this.database;
      const id = this.database.begin();
      this.time.after(openMs, () => {
        // A crash has undone it, and may have given its id to another.
        if (this.database.connections !== connections || this.network.isDown) return;
        this.database.commit(id, entry);
        this.time.note(`${session} is committed as ${id} by ${process.name}`);
        const position = this.database.positionOf(id);
        process.deliver(this.network.delayMs(), () => {
          const repliedMs = this.time.nowMs;
          void barrier.settle({ entries: [entry], position }).then((answer) => {
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
    const promise = (): void => {
      revoke.isPromised = !revoke.isForgotten;
    };
    if (answer.propagation === 'complete') promise();
    else this.time.after(process.realMs(answer.completeWithinMs), promise);
  }

  /**
   * The database stops for longer than any lease, is put back to an earlier state and starts again, while the processes run. What was revoked
   * since is forgotten.
   */
  putBack(count: number): void {
    this.time.note(`the database stops, to be put back ${count} backups ago`);
    this.network.stopDatabase();
    this.time.after(1.2 * Math.max(...this.#setting.leasesMs) * (1 + rateErrorMax), () => {
      this.network.startDatabase();
      if (this.network.isDown || !this.database.putBack(count)) return;
      this.time.note('the database is put back');
      for (const revoke of this.revokes)
        if (!this.database.has(revoke.session)) {
          revoke.isForgotten = true;
          revoke.isPromised = false;
        }
    });
  }

  /** @throws when a process accepts what it may not accept any more */
  check(): void {
    const accepting = [
      ...this.#servers.map((server) => server && { ...server, currency: server.reader }),
      ...this.#guards.map((guard) => guard && { ...guard, currency: guard.follower, view: guard.follower.view }),
    ];
    for (const each of accepting) {
      if (each === undefined || each.process.isFrozen || !each.currency.isCurrent()) continue;
      for (const { session, isPromised } of this.revokes)
        if (isPromised && !each.view.isRevoked({ sid: session, aep: 0, tep: 0 } as AccessTokenClaims, 'kid'))
          throw new Error(`${each.process.name} accepts ${session} after the answer:\n${this.time.history.join('\n')}`);
    }
  }
}
