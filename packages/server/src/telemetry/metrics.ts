/**
 * The metrics of one process, and the page that shows those of all workers of a machine.
 * @module
 */
import { AggregatorRegistry, Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { BusObserver } from '../features/revocation/hint-bus.ts';
import type { RevocationObserver } from '../features/revocation/observer.ts';
import { type MetricDescription, metricTable, processMetrics } from './metric-table.ts';

/** Media type of the page (https://prometheus.io/docs/instrumenting/exposition_formats/). */
export const metricsContentType = Registry.PROMETHEUS_CONTENT_TYPE;

/** What is read when somebody asks, and costs nothing until then. */
export interface Watched {
  readonly reader: { currencyAgeMs(): number; isCurrent(): boolean; readonly members: number };
  readonly view: { readonly size: number; readonly isFull: boolean };
  readonly hasher: { readonly busy: number; readonly queued: number };
  readonly stores: {
    connections(): { readonly total: number; readonly idle: number; readonly waiting: number } | undefined;
  };
}

/** Every metric of one process at one moment, as it travels between processes. */
export interface MetricsSnapshot {
  /** Number of the worker. */
  readonly worker: number;
  readonly metrics: readonly SnapshotMetric[];
}

interface SnapshotMetric {
  readonly name: string;
  /** `null`: no number, which JSON cannot say. */
  readonly values: readonly { readonly value: number | null }[];
}

/** How often the delay of the event loop is measured, milliseconds: finer would wake a process that has nothing to do. */
const lagEveryMs = 20;

const every = ({ labels = {} }: MetricDescription): readonly Record<string, string>[] =>
  Object.entries(labels).reduce<Record<string, string>[]>(
    (sets, [label, values]) => sets.flatMap((set) => values.map((value) => ({ ...set, [label]: value }))),
    [{}],
  );

const configurationOf = (description: MetricDescription, registry: Registry) => ({
  name: description.name,
  help: description.help,
  labelNames: Object.keys(description.labels ?? {}),
  registers: [registry],
});

/** The metrics of this process. */
export class Metrics {
  readonly #registry = new Registry();
  readonly #workerNumber: number;
  readonly #connectionsRefused: Counter;
  readonly #bus: { readonly up: Gauge; readonly roundTrip: Histogram; readonly messages: Counter };
  /** Feeds what the barrier tells. */
  readonly revocations: RevocationObserver;

  /** @param workerNumber number of this process among those of its machine */
  constructor(workerNumber: number) {
    this.#workerNumber = workerNumber;
    this.#registry.setDefaultLabels({ worker: String(workerNumber) });
    this.#collectProcess();
    const barrier = this.#histogram(metricTable.revocationBarrier);
    const propagation = this.#histogram(metricTable.revocationPropagation);
    const pending = this.#counter(metricTable.revocationsPending);
    const marked = this.#counter(metricTable.membersMarked);
    // A series that is there from the start has a first increase that can be seen.
    for (const labels of every(metricTable.revocationBarrier)) barrier.zero(labels);
    for (const labels of every(metricTable.revocationPropagation)) propagation.zero(labels);
    this.revocations = {
      onSettled: (ms, answer) => {
        barrier.observe({ answer }, ms / 1000);
        if (answer === 'pending') pending.inc();
      },
      onConfirmed: (ms, by) => propagation.observe({ by }, ms / 1000),
      onMarked: (members) => marked.inc(members),
    };
    this.#connectionsRefused = this.#counter(metricTable.connectionsRefused);
    this.#bus = {
      up: this.#gauge(metricTable.busUp),
      roundTrip: this.#histogram(metricTable.busRoundTrip),
      messages: this.#counter(metricTable.busMessages),
    };
  }

  /** Shows the state of these from now on. Call it once. */
  watch({ reader, view, hasher, stores }: Watched): void {
    this.#gauge(metricTable.currencyAge, (gauge) => gauge.set(reader.currencyAgeMs() / 1000));
    this.#gauge(metricTable.current, (gauge) => gauge.set(Number(reader.isCurrent())));
    this.#gauge(metricTable.members, (gauge) => gauge.set(reader.members));
    this.#gauge(metricTable.viewEntries, (gauge) => gauge.set(view.size));
    this.#gauge(metricTable.viewFull, (gauge) => gauge.set(Number(view.isFull)));
    this.#gauge(metricTable.hashLanesBusy, (gauge) => gauge.set(hasher.busy));
    this.#gauge(metricTable.hashQueue, (gauge) => gauge.set(hasher.queued));
    if (stores.connections() === undefined) return;
    this.#gauge(metricTable.databaseConnections, (gauge) => {
      const { total = 0, idle = 0 } = stores.connections() ?? {};
      gauge.set({ state: 'busy' }, total - idle);
      gauge.set({ state: 'idle' }, idle);
    });
    this.#gauge(metricTable.databaseWaiting, (gauge) => gauge.set(stores.connections()?.waiting ?? 0));
  }

  /** A connection was closed because its peer may not connect. */
  readonly countRefusedConnection = (): void => {
    this.#connectionsRefused.inc();
  };

  /** What a bus tells of itself. It is shown as down until it says otherwise. */
  bus(name: (typeof metricTable.busUp.labels.bus)[number]): BusObserver {
    const { up, roundTrip, messages } = this.#bus;
    up.set({ bus: name }, 0);
    for (const labels of every(metricTable.busMessages)) messages.inc(labels, 0);
    return {
      up: (isUp) => up.set({ bus: name }, Number(isUp)),
      roundTrip: (ms) => roundTrip.observe(ms / 1000),
      message: (direction, kind) => messages.inc({ direction, kind }),
    };
  }

  /** Reads every metric. */
  async snapshot(): Promise<MetricsSnapshot> {
    return {
      worker: this.#workerNumber,
      metrics: (await this.#registry.getMetricsAsJSON()) as readonly SnapshotMetric[],
    };
  }

  #collectProcess(): void {
    collectDefaultMetrics({
      register: this.#registry,
      prefix: 'catalytic_',
      eventLoopMonitoringPrecision: lagEveryMs,
    });
    const kept = new Set(processMetrics.map(({ name }) => name));
    for (const { name } of this.#registry.getMetricsAsArray())
      if (!kept.has(name)) this.#registry.removeSingleMetric(name);
  }

  #counter(description: MetricDescription): Counter {
    return new Counter(configurationOf(description, this.#registry));
  }

  #histogram(description: MetricDescription): Histogram {
    return new Histogram({
      ...configurationOf(description, this.#registry),
      buckets: [...(description.buckets ?? [])],
    });
  }

  #gauge(description: MetricDescription, read?: (gauge: Gauge) => void): Gauge {
    return new Gauge({
      ...configurationOf(description, this.#registry),
      ...(read && {
        collect() {
          read(this);
        },
      }),
    });
  }
}

/**
 * Writes the page: the metrics of each worker under its number. Of two processes with one number, which a reload has for a moment, the
 * first one counts.
 * @param workers how many should serve
 */
const writePage = (snapshots: readonly MetricsSnapshot[], workers: number): Promise<string> => {
  const byWorker = new Map<number, readonly SnapshotMetric[]>();
  for (const { worker, metrics } of snapshots) if (!byWorker.has(worker)) byWorker.set(worker, metrics);
  const readable = [...byWorker.values()].map((metrics) =>
    metrics.map((metric) => ({
      ...metric,
      values: metric.values.map((value) => ({ ...value, value: value.value ?? Number.NaN })),
    })),
  );
  // No two series have the same labels, so nothing is summed.
  const page: Registry = AggregatorRegistry.aggregate(readable);
  new Gauge(configurationOf(metricTable.workers, page)).set(workers);
  new Gauge(configurationOf(metricTable.workersReporting, page)).set(byWorker.size);
  return page.metrics();
};

/**
 * Answers scrapes. At most one is worked on at a time; who asks meanwhile is given the same page.
 * @param collect asks the other workers of this machine; resolves within a bounded time
 */
export const scraper = (
  metrics: Metrics,
  collect: () => Promise<readonly MetricsSnapshot[]>,
  workers: number,
): (() => Promise<string>) => {
  let running: Promise<string> | undefined;
  const scrape = async (): Promise<string> => {
    const others = await collect();
    return writePage([await metrics.snapshot(), ...others], workers);
  };
  return () => {
    running ??= scrape().finally(() => {
      running = undefined;
    });
    return running;
  };
};
