/**
 * The counts of a custom scenario besides requests: its checks and its metrics. All are declared,
 * so none can be forgotten and none can fill the memory.
 * @module
 */
import { Histogram, type HistogramDump } from '../statistics/histogram.ts';

/** Largest value of a trend: a histogram tells no larger ones apart. */
const trendMax = 4_000_000;

/** Kind of metric: a sum, or a distribution of values from 0 to 4,000,000. */
export type MetricKind = 'counter' | 'trend';

/** A number as it is, anything else by its kind: it may be long, or a secret. */
const wordOf = (value: unknown): string => (typeof value === 'number' ? String(value) : `a ${typeof value}`);

/** How often a check held. */
export interface CheckCount {
  passed: number;
  failed: number;
}

/** Checks and metrics as they travel between processes. */
export interface CustomDump {
  readonly checks: ReadonlyMap<string, CheckCount>;
  readonly counters: ReadonlyMap<string, number>;
  readonly trends: readonly (readonly [name: string, HistogramDump])[];
}

/** Counts checks and metrics. */
export class CustomMeasures {
  readonly checks: ReadonlyMap<string, CheckCount>;
  readonly counters: Map<string, number>;
  readonly trends: ReadonlyMap<string, Histogram>;

  /** @param checks names @param metrics kinds by name */
  constructor(checks: readonly string[] = [], metrics: Readonly<Record<string, MetricKind>> = {}) {
    const named = (kind: MetricKind): readonly string[] =>
      Object.keys(metrics).filter((name) => metrics[name] === kind);
    this.checks = new Map(checks.map((name) => [name, { passed: 0, failed: 0 }]));
    this.counters = new Map(named('counter').map((name) => [name, 0]));
    this.trends = new Map(named('trend').map((name) => [name, new Histogram()]));
  }

  /**
   * Counts a check.
   * @throws Error when it was not declared, or the result is neither true nor false
   */
  check(name: string, holds: boolean): void {
    const count = this.checks.get(name);
    if (count === undefined) throw new Error(`Cannot count the check "${name}": add it to \`checks\` of the scenario`);
    if (typeof holds !== 'boolean')
      throw new Error(`Cannot count the check "${name}": give true or false, such as answer.status === 200`);
    count[holds ? 'passed' : 'failed'] += 1;
  }

  /** Adds to a counter. @throws Error when it was not declared, or the value is no number */
  count(name: string, more: number): void {
    const sum = this.counters.get(name);
    if (sum === undefined)
      throw new Error(`Cannot count "${name}": add ${name}: 'counter' to \`metrics\` of the scenario`);
    // A sum that is no number could not be written.
    if (typeof more !== 'number' || !Number.isFinite(sum + more))
      throw new Error(`Cannot count ${wordOf(more)} for "${name}": give a number`);
    this.counters.set(name, sum + more);
  }

  /**
   * Records a value of a trend.
   * @throws Error when it was not declared, or is no number from 0 to 4,000,000
   */
  trend(name: string, value: number): void {
    const histogram = this.trends.get(name);
    if (histogram === undefined)
      throw new Error(`Cannot record "${name}": add ${name}: 'trend' to \`metrics\` of the scenario`);
    if (typeof value !== 'number' || !(value >= 0 && value <= trendMax))
      throw new Error(
        `Cannot record ${wordOf(value)} for "${name}": give a number from 0 to ${trendMax.toLocaleString('en-US')}, in a larger unit if need be`,
      );
    histogram.record(value);
  }

  /** Returns the counts since the last call, for another one to absorb. */
  take(): CustomDump {
    const dump: CustomDump = {
      checks: new Map([...this.checks].map(([name, count]) => [name, { ...count }])),
      counters: new Map(this.counters),
      trends: [...this.trends].map(([name, trend]) => [name, trend.dump()]),
    };
    for (const count of this.checks.values()) Object.assign(count, { passed: 0, failed: 0 });
    for (const name of this.counters.keys()) this.counters.set(name, 0);
    for (const trend of this.trends.values()) trend.reset();
    return dump;
  }

  /** Adds the counts of another process. */
  absorb({ checks, counters, trends }: CustomDump): void {
    for (const [name, { passed, failed }] of checks) {
      const count = this.checks.get(name);
      if (count === undefined) continue;
      count.passed += passed;
      count.failed += failed;
    }
    for (const [name, more] of counters) this.count(name, more);
    for (const [name, trend] of trends) this.trends.get(name)?.absorb(trend);
  }
}
