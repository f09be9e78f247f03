/**
 * One side of a comparison: a target with users that have signed in, loaded for a block at a time.
 * @module
 */
import { arrivalTimes } from '../arrivals/arrival-times.ts';
import { startArrivals } from '../arrivals/open-arrivals.ts';
import { randomOf } from '../arrivals/random.ts';
import { outcomesOf } from '../measures/criteria.ts';
import { Recorder } from '../measures/recorder.ts';
import { describeMachine, readCpuTimes } from '../probes/machine.ts';
import { findListener, TargetProcesses } from '../probes/target-process.ts';
import { actScenario, type Scenario, weightsOf } from '../scenarios/scenario.ts';
import { type SignedIn, signInUsers } from '../scenarios/sign-in-users.ts';
import type { VirtualUser } from '../scenarios/virtual-user.ts';
import type { ConnectionLimits } from '../targets/connection.ts';

/** How a side is loaded. */
export interface SideOptions {
  readonly target: string;
  readonly adminKeyFile: string | undefined;
  readonly scenario: Scenario;
  readonly users: number;
  /** Requests per second while it is loaded: the same for both sides, whatever the answers do. */
  readonly rate: number;
  readonly limits: ConnectionLimits;
}

/** What a block has shown. */
export interface Block {
  readonly requests: number;
  readonly cpuUsPerRequest: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
  readonly realFailures: number;
  readonly violations: number;
  /** CPU time that neither the lab nor this side used, and steal, per cent of the machine. */
  readonly othersPercent: number;
}

const { cores } = describeMachine();

const ownCpuSeconds = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};

/** A user and what it is still doing: one request at a time. */
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

  private constructor(options: SideOptions, signedIn: SignedIn, processes: TargetProcesses) {
    this.#options = options;
    this.#users = signedIn.users.map((user) => ({ user, last: Promise.resolve() }));
    this.#signedIn = signedIn;
    this.#processes = processes;
  }

  /** Makes accounts and signs everybody in. @throws {Error} a sentence, when that cannot be done */
  static async start(options: SideOptions, runTag: string): Promise<Side> {
    const { target } = options;
    const pid = findListener(Number(new URL(target).port));
    if (pid === undefined)
      throw new Error(`Cannot compare ${target}: no process of this machine listens there, so its CPU time is unknown`);
    const signedIn = await signInUsers({ ...options, runTag }).catch((error: Error) => {
      throw new Error(`Cannot compare ${target}: ${error.message}`);
    });
    return new Side(options, signedIn, new TargetProcesses(pid));
  }

  /**
   * Loads it for some seconds.
   * @param seed the same for both sides of a pair: both are asked the same
   */
  async load(seconds: number, seed: string): Promise<Block> {
    const { scenario, rate } = this.#options;
    const { checker } = this.#signedIn.measures;
    const recorder = new Recorder();
    this.#signedIn.measures.recorder = recorder;
    const random = randomOf(seed, 0);
    const tasks = Object.entries(weightsOf(scenario)).flatMap(([task, weight]) => Array<string>(weight).fill(task));
    const timesMs = arrivalTimes({ perSecond: rate, stages: [], durationSeconds: seconds, spacing: 'even', seed });
    const [others, own, used] = [readCpuTimes(), ownCpuSeconds(), this.#cpuSeconds()];
    const violationsBefore = checker.violations.length;
    const startedMs = performance.now();
    const crowd = startArrivals({
      timesMs,
      available: timesMs.length,
      act: async () => {
        // Drawn, not dealt in turn: a balancer deals in turn too, and would send each user to the same process always.
        const busy = this.#users[Math.floor(random() * this.#users.length)] as Busy;
        const task = tasks[Math.floor(random() * tasks.length)] ?? '';
        busy.last = busy.last.then(() => actScenario(scenario, busy.user, task, undefined));
        await busy.last;
      },
    });
    await crowd.ended;
    const elapsed = (performance.now() - startedMs) / 1000;
    const [othersAfter, ownAfter, usedAfter] = [readCpuTimes(), ownCpuSeconds(), this.#cpuSeconds()];
    const { real, all } = outcomesOf(recorder.whole);
    const at = (percentile: number): number => recorder.whole.total.at(percentile) ?? Number.NaN;
    const busySeconds =
      others === undefined || othersAfter === undefined
        ? 0
        : othersAfter.busy + othersAfter.steal - others.busy - others.steal - (ownAfter - own) - (usedAfter - used);
    return {
      requests: all,
      cpuUsPerRequest: ((usedAfter - used) * 1e6) / Math.max(1, all),
      p50Ms: at(50),
      p95Ms: at(95),
      p99Ms: at(99),
      realFailures: real,
      violations: checker.violations.length - violationsBefore,
      othersPercent: Math.max(0, (100 * busySeconds) / (elapsed * cores)),
    };
  }

  close(): void {
    this.#signedIn.close();
  }

  #cpuSeconds(): number {
    const usage = this.#processes.read({ search: true });
    if (usage === undefined) throw new Error(`The process behind ${this.#options.target} is gone`);
    return usage.cpuSeconds;
  }
}
