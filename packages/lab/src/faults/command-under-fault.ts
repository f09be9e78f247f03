/**
 * A shell command that a fault runs, beside the load: it blocks nothing, it has a deadline, and it
 * does not outlive the run.
 * @module
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { bequeath, revoke } from '../containment/last-will.ts';
import { signal } from '../containment/process-tree.ts';
import { printable } from '../texts/printable.ts';
import { redact, secretsIn } from '../texts/redact.ts';

/**
 * Longest time a command may take, milliseconds: a server that starts is up by then, and one that
 * hangs must not hang the run.
 */
const deadlineMsDefault = 20_000;
/** Most output that is kept, and most of its last line that is shown, characters. */
const outputCharsMax = 4096;
const lineCharsMax = 200;
/**
 * What a command has written is there this soon after its end, milliseconds; a server it left
 * behind may hold its output open for ever.
 */
const lastOutputMs = 200;

interface Running {
  readonly child: ChildProcess;
  /** Ends the command, and rejects its waiters with this reason. */
  readonly end: (reason: string) => void;
}

/**
 * Kills everything that a command has started and not detached: the command leads its process
 * group.
 */
const killGroup = ({ pid }: ChildProcess): void => {
  if (pid !== undefined) signal(-pid, 'SIGKILL');
};

/**
 * The last line of what a command wrote, shortened, without the secrets that its text holds; empty
 * when it wrote nothing.
 */
const lastLineOf = (output: string, secrets: readonly string[]): string => {
  const line = output.trimEnd().split('\n').at(-1)?.trim() ?? '';
  return printable(redact(line, secrets), lineCharsMax);
};

/** A command. It may be run several times. */
export class CommandUnderFault {
  readonly #text: string;
  readonly #secrets: readonly string[];
  readonly #deadlineMs: number;
  readonly #running = new Set<Running>();

  /** @param text for `sh -c` */
  constructor(text: string, deadlineMs = deadlineMsDefault) {
    this.#text = text;
    this.#secrets = secretsIn(text);
    this.#deadlineMs = deadlineMs;
  }

  /**
   * Runs it.
   * @returns when the shell has ended; a server it has left behind in the background is not waited
   * for
   * @throws Error that holds the exit code and the last line of the output, or says that it took
   * too long
   */
  run(): Promise<void> {
    return new Promise((resolve, reject) => {
      // Its own process group: Ctrl-C on the lab does not reach it, and the whole group can be
      // ended at once.
      const child = spawn('/bin/sh', ['-c', this.#text], { detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
      let output = '';
      for (const stream of [child.stdout, child.stderr])
        stream.setEncoding('utf8').on('data', (chunk: string) => {
          output = (output + chunk).slice(-outputCharsMax);
        });
      const finish = (reason?: string): void => {
        clearTimeout(deadline);
        this.#running.delete(running);
        if (child.pid !== undefined) revoke(-child.pid);
        // Processes that the command left behind may write until the lab ends, and must not keep it
        // from ending.
        for (const stream of [child.stdout, child.stderr]) if ('unref' in stream) (stream.unref as () => void)();
        const line = lastLineOf(output, this.#secrets);
        if (reason === undefined) resolve();
        else reject(new Error(line === '' ? reason : `${reason}: ${line}`));
      };
      const end = (reason: string): void => {
        killGroup(child);
        finish(reason);
      };
      const running: Running = { child, end };
      this.#running.add(running);
      if (child.pid !== undefined) bequeath(-child.pid, 'SIGKILL');
      const deadline = setTimeout(
        () => end(`took longer than ${this.#deadlineMs / 1000} s and was ended`),
        this.#deadlineMs,
      );
      child.once('error', (error) => finish(`could not be started: ${error.message}`));
      child.once('exit', (code, signalName) => {
        if (code === 0) return finish();
        // The reason stands in the output, which may come after the exit.
        const ended = `ended with ${code === null ? signalName : `exit code ${code}`}`;
        const timer = setTimeout(() => finish(ended), lastOutputMs);
        child.once('close', () => {
          clearTimeout(timer);
          finish(ended);
        });
      });
    });
  }

  /** Ends running commands. */
  undo(): void {
    for (const { end } of this.#running) end('still ran at the end of the run and was ended');
  }
}
