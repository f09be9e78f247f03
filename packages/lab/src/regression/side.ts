/**
 * One side of a comparison: a target with users that have signed in, loaded for a block at a time.
 * @module
 */
import { randomOf } from '../arrivals/random.ts';
import { outcomesOf } from '../measures/criteria.ts';
import { Recorder } from '../measures/recorder.ts';
import { TargetProcesses } from '../probes/target-process.ts';
import { actScenario, weightsOf } from '../scenarios/scenario.ts';
import { type SignedIn, signInUsers } from '../scenarios/sign-in-users.ts';
import type { VirtualUser } from '../scenarios/virtual-user.ts';
import type { ConnectionLimits } from '../targets/connection.ts';
import type { GateScenario } from './operations.ts';

/** How a side is loaded. */
export interface SideOptions {
  readonly target: string;
  readonly adminKeyFile: string | undefined;
  readonly scenario: GateScenario;
  readonly users: number;
  readonly limits: ConnectionLimits;
}

/** Measurements of a block. */
export interface Block {
  readonly requests: number;
  readonly cpuUsPerRequest: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
  readonly realFailures: number;
  readonly violations: number;
}

/** A block under way. */
export interface Loading {
  /** Has a user do a task; ends with its answer. */
  readonly ask: () => Promise<void>;
  /** Its measurements. Call it when every request has been answered. */
  readonly end: () => Block;
}

/** A user and its request under way: one at a time. */
interface Busy {
  readonly user: VirtualUser;
  last: Promise<unknown>;
}

/** A side whose users have signed in. */
export class Side {
  readonly #options: SideOptions;
  readonly #users: readonly Busy[];
  readonly #signedIn: SignedIn;
  readonly #processes: TargetProcesses;
  /** Sessions that wait for the task that ends them. */
  #sessions: Busy[] = [];

  private constructor(options: SideOptions, signedIn: SignedIn, processes: TargetProcesses) {
    this.#options = options;
    this.#users = signedIn.users.map((user) => ({ user, last: Promise.resolve() }));
    this.#signedIn = signedIn;
    this.#processes = processes;
  }

  /** Makes accounts and signs all users in. @throws {Error} a sentence, when that cannot be done */
  static async start(options: SideOptions, runTag: string): Promise<Side> {
    const { target } = options;
    const processes = TargetProcesses.at(target);
    const signedIn = await signInUsers({ ...options, runTag }).catch((error: Error) => {
      throw new Error(`users of ${target}: ${error.message}`);
    });
    return new Side(options, signedIn, processes);
  }

  /**
   * Prepares a block of `requests`.
   * @throws {Error} a sentence, when the target does not do its part
   */
  async prepare(requests: number): Promise<void> {
    if (this.#options.scenario.endsSession !== true) return;
    const sessions = Array<Busy>(requests);
    // Each user opens its own one after the other, on its one connection.
    const openThose = async (first: number): Promise<void> => {
      for (let at = first; at < requests; at += this.#users.length)
        sessions[at] = { user: await this.#signedIn.openSession(first), last: Promise.resolve() };
    };
    await Promise.all(this.#users.map((_, index) => openThose(index)));
    this.#sessions = sessions;
  }

  /**
   * Begins a block, for which it has been prepared.
   * @param seed the same for sides that are compared: they are asked the same
   */
  begin(seed: string): Loading {
    const { scenario } = this.#options;
    const { measures } = this.#signedIn;
    const recorder = new Recorder();
    measures.recorder = recorder;
    const random = randomOf(seed, 0);
    const tasks = Object.entries(weightsOf(scenario)).flatMap(([task, weight]) => Array<string>(weight).fill(task));
    const violationsBefore = measures.checker.violations.length;
    const used = this.cpuSeconds();
    const ask = async (): Promise<void> => {
      // Drawn, not dealt in turn: a balancer deals in turn too, and would send each user to the
      // same process always.
      const drawn = this.#users[Math.floor(random() * this.#users.length)] as Busy;
      const busy = this.#sessions.pop() ?? drawn;
      const task = tasks[Math.floor(random() * tasks.length)] ?? '';
      busy.last = busy.last.then(() => actScenario(scenario, busy.user, task, undefined));
      await busy.last;
    };
    const end = (): Block => {
      const { whole } = recorder;
      const { real, all } = outcomesOf(whole);
      const { total } = whole;
      const at = (percentile: number): number => total.at(percentile) ?? Number.NaN;
      return {
        requests: all,
        cpuUsPerRequest: ((this.cpuSeconds() - used) * 1e6) / Math.max(1, all),
        p50Ms: at(50),
        p95Ms: at(95),
        p99Ms: at(99),
        realFailures: real,
        violations: measures.checker.violations.length - violationsBefore,
      };
    };
    return { ask, end };
  }

  /** CPU time of the target so far. */
  cpuSeconds(): number {
    return this.#processes.cpuSeconds();
  }

  close(): void {
    this.#signedIn.close();
  }
}
