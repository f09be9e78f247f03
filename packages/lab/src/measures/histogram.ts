/**
 * Latency histograms of constant size.
 * @module
 */
import { build, type Histogram as HdrHistogram } from 'hdr-histogram-js';

/** Longest latency told apart, microseconds; longer ones count as this. */
const microsecondsMax = 300_000_000;

/** Percentiles that Locust prints, and so do we. */
export const percentiles = [50, 66, 75, 80, 90, 95, 98, 99, 99.9, 99.99, 100] as const;

/** Records latencies in milliseconds with three significant digits. */
export class Histogram {
  readonly #hdr: HdrHistogram;
  #sumMs = 0;

  /** @param digits significant digits, 1 to 3; fewer take less memory */
  constructor(digits: 1 | 2 | 3 = 3) {
    this.#hdr = build({
      lowestDiscernibleValue: 1,
      highestTrackableValue: microsecondsMax,
      numberOfSignificantValueDigits: digits,
    });
  }

  record(latencyMs: number): void {
    this.#hdr.recordValue(Math.min(microsecondsMax, Math.max(1, Math.round(latencyMs * 1000))));
    this.#sumMs += latencyMs;
  }

  add(other: Histogram): void {
    this.#hdr.add(other.#hdr);
    this.#sumMs += other.#sumMs;
  }

  reset(): void {
    this.#hdr.reset();
    this.#sumMs = 0;
  }

  get count(): number {
    return this.#hdr.totalCount;
  }

  /** Milliseconds; 0 when nothing was recorded. */
  get meanMs(): number {
    return this.count === 0 ? 0 : this.#sumMs / this.count;
  }

  get minMs(): number {
    return this.count === 0 ? 0 : this.#hdr.minNonZeroValue / 1000;
  }

  get maxMs(): number {
    return this.count === 0 ? 0 : this.#hdr.maxValue / 1000;
  }

  /** Latency in milliseconds that `percentile` per cent did not exceed; `undefined` when nothing was recorded. */
  at(percentile: number): number | undefined {
    return this.count === 0 ? undefined : this.#hdr.getValueAtPercentile(percentile) / 1000;
  }
}
