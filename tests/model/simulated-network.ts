/**
 * What lies between the processes of a simulation: connections to the database, and a bus that promises nothing.
 * @module
 */
import type { JournalSource } from '@catalytic/guard/journal-source';
import type { MemberId } from '@catalytic/protocol/ids';
import type { Hint, HintBus, HintListener } from '../../packages/server/src/features/revocation/hint-bus.ts';
import type { MemberStore } from '../../packages/server/src/features/revocation/store.ts';
import type { Cursor, SimulatedDatabase } from './simulated-database.ts';
import type { SimulatedProcess, SimulatedTime } from './simulated-time.ts';

/** How well messages travel. */
export interface Weather {
  /** Share of messages that take long: up to 60 ms, and one in four of them up to 1.5 s. */
  readonly slow: number;
  /** Share of bus messages that are lost, and share of those that arrive which do so twice. */
  readonly lost: number;
  /** Share of the requests of guards that a proxy sends twice. */
  readonly repeated?: number;
}

/** One simulation's network. */
export class SimulatedNetwork {
  readonly time: SimulatedTime;
  readonly database: SimulatedDatabase;
  readonly #weather: Weather;
  readonly #listeners = new Map<
    SimulatedProcess,
    { readonly listener: HintListener; readonly members: () => readonly MemberId[] }
  >();
  /** Processes whose requests reach nothing. */
  readonly cut = new Set<SimulatedProcess>();
  /** Processes whose reads a replica answers. */
  readonly astray = new Set<SimulatedProcess>();
  /** Reasons for which the database has stopped at this moment: nothing that is on its way reaches it. */
  #stopped = 0;
  #stops = 0;

  constructor(time: SimulatedTime, database: SimulatedDatabase, weather: Weather) {
    this.time = time;
    this.database = database;
    this.#weather = weather;
  }

  get isDown(): boolean {
    return this.#stopped > 0;
  }

  stopDatabase(): void {
    this.#stopped++;
    this.#stops++;
  }

  startDatabase(): void {
    this.#stopped--;
  }

  delayMs(): number {
    const { random } = this.time;
    if (random() >= this.#weather.slow) return random() * 3;
    return random() < 0.75 ? random() * 60 : random() * 1500;
  }

  /** One request to the database and its reply, each with a delay of its own. A request given up may still be served. */
  ask<Value>(process: SimulatedProcess, serve: () => Value): Promise<Value> {
    return new Promise((resolve, reject) => {
      const cancel = process.clocks.after(1000, () => reject(new Error('The database does not answer in time')));
      if (this.cut.has(process) || this.isDown) return;
      const stops = this.#stops;
      this.time.after(this.delayMs(), () => {
        if (stops !== this.#stops) return;
        let reply: () => void;
        try {
          const value = serve();
          reply = () => resolve(value);
        } catch (error) {
          reply = () => reject(error);
        }
        process.deliver(this.delayMs(), () => {
          cancel();
          reply();
        });
      });
    });
  }

  /** The connection of a reader. A crash cuts it, and what was read on one is not acknowledged on another. */
  source(process: SimulatedProcess): JournalSource<Cursor> {
    const { database } = this;
    let connection: number | undefined;
    const on = async <Value>(serve: () => Value): Promise<Value> => {
      const mine = connection;
      try {
        const [value, opened] = await this.ask(process, () => {
          if (mine !== undefined && mine !== database.connections) throw new Error('The connection was lost');
          return [serve(), database.connections] as const;
        });
        connection = opened;
        return value;
      } catch (error) {
        connection = undefined;
        throw error;
      }
    };
    return {
      register: (member, leaseMs) => on(() => database.register(member, leaseMs)),
      read: (member, cursor) =>
        on(() => (this.astray.has(process) ? database.readReplica(member) : database.read(member, cursor))),
      acknowledge: async (member, applied) => {
        if (connection === undefined) throw new Error('The connection was lost');
        await on(() => database.acknowledge(member, applied));
      },
      acknowledgeFor: async (guards) => {
        if (connection === undefined) throw new Error('The connection was lost');
        await on(() => database.acknowledgeFor(guards));
      },
      renameHistory: (from) => on(() => database.renameHistory(from)),
      unregister: (members) => on(() => database.remove(members)),
      restore: (entries) => on(() => database.restore(entries)),
      close: async () => {},
    };
  }

  /** Members as one process asks for them, each time on any connection. */
  members(process: SimulatedProcess): MemberStore {
    const { database } = this;
    return {
      list: () => this.ask(process, () => database.list()),
      markLeaving: (ids) => this.ask(process, () => database.markLeaving(ids)),
      remove: (ids) => this.ask(process, () => database.remove(ids)),
      covers: (applied, position) => database.covers(applied, position),
    };
  }

  /** The bus as one process sees it. */
  bus(process: SimulatedProcess): HintBus {
    return {
      announce: (hint) => {
        for (const other of this.#listeners.keys())
          if (other !== process) this.#send(other, () => this.#hear(other, hint, process));
      },
      listen: (listener, members) => {
        this.#listeners.set(process, { listener, members });
      },
    };
  }

  #hear(process: SimulatedProcess, hint: Hint, from: SimulatedProcess): void {
    const here = this.#listeners.get(process);
    const acknowledgeFor = (members: readonly MemberId[]): void => {
      const acknowledgement = { announcement: hint.announcement, members: [...members] };
      this.#send(from, () => this.#listeners.get(from)?.listener.onAcknowledgement(acknowledgement));
    };
    if (here === undefined || !here.listener.onHint(hint, acknowledgeFor)) return;
    acknowledgeFor(here.members());
    here.listener.onAcknowledged(hint);
  }

  #send(to: SimulatedProcess, call: () => void): void {
    const { random } = this.time;
    if (random() < this.#weather.lost) return;
    to.deliver(this.delayMs(), call);
    if (random() < this.#weather.lost) to.deliver(this.delayMs(), call);
  }
}
