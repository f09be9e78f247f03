/**
 * The metrics of one process, and the page that shows those of all workers of a machine.
 * @module
 */
import { AggregatorRegistry, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { BusObserver } from '../features/revocation/hint-bus.ts';
import type { RevocationObserver } from '../features/revocation/observer.ts';
import { type AnswerCounts, cutReasons, statusClasses } from './answer-counts.ts';
import type { JobName, JobObserver } from './job-observer.ts';
import { standardError } from './line-writer.ts';
import { type MetricDescription, metricTable } from './metric-table.ts';
import { countOpenFiles, EventLoopLag } from './process-figures.ts';

/** Media type of the page (https://prometheus.io/docs/instrumenting/exposition_formats/). */
export const metricsContentType = Registry.PROMETHEUS_CONTENT_TYPE;

/** State that is read at a scrape, and costs nothing until then. */
export interface Watched {
  readonly reader: { currencyAgeMs(): number; isCurrent(): boolean; readonly members: number };
  readonly view: { readonly size: number; readonly isFull: boolean };
  readonly polls: {
    readonly live: number;
    readonly held: number;
    /** Answers so far, by what they held. */
    readonly pages: Readonly<Record<(typeof metricTable.guardPages.labels.kind)[number], number>>;
  };
  readonly hasher: { readonly busy: number; readonly queued: number };
  readonly stores: {
    connections(): { readonly total: number; readonly idle: number; readonly waiting: number } | undefined;
    walBytes(): number | undefined;
  };
}

/** Every metric of one process at one moment, as it travels between processes. */
export interface MetricsSnapshot {
  /** Number of the worker. */
  readonly worker: number;
  readonly metrics: readonly object[];
}

const every = ({ labels = {} }: MetricDescription): readonly Record<string, string>[] =>
  Object.entries(labels).reduce<Record<string, string>[]>(
    (sets, [label, values]) => sets.flatMap((set) => values.map((value) => ({ ...set, [label]: value }))),
    [{}],
  );

const configurationOf = (description: MetricDescription, registry: Registry) => ({
  name: description.name,
  help: description.help,
  labelNames: [...Object.keys(description.labels ?? {}), ...(description.openLabels ?? [])],
  registers: [registry],
});

/** The metrics of this process. */
export class Metrics {
  readonly #registry = new Registry();
  readonly #workerNumber: number;
  readonly #connectionsRefused: Counter;
  readonly #auditDropped: Counter;
  readonly #unreadableHashes: Counter;
  readonly #jobs: { readonly runs: Counter; readonly failures: Counter; readonly lastSuccess: Gauge };
  readonly #bus: { readonly up: Gauge; readonly roundTrip: Histogram; readonly messages: Counter };
  /** Takes the observations of the barrier. */
  readonly revocations: RevocationObserver;

  /** @param workerNumber number of this process among those of its machine */
  constructor(workerNumber: number) {
    this.#workerNumber = workerNumber;
    this.#registry.setDefaultLabels({ worker: String(workerNumber) });
    this.#watchProcess();
    const barrier = this.#histogram(metricTable.revocationBarrier);
    const propagation = this.#histogram(metricTable.revocationPropagation);
    const pending = this.#counter(metricTable.revocationsPending);
    const marked = this.#counter(metricTable.membersMarked);
    // A series that exists from the start shows its first increase.
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
    this.#auditDropped = this.#counter(metricTable.auditDropped);
    this.#unreadableHashes = this.#counter(metricTable.unreadableHashes);
    this.#jobs = {
      runs: this.#counter(metricTable.jobRuns),
      failures: this.#counter(metricTable.jobFailures),
      lastSuccess: this.#gauge(metricTable.jobLastSuccess),
    };
    this.#bus = {
      up: this.#gauge(metricTable.busUp),
      roundTrip: this.#histogram(metricTable.busRoundTrip),
      messages: this.#counter(metricTable.busMessages),
    };
  }

  /** Shows their state from now on. Call it once. */
  watch({ reader, view, polls, hasher, stores }: Watched): void {
    this.#gauge(metricTable.currencyAge, (gauge) => gauge.set(reader.currencyAgeMs() / 1000));
    this.#gauge(metricTable.current, (gauge) => gauge.set(Number(reader.isCurrent())));
    this.#gauge(metricTable.members, (gauge) => gauge.set(reader.members));
    this.#gauge(metricTable.guards, (gauge) => gauge.set(polls.live));
    this.#gauge(metricTable.guardPolls, (gauge) => gauge.set(polls.held));
    this.#counters(metricTable.guardPages, (add) => {
      for (const kind of metricTable.guardPages.labels.kind) add({ kind }, polls.pages[kind]);
    });
    this.#gauge(metricTable.viewEntries, (gauge) => gauge.set(view.size));
    this.#gauge(metricTable.viewFull, (gauge) => gauge.set(Number(view.isFull)));
    this.#gauge(metricTable.hashLanesBusy, (gauge) => gauge.set(hasher.busy));
    this.#gauge(metricTable.hashQueue, (gauge) => gauge.set(hasher.queued));
    if (stores.walBytes() !== undefined)
      this.#gauge(metricTable.databaseWalBytes, (gauge) => gauge.set(stores.walBytes() ?? 0));
    if (stores.connections() === undefined) return;
    this.#gauge(metricTable.databaseConnections, (gauge) => {
      const { total = 0, idle = 0 } = stores.connections() ?? {};
      gauge.set({ state: 'busy' }, total - idle);
      gauge.set({ state: 'idle' }, idle);
    });
    this.#gauge(metricTable.databaseWaiting, (gauge) => gauge.set(stores.connections()?.waiting ?? 0));
  }

  /**
   * Shows the counts of the listeners from now on. Call it once.
   * @param expiresMs when the certificate in use expires; `undefined` without TLS
   */
  watchHttp(counts: AnswerCounts, expiresMs: () => number | undefined): void {
    this.#gauge(metricTable.connectionsOpen, (gauge) => gauge.set(counts.open.reduce((sum, open) => sum + open(), 0)));
    this.#counters(metricTable.connectionsCut, (add) => {
      for (const reason of cutReasons) add({ reason }, counts.cuts[reason]);
    });
    this.#counters(metricTable.answers, (add) => {
      for (const [route, byClass] of counts.routes)
        for (const [index, name] of statusClasses.entries())
          if ((byClass[index] ?? 0) > 0) add({ route, class: name }, byClass[index] ?? 0);
    });
    this.#counters(metricTable.refusals, (add) => {
      for (const [code, count] of counts.refusals) add({ code }, count);
    });
    this.#counters(metricTable.logLinesLeftOut, (add) => {
      add({ reason: 'repeated' }, counts.linesLeftOut);
      add({ reason: 'unread' }, standardError.dropped);
    });
    this.#gauge(metricTable.certificateExpiry, (gauge) => {
      const ms = expiresMs();
      if (ms === undefined) gauge.remove();
      else gauge.set(ms / 1000);
    });
  }

  /** A connection was closed because its peer may not connect. */
  readonly countRefusedConnection = (): void => {
    this.#connectionsRefused.inc();
  };

  /** Rows of the audit trail were dropped. */
  readonly countDroppedAudit = (rows: number): void => {
    this.#auditDropped.inc(rows);
  };

  /** A password was refused because the stored hash cannot be read. */
  readonly countUnreadableHash = (): void => {
    this.#unreadableHashes.inc();
  };

  /** Counts the runs of these jobs. */
  jobs(names: readonly JobName[]): JobObserver {
    const { runs, failures, lastSuccess } = this.#jobs;
    for (const job of names) for (const counter of [runs, failures]) counter.inc({ job }, 0);
    return {
      onSuccess: (job) => {
        runs.inc({ job });
        lastSuccess.set({ job }, Date.now() / 1000);
      },
      onFailure: (job) => {
        runs.inc({ job });
        failures.inc({ job });
      },
    };
  }

  /** Takes the observations of a bus, which is shown as down until its first connection. */
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
    return { worker: this.#workerNumber, metrics: await this.#registry.getMetricsAsJSON() };
  }

  /**
   * Figures of the process. The default ones of `prom-client` are not used: some of them walk over
   * every connection.
   */
  #watchProcess(): void {
    const lag = new EventLoopLag();
    this.#counter(metricTable.cpuUser, () => process.cpuUsage().user / 1e6);
    this.#counter(metricTable.cpuSystem, () => process.cpuUsage().system / 1e6);
    this.#gauge(metricTable.startTime, (gauge) => gauge.set(performance.timeOrigin / 1000));
    this.#gauge(metricTable.residentMemory, (gauge) => gauge.set(process.memoryUsage.rss()));
    this.#gauge(metricTable.openFiles, async (gauge) => {
      const files = await countOpenFiles();
      if (files === undefined) gauge.remove();
      else gauge.set(files);
    });
    this.#gauge(metricTable.heap, (gauge) => {
      const { heapUsed, heapTotal } = process.memoryUsage();
      gauge.set({ state: 'used' }, heapUsed);
      gauge.set({ state: 'free' }, heapTotal - heapUsed);
    });
    this.#gauge(metricTable.eventLoopLag, (gauge) => {
      for (const [statistic, ms] of Object.entries(lag.take())) gauge.set({ statistic }, ms / 1000);
    });
  }

  /** @param read total so far, where the count is kept elsewhere */
  #counter(description: MetricDescription, read?: () => number): Counter {
    return new Counter({
      ...configurationOf(description, this.#registry),
      ...(read && {
        collect() {
          this.reset();
          this.inc(read());
        },
      }),
    });
  }

  /** @param read adds every series with its total so far, where the counts are kept elsewhere */
  #counters(
    description: MetricDescription,
    read: (add: (labels: Readonly<Record<string, string>>, total: number) => void) => void,
  ): void {
    new Counter({
      ...configurationOf(description, this.#registry),
      collect() {
        this.reset();
        read((labels, total) => this.inc(labels, total));
      },
    });
  }

  #histogram(description: MetricDescription): Histogram {
    return new Histogram({
      ...configurationOf(description, this.#registry),
      buckets: [...(description.buckets ?? [])],
    });
  }

  #gauge(description: MetricDescription, read?: (gauge: Gauge) => void | Promise<void>): Gauge {
    return new Gauge({
      ...configurationOf(description, this.#registry),
      ...(read && {
        collect() {
          return read(this);
        },
      }),
    });
  }
}

/**
 * Writes the page: the metrics of each worker under its number. During a reload two processes have
 * one number for a moment; the page shows the first.
 * @param workers number of processes that should serve
 */
const writePage = (snapshots: readonly MetricsSnapshot[], workers: number): Promise<string> => {
  const byWorker = new Map<number, readonly object[]>();
  for (const { worker, metrics } of snapshots) if (!byWorker.has(worker)) byWorker.set(worker, metrics);
  // No two series have the same labels, so nothing is summed.
  const page: Registry = AggregatorRegistry.aggregate([...byWorker.values()]);
  new Gauge(configurationOf(metricTable.workers, page)).set(workers);
  new Gauge(configurationOf(metricTable.workersReporting, page)).set(byWorker.size);
  return page.metrics();
};

/**
 * Answers scrapes, one at a time: a scrape that arrives meanwhile gets the same page.
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
