/**
 * Histograms of latencies, and of other values in thousandths, that merge without loss and whose
 * figures never leave the data.
 *
 * The layout is that of HdrHistogram with three significant digits: values below 2,048 thousandths
 * apart from each other, then 1,024 steps to each power of two. We do not use that library because
 * a generator passes its new records on every second: here only counts other than 0 are passed on,
 * and only used ranges take memory.
 * @module
 */

/** Percentiles that Locust prints, and so do we. */
export const percentiles = [50, 66, 75, 80, 90, 95, 98, 99, 99.9, 99.99, 100] as const;

/** Steps per power of two: a value is known to a thousandth or better. */
const stepsBits = 10;
const steps = 1 << stepsBits;
/**
 * Largest value told apart, thousandths: the index is computed in 32 bits. Larger ones share its
 * place: 71 minutes, of latencies.
 */
const toldApartMax = 2 ** 32 - 1;
/**
 * Largest value that is recorded, thousandths: 50 days, of latencies. Sums of that size stay exact.
 */
const recordedMax = 2 ** 42;

/** Place of a value: 21 is where the highest bit of 11 stands. */
const indexOf = (value: number): number => {
  const within = Math.min(value, toldApartMax);
  const shift = Math.max(0, 21 - Math.clz32(within));
  return (shift << stepsBits) + (within >>> shift);
};

/** Largest value of a place. */
const highestAt = (index: number): number => {
  const shift = Math.max(0, (index >>> stepsBits) - 1);
  return (index - (shift << stepsBits) + 1) * 2 ** shift - 1;
};

/** A histogram as it travels between processes. Nothing is lost. */
export interface HistogramDump {
  /** Pairs of place and count, of all counts other than 0. */
  readonly counts: Uint32Array;
  readonly count: number;
  /** In thousandths, like the fields below. */
  readonly sum: number;
  readonly min: number;
  readonly max: number;
}

/**
 * Records latencies in milliseconds, in whole microseconds. Below 0 counts as 0. Smallest, largest
 * and mean are exact; percentiles have three significant digits and lie between the smallest and
 * the largest.
 */
export class Histogram {
  /** Counts by place, 1,024 places in a part. Parts without a value are not there. */
  #parts: (Uint32Array | undefined)[] = [];
  #count = 0;
  // Whole numbers: their sum is the same in whatever order they come.
  #sum = 0;
  #min = Number.POSITIVE_INFINITY;
  #max = 0;

  record(latencyMs: number): void {
    const rounded = Math.round(latencyMs * 1000);
    // Written so that NaN counts as 0.
    const value = rounded > 0 ? Math.min(rounded, recordedMax) : 0;
    this.#countAt(indexOf(value), 1);
    this.#count += 1;
    this.#sum += value;
    if (value < this.#min) this.#min = value;
    if (value > this.#max) this.#max = value;
  }

  /** Adds the records of another histogram. */
  add(other: Histogram): void {
    for (let part = 0; part < other.#parts.length; part++) {
      const [mine, theirs] = [this.#parts[part], other.#parts[part]];
      if (theirs === undefined) continue;
      if (mine === undefined) this.#parts[part] = theirs.slice();
      else for (let at = 0; at < steps; at++) mine[at] = (mine[at] ?? 0) + (theirs[at] ?? 0);
    }
    this.#addFigures(other.#count, other.#sum, other.#min, other.#max);
  }

  /** Adds the records of another process. */
  absorb({ counts, count, sum, min, max }: HistogramDump): void {
    for (let at = 0; at < counts.length; at += 2) this.#countAt(counts[at] ?? 0, counts[at + 1] ?? 0);
    this.#addFigures(count, sum, min, max);
  }

  dump(): HistogramDump {
    return {
      counts: Uint32Array.from(this.#pairs()),
      count: this.#count,
      sum: this.#sum,
      min: this.#min,
      max: this.#max,
    };
  }

  reset(): void {
    this.#parts = [];
    this.#count = 0;
    this.#sum = 0;
    this.#min = Number.POSITIVE_INFINITY;
    this.#max = 0;
  }

  get count(): number {
    return this.#count;
  }

  /** Milliseconds; 0 when nothing was recorded. */
  get meanMs(): number {
    return this.#count === 0 ? 0 : this.#sum / this.#count / 1000;
  }

  get minMs(): number {
    return this.#count === 0 ? 0 : this.#min / 1000;
  }

  get maxMs(): number {
    return this.#max / 1000;
  }

  /**
   * Latency in milliseconds that `percentile` per cent did not exceed, the hundredth being the
   * largest; `undefined` when nothing was recorded.
   */
  at(percentile: number): number | undefined {
    if (this.#count === 0) return undefined;
    if (percentile >= 100) return this.maxMs;
    // 99.9 per cent of 1,000 are 999, which floating point makes a little more.
    const rank = Math.max(1, Math.ceil((percentile / 100) * this.#count * (1 - 1e-12)));
    let passed = 0;
    const pairs = this.#pairs();
    for (let at = 0; at < pairs.length; at += 2) {
      passed += pairs[at + 1] ?? 0;
      // The largest value of the place, unless none that large, or so small, was recorded.
      if (passed >= rank) return Math.min(this.#max, Math.max(this.#min, highestAt(pairs[at] ?? 0))) / 1000;
    }
    return this.maxMs;
  }

  /** Places and their counts that are not 0, in turns, in order. */
  #pairs(): readonly number[] {
    const pairs: number[] = [];
    for (let part = 0; part < this.#parts.length; part++) {
      const counts = this.#parts[part];
      if (counts === undefined) continue;
      for (let at = 0; at < steps; at++) {
        const count = counts[at];
        if (count !== undefined && count > 0) pairs.push((part << stepsBits) + at, count);
      }
    }
    return pairs;
  }

  #addFigures(count: number, sum: number, min: number, max: number): void {
    this.#count += count;
    this.#sum += sum;
    this.#min = Math.min(this.#min, min);
    this.#max = Math.max(this.#max, max);
  }

  #countAt(index: number, more: number): void {
    const part = index >>> stepsBits;
    let counts = this.#parts[part];
    if (counts === undefined) {
      counts = new Uint32Array(steps);
      this.#parts[part] = counts;
    }
    counts[index & (steps - 1)] = (counts[index & (steps - 1)] ?? 0) + more;
  }
}

/** Percentiles of a histogram by name; none when nothing was recorded. */
export const percentilesOf = (histogram: Histogram): Record<string, number> =>
  Object.fromEntries(
    percentiles.flatMap((percentile) => {
      const value = histogram.at(percentile);
      return value === undefined ? [] : [[String(percentile), value]];
    }),
  );
