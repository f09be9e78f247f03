/**
 * Latency histograms of constant size.
 * @module
 */
import {
  build,
  decodeFromCompressedBase64,
  encodeIntoCompressedBase64,
  type Histogram as HdrHistogram,
} from 'hdr-histogram-js';

/** Longest latency told apart, microseconds; longer ones count as this. */
const microsecondsMax = 300_000_000;

/** Percentiles that Locust prints, and so do we. */
export const percentiles = [50, 66, 75, 80, 90, 95, 98, 99, 99.9, 99.99, 100] as const;

/** A histogram as it travels between processes. Nothing is lost. */
export interface HistogramDump {
  /** HdrHistogram's own format, V2, compressed. */
  readonly counts: string;
  readonly sumMs: number;
  readonly minMicroseconds: number;
  readonly maxMicroseconds: number;
}

/** Records latencies in milliseconds with three significant digits. */
export class Histogram {
  readonly #hdr: HdrHistogram;
  #sumMs = 0;
  // Beside the counts, which know a value to three digits only, and forget more when they travel.
  #minMicroseconds = Number.POSITIVE_INFINITY;
  #maxMicroseconds = 0;

  /** @param digits significant digits, 1 to 3; fewer take less memory */
  constructor(digits: 1 | 2 | 3 = 3) {
    this.#hdr = build({
      lowestDiscernibleValue: 1,
      highestTrackableValue: microsecondsMax,
      numberOfSignificantValueDigits: digits,
    });
  }

  record(latencyMs: number): void {
    const microseconds = Math.min(microsecondsMax, Math.max(1, Math.round(latencyMs * 1000)));
    this.#hdr.recordValue(microseconds);
    this.#sumMs += latencyMs;
    if (microseconds < this.#minMicroseconds) this.#minMicroseconds = microseconds;
    if (microseconds > this.#maxMicroseconds) this.#maxMicroseconds = microseconds;
  }

  add(other: Histogram): void {
    this.#add(other.#hdr, other.#sumMs, other.#minMicroseconds, other.#maxMicroseconds);
  }

  /** Adds what another process has recorded. */
  absorb({ counts, sumMs, minMicroseconds, maxMicroseconds }: HistogramDump): void {
    this.#add(decodeFromCompressedBase64(counts, 32, false, microsecondsMax), sumMs, minMicroseconds, maxMicroseconds);
  }

  dump(): HistogramDump {
    return {
      counts: encodeIntoCompressedBase64(this.#hdr),
      sumMs: this.#sumMs,
      minMicroseconds: this.#minMicroseconds,
      maxMicroseconds: this.#maxMicroseconds,
    };
  }

  reset(): void {
    this.#hdr.reset();
    this.#sumMs = 0;
    this.#minMicroseconds = Number.POSITIVE_INFINITY;
    this.#maxMicroseconds = 0;
  }

  #add(hdr: HdrHistogram, sumMs: number, minMicroseconds: number, maxMicroseconds: number): void {
    this.#hdr.add(hdr);
    this.#sumMs += sumMs;
    this.#minMicroseconds = Math.min(this.#minMicroseconds, minMicroseconds);
    this.#maxMicroseconds = Math.max(this.#maxMicroseconds, maxMicroseconds);
  }

  get count(): number {
    return this.#hdr.totalCount;
  }

  /** Milliseconds; 0 when nothing was recorded. */
  get meanMs(): number {
    return this.count === 0 ? 0 : this.#sumMs / this.count;
  }

  get minMs(): number {
    return this.count === 0 ? 0 : this.#minMicroseconds / 1000;
  }

  get maxMs(): number {
    return this.#maxMicroseconds / 1000;
  }

  /** Latency in milliseconds that `percentile` per cent did not exceed; `undefined` when nothing was recorded. */
  at(percentile: number): number | undefined {
    return this.count === 0 ? undefined : this.#hdr.getValueAtPercentile(percentile) / 1000;
  }
}
