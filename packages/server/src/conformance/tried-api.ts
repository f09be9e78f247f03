/**
 * The API whose guard is tried: asked like by its clients, and started, paused and ended where it is
 * a command.
 * @module
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type IncomingHttpHeaders, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';

/** An answer of the API. */
export interface Asked {
  /** 0: there was none. */
  readonly status: number;
  readonly isAccepted: boolean;
  readonly headers: IncomingHttpHeaders;
  /** Monotonic clock before the request was sent, milliseconds. */
  readonly sentMs: number;
}

/** How it is started. */
export interface Program {
  readonly command: readonly [string, ...string[]];
  readonly environment: NodeJS.Dict<string>;
}

/** Longest time for an answer, milliseconds: a guard may let a request wait for a moment. */
const answerMsMax = 5000;
/** How much of what the process prints is kept, characters. */
const outputCharactersMax = 4000;
/** Longest time for the process to end after it was killed, milliseconds. */
const killMsMax = 5000;

/** The API. */
export class TriedApi {
  readonly url: URL;
  readonly #program: Program | undefined;
  #child: ChildProcess | undefined;
  #output = '';

  /** @param program absent: it runs already */
  constructor(url: string, program?: Program) {
    this.url = new URL(url);
    this.#program = program;
  }

  /** Whether this process has started it. */
  get isOwn(): boolean {
    return this.#program !== undefined;
  }

  /** The end of what it has printed. */
  get output(): string {
    return this.#output;
  }

  /** Whether its process runs, as far as that is known. */
  get isRunning(): boolean {
    return this.#program === undefined || (this.#child?.exitCode === null && this.#child.signalCode === null);
  }

  /** Starts its process, in a group of its own. Rejects when there is no such program. */
  async start(): Promise<void> {
    if (this.#program === undefined) return;
    const { command, environment } = this.#program;
    const [file, ...words] = command;
    const child = spawn(file, words, { env: environment, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child = child;
    const keep = (piece: Buffer): void => {
      this.#output = `${this.#output}${piece}`.slice(-outputCharactersMax);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    await once(child, 'spawn');
  }

  /** Sends a signal to its process; to its whole group for those that pause and kill. */
  signal(signal: 'SIGTERM' | 'SIGSTOP' | 'SIGCONT' | 'SIGKILL'): void {
    const { pid } = this.#child ?? {};
    if (pid === undefined || !this.isRunning) return;
    try {
      process.kill(signal === 'SIGTERM' ? pid : -pid, signal);
    } catch {
      // It has ended in this moment.
    }
  }

  /** Waits for the end of its process. @returns whether it has ended in time */
  async ended(msMax: number): Promise<boolean> {
    const child = this.#child;
    if (child === undefined || !this.isRunning) return true;
    const timeout = AbortSignal.timeout(msMax);
    return once(child, 'exit', { signal: timeout }).then(
      () => true,
      () => false,
    );
  }

  /** Kills its process. */
  async kill(): Promise<void> {
    this.signal('SIGCONT');
    this.signal('SIGKILL');
    await this.ended(killMsMax);
  }

  /** Sends a `GET` over a connection of its own. */
  ask(token?: string): Promise<Asked> {
    const start = this.url.protocol === 'https:' ? requestHttps : requestHttp;
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const sentMs = performance.now();
    return new Promise((resolve) => {
      const none = (): void => resolve({ status: 0, isAccepted: false, headers: {}, sentMs });
      const sent = start(this.url, { headers, agent: false, timeout: answerMsMax });
      sent.once('timeout', () => sent.destroy());
      sent.once('error', none);
      sent.once('close', none);
      sent.once('response', (response) => {
        const status = response.statusCode ?? 0;
        response.resume();
        resolve({ status, isAccepted: status >= 200 && status < 300, headers: response.headers, sentMs });
      });
      sent.end();
    });
  }
}
