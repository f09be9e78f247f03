/**
 * What a run shows while it runs: a block that is redrawn on a terminal, a plain line every five seconds elsewhere.
 * @module
 */
import type { SecondResult } from './result.ts';

/** Seconds between two plain lines. */
const plainEverySeconds = 5;

const ms = (value: number | null): string => (value === null ? '–' : value < 100 ? value.toFixed(1) : value.toFixed(0));

/** Shows the seconds of a run as they end. */
export class Progress {
  readonly #out: NodeJS.WriteStream;
  readonly #users: number;
  readonly #durationSeconds: number;
  #drawn = 0;
  #totals = { ok: 0, expected: 0, real: 0 };

  constructor(out: NodeJS.WriteStream, users: number, durationSeconds: number) {
    this.#out = out;
    this.#users = users;
    this.#durationSeconds = durationSeconds;
  }

  /** A line that stays. */
  say(text: string): void {
    this.#erase();
    this.#out.write(`${text}\n`);
  }

  /** Shows a second. */
  show(second: SecondResult, isSteady: boolean): void {
    for (const kind of ['ok', 'expected', 'real'] as const) this.#totals[kind] += second[kind];
    if (this.#out.isTTY === true) this.#draw(second, isSteady);
    else if (second.t_s % plainEverySeconds === 0) this.#out.write(`${this.#line(second, isSteady)}\n`);
  }

  /** Clears what was drawn. */
  end(): void {
    this.#erase();
  }

  #line(second: SecondResult, isSteady: boolean): string {
    const { ok, expected, real } = this.#totals;
    const left = Math.max(0, this.#durationSeconds - second.t_s);
    return (
      `${String(second.t_s).padStart(4)} s  ${left.toFixed(0)} s left  users ${second.users}  ${second.requests} req/s  ` +
      `p50 ${ms(second.p50_ms)}  p95 ${ms(second.p95_ms)}  p99 ${ms(second.p99_ms)} ms  ` +
      `ok ${ok}  expected ${expected}  real failures ${real}  generator ${second.generator_cpu_percent.toFixed(0)} % CPU` +
      `${isSteady ? '  steady' : ''}`
    );
  }

  #draw(second: SecondResult, isSteady: boolean): void {
    const left = Math.max(0, this.#durationSeconds - second.t_s);
    const width = 30;
    const filled = Math.min(width, Math.round((second.t_s / this.#durationSeconds) * width));
    const { ok, expected, real } = this.#totals;
    const lines = [
      `  ${'█'.repeat(filled)}${'░'.repeat(width - filled)}  ${left} s left${isSteady ? ', steady' : ', warming up'}`,
      `  users     ${second.users} of ${this.#users}`,
      `  requests  ${second.requests}/s   p50 ${ms(second.p50_ms)}   p95 ${ms(second.p95_ms)}   p99 ${ms(second.p99_ms)} ms`,
      `  outcomes  ok ${ok}   expected ${expected}   real failures ${real}`,
      `  generator ${second.generator_cpu_percent.toFixed(0)} % of a core, loop delay p99 ${second.loop_delay_p99_ms.toFixed(1)} ms` +
        (second.target_cpu_percent === null ? '' : `   target ${second.target_cpu_percent.toFixed(0)} % CPU`),
    ];
    this.#erase();
    this.#out.write(`${lines.join('\n')}\n`);
    this.#drawn = lines.length;
  }

  #erase(): void {
    if (this.#drawn > 0) this.#out.write(`\x1b[${this.#drawn}A\x1b[0J`);
    this.#drawn = 0;
  }
}
