/**
 * One machine of a deployment: a supervisor with its workers, and the ways from it and to it, each of which can be cut.
 * @module
 */
import type { ChildProcess } from 'node:child_process';
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { killTree, signal, treeOf } from '@catalytic/lab/process-tree';
import { type Direction, type FaultProxy, startProxy } from '@catalytic/lab/proxy';
import type { Machine as NetworkMachine } from '../harness/machines.ts';
import {
  freePort,
  removeFolder,
  type Service,
  type Settings,
  startService,
  temporaryFolder,
} from '../harness/service.ts';
import { type PinnedWorker, pinWorkers } from './pinned-worker.ts';

/** A way that leads from a machine or to it. */
export type Way = 'database' | 'redis' | 'clients';
/** Every way. */
export const everyWay: readonly Way[] = ['database', 'redis', 'clients'];

/** The separate network of a machine. */
export interface Place {
  readonly network: NetworkMachine;
  /** Address of this system in that network. */
  readonly gateway: string;
}

/** How a machine is set up. */
export interface MachineOptions {
  /** From 1. */
  readonly number: number;
  readonly workers: number;
  readonly databasePort: number;
  /** `undefined`: the machine uses no Redis. */
  readonly redisPort: number | undefined;
  /** Whether clients reach the machine through a proxy too. */
  readonly isApart: boolean;
  /** Its separate network; `undefined`: the machine shares the loopback interface with the others. */
  readonly place: Place | undefined;
  /** Whether to connect without proxies. */
  readonly isDirect: boolean;
  /** Whether the machine has a separate wall clock, which {@link Machine.setClock} sets. */
  readonly hasClock: boolean;
  /** Clocks that stand still while the processes of the machine are paused; needs {@link hasClock}. */
  readonly hidesPauses: 'monotonic' | 'both' | undefined;
  /** Settings that the machine reads from a file, which {@link Machine.configure} rewrites; `undefined`: there is no file. */
  readonly fileSettings: Settings | undefined;
  /** Settings that are the same on every machine. */
  readonly settings: Settings;
}

const shiftedClock = new URL('../harness/shifted-clock.ts', import.meta.url).href;
const doorwayFile = fileURLToPath(new URL('./doorway.ts', import.meta.url));

/** A machine that runs, or has run. */
export class Machine implements AsyncDisposable {
  readonly number: number;
  readonly workers: number;
  readonly dataDir = temporaryFolder();
  #settings: Settings;
  #fileSettings: Settings | undefined;
  readonly #ways: Partial<Record<Way, FaultProxy>> = {};
  readonly #place: Place | undefined;
  #service: Service | undefined;
  #doorway: ChildProcess | undefined;
  /** Output of supervisors that have ended. */
  #printedBefore = '';

  private constructor({ number, workers, settings, place, hasClock, hidesPauses, fileSettings }: MachineOptions) {
    this.number = number;
    this.#place = place;
    this.workers = workers;
    const clock = { NODE_OPTIONS: `--import=${shiftedClock}`, CLOCK_SHIFT_FILE: this.#clockFile };
    const pauses = hidesPauses === undefined ? {} : { CLOCK_HIDES_PAUSES: hidesPauses };
    // The operate listener of a machine with a network apart is reached from here.
    const operate = place === undefined ? {} : { OPERATE_HOST: place.network.address, OPERATE_PORT: 9000 };
    this.#settings = hasClock ? { ...settings, ...operate, ...clock, ...pauses } : { ...settings, ...operate };
    if (fileSettings !== undefined) this.configure(fileSettings);
  }

  static async start(options: MachineOptions): Promise<Machine> {
    const port = options.isApart ? await freePort() : 0;
    const machine = new Machine({
      ...options,
      settings: { ...options.settings, PORT: port, WORKERS: options.workers },
    });
    try {
      await machine.#open(options, port);
      await machine.restart();
      return machine;
    } catch (error) {
      await machine[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** The supervisor and its workers. */
  get service(): Service {
    if (this.#service === undefined) throw new Error(`Machine ${this.number} does not run`);
    return this.#service;
  }

  /** The URL for clients. */
  get url(): string {
    const { clients } = this.#ways;
    return clients === undefined ? this.service.url : `http://127.0.0.1:${clients.port}`;
  }

  /** Process id of the supervisor. */
  get supervisor(): number {
    return this.service.process.pid ?? 0;
  }

  /** Everything that its supervisors have printed. */
  output(): string {
    return this.#printedBefore + (this.#service?.output() ?? '');
  }

  /** The proxy on a way. @throws Error when it has none */
  way(name: Way): FaultProxy {
    const proxy = this.#ways[name];
    if (proxy === undefined) throw new Error(`Machine ${this.number} has no way to: ${name}`);
    return proxy;
  }

  /** Connections to every worker. */
  pinWorkers(): Promise<readonly PinnedWorker[]> {
    return pinWorkers(this.url, this.workers, undefined, this.number);
  }

  /**
   * Lets nothing pass on these ways; connections stay open. All ways of a machine with a separate network are one cable, which
   * loses packets; elsewhere proxies hold the bytes back.
   * @param what which direction: sent by the machine, sent to it, or both
   */
  cut(ways: readonly Way[], what: 'says' | 'hears' | 'both' = 'both'): void {
    const isAll = everyWay.every((name) => ways.includes(name));
    if (isAll && this.#place !== undefined) {
      this.#place.network.cut(({ says: 'out', hears: 'in', both: 'both' } as const)[what]);
      return;
    }
    for (const name of ways) {
      // Clients connect to the machine, and the machine to all others.
      const [away, back]: readonly [Direction, Direction] = name === 'clients' ? ['down', 'up'] : ['up', 'down'];
      this.way(name).cut([...(what === 'hears' ? [] : [away]), ...(what === 'says' ? [] : [back])]);
    }
  }

  /** Stops every process of the machine, or lets all go on. */
  signal(name: 'SIGSTOP' | 'SIGCONT'): void {
    for (const { pid } of treeOf(this.supervisor)) signal(pid, name);
  }

  /** Sets the wall clock of the machine ahead of that of this system, or behind it when negative. */
  setClock(aheadMs: number): void {
    writeWhole(this.#clockFile, String(aheadMs));
  }

  /** Adds settings to the file of the machine. Processes that start from now on use them. */
  configure(settings: Settings): void {
    this.#fileSettings = { ...this.#fileSettings, ...settings };
    const lines = Object.entries(this.#fileSettings).map(([name, value]) => `${name}=${value}\n`);
    writeWhole(this.#configFile, lines.join(''));
  }

  /** Heals all ways. */
  heal(): void {
    this.#place?.network.heal();
    for (const proxy of Object.values(this.#ways)) proxy.heal();
  }

  /** Kills every process of the machine at once. A machine with a separate network is cut off first, so no peer sees a connection close. */
  async kill(): Promise<void> {
    this.#place?.network.cut();
    this.#doorway?.kill('SIGKILL');
    killTree(this.supervisor);
    await this.#end();
  }

  /** Starts the machine, again on the same data and address. */
  async restart(): Promise<void> {
    const flags = this.#fileSettings === undefined ? [] : ['--config', this.#configFile];
    if (this.#place === undefined) this.#service = await startService(this.dataDir, this.#settings, [], flags);
    else {
      const { network } = this.#place;
      network.heal();
      this.#service = await startService(this.dataDir, this.#settings, network.prefixCommand, flags);
      const args = [doorwayFile, network.address, String(this.#settings['PORT'])];
      this.#doorway = network.run(process.execPath, args, { stdio: ['pipe', 'ignore', 'inherit'] });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end();
    await Promise.all(Object.values(this.#ways).map((proxy) => proxy.close()));
    removeFolder(this.dataDir);
  }

  get #clockFile(): string {
    return join(this.dataDir, 'clock');
  }

  get #configFile(): string {
    return join(this.dataDir, 'settings.env');
  }

  async #end(): Promise<void> {
    this.#doorway?.kill('SIGKILL');
    await this.#service?.end('SIGKILL');
    this.#printedBefore = this.output();
    this.#service = undefined;
  }

  /** Opens the ways, and completes the settings by where they are. */
  async #open({ databasePort, redisPort, isApart, isDirect }: MachineOptions, port: number): Promise<void> {
    // While the machine starts, its process is not known yet: any child of this process may be it.
    const pids = (): readonly number[] => treeOf(this.#service?.process.pid ?? process.pid).map(({ pid }) => pid);
    const here = this.#place?.gateway ?? '127.0.0.1';
    const wayTo = async (name: Way, targetPort: number): Promise<number> => {
      if (isDirect) return targetPort;
      const proxy = await startProxy({
        // The machine connects to all others, and clients, which are here, connect to it.
        listenHost: name === 'clients' ? '127.0.0.1' : here,
        listenPort: 0,
        targetHost: name === 'clients' ? (this.#place?.network.address ?? '127.0.0.1') : '127.0.0.1',
        targetPort,
        pids: name === 'clients' ? () => [] : pids,
      });
      this.#ways[name] = proxy;
      return proxy.port;
    };
    const database = await wayTo('database', databasePort);
    this.#settings = {
      ...this.#settings,
      DATABASE_URL: `postgres://catalytic:catalytic@${here}:${database}/catalytic`,
    };
    if (redisPort !== undefined)
      this.#settings = { ...this.#settings, REDIS_URL: `redis://${here}:${await wayTo('redis', redisPort)}` };
    if (isApart) await wayTo('clients', port);
  }
}

/** Writes a file that is never seen half written. */
const writeWhole = (file: string, text: string): void => {
  writeFileSync(`${file}.new`, text);
  renameSync(`${file}.new`, file);
};
