/**
 * Every metric of the service, in one table. `docs/operating/metrics.md` is generated from it.
 *
 * No label holds what a client sent, nor an id: each takes one of the few values named here, so the
 * number of series is bounded.
 * @module
 */

import { cutReasons, statusClasses } from './answer-counts.ts';
import { jobNames } from './job-observer.ts';

/**
 * One metric. Every series carries `worker`, the number of the process among those of its machine,
 * unless `isOfScrape` is set.
 */
export interface MetricDescription {
  readonly kind: 'counter' | 'gauge' | 'histogram';
  readonly name: string;
  /** One sentence. */
  readonly help: string;
  readonly unit: 'seconds' | 'bytes' | 'count' | '0 or 1';
  /** Labels beside `worker`, and every value each may take. */
  readonly labels?: Readonly<Record<string, readonly string[]>>;
  /** Labels whose values come from another of our tables: routes, error codes. */
  readonly openLabels?: readonly string[];
  /** Upper bounds of a histogram, in its unit. */
  readonly buckets?: readonly number[];
  /** Describes the whole scrape, and so carries no `worker`. */
  readonly isOfScrape?: true;
}

// From the fastest acknowledgement on one machine to twice the full wait of the usual lease.
const revocationBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 6, 12];

/** Every metric, by the name that the code calls it. */
export const metricTable = {
  revocationBarrier: {
    kind: 'histogram',
    name: 'catalytic_revocation_barrier_seconds',
    unit: 'seconds',
    help: 'From the reply of a commit that revokes to the answer of its request; its count is the number of revokes.',
    labels: { answer: ['complete', 'pending'] },
    buckets: revocationBuckets,
  },
  revocationPropagation: {
    kind: 'histogram',
    name: 'catalytic_revocation_propagation_seconds',
    unit: 'seconds',
    help: 'From the reply of a commit that revokes until one other member is known to hold it, while the request waits: it said so, its row says so, or its row is gone.',
    labels: { by: ['acknowledgement', 'journal', 'gone'] },
    buckets: revocationBuckets,
  },
  revocationsPending: {
    kind: 'counter',
    name: 'catalytic_revocations_pending_total',
    unit: 'count',
    help: 'Revokes answered 202, because it was not known in time that every member holds them.',
  },
  membersMarked: {
    kind: 'counter',
    name: 'catalytic_members_marked_total',
    unit: 'count',
    help: 'Members that this process has marked as leaving, because they were silent while a revocation waited.',
  },
  currencyAge: {
    kind: 'gauge',
    name: 'catalytic_currency_age_seconds',
    unit: 'seconds',
    help: 'Time since the last good read of the journal was sent; about 0.1 when all is well, and at REVOCATION_LEASE_MS no token is accepted.',
  },
  current: {
    kind: 'gauge',
    name: 'catalytic_current',
    unit: '0 or 1',
    help: 'Whether the process may trust its view of the revocations, and so accepts tokens.',
  },
  members: {
    kind: 'gauge',
    name: 'catalytic_members',
    unit: 'count',
    help: 'Processes of the deployment that accept tokens, as the last read of the journal found them.',
  },
  guards: {
    kind: 'gauge',
    name: 'catalytic_guards',
    unit: 'count',
    help: 'Registered guards, as the last good read of the journal found them: each sign-out waits for all of them.',
  },
  guardPolls: {
    kind: 'gauge',
    name: 'catalytic_guard_polls_held',
    unit: 'count',
    help: 'Requests of guards that wait for news in this process.',
  },
  guardPages: {
    kind: 'counter',
    name: 'catalytic_guard_pages_total',
    unit: 'count',
    help: 'Answers to polls of guards. `load`: from the beginning of the journal, for a guard that starts or has fallen far behind; `news`: recent entries; `empty`: none.',
    labels: { kind: ['load', 'news', 'empty'] },
  },
  viewEntries: {
    kind: 'gauge',
    name: 'catalytic_view_entries',
    unit: 'count',
    help: 'Revocations that the process holds in memory.',
  },
  viewFull: {
    kind: 'gauge',
    name: 'catalytic_view_full',
    unit: '0 or 1',
    help: 'Whether the process has no room for further revocations, and so accepts no token.',
  },
  hashLanesBusy: {
    kind: 'gauge',
    name: 'catalytic_hash_lanes_busy',
    unit: 'count',
    help: 'Passwords that are being hashed.',
  },
  hashQueue: {
    kind: 'gauge',
    name: 'catalytic_hash_queue',
    unit: 'count',
    help: 'Passwords that wait for a lane.',
  },
  databaseConnections: {
    kind: 'gauge',
    name: 'catalytic_database_connections',
    unit: 'count',
    help: 'Open connections to the primary of PostgreSQL, at work or idle; absent on SQLite.',
    labels: { state: ['busy', 'idle'] },
  },
  databaseWaiting: {
    kind: 'gauge',
    name: 'catalytic_database_waiting',
    unit: 'count',
    help: 'Transactions that wait for a connection to the primary of PostgreSQL; absent on SQLite.',
  },
  databaseWalBytes: {
    kind: 'gauge',
    name: 'catalytic_database_wal_bytes',
    unit: 'bytes',
    help: 'Size of the write-ahead log of SQLite; above 64 MiB a process reads for very long, such as a copy or an open shell. Absent on PostgreSQL.',
  },
  connectionsRefused: {
    kind: 'counter',
    name: 'catalytic_connections_refused_total',
    unit: 'count',
    help: 'Connections to the public listener that were closed at once, because they came neither from loopback nor from TRUSTED_PROXIES.',
  },
  connectionsOpen: {
    kind: 'gauge',
    name: 'catalytic_connections_open',
    unit: 'count',
    help: 'Client connections that are open, of all listeners; MAX_CONNECTIONS bounds each listener.',
  },
  connectionsCut: {
    kind: 'counter',
    name: 'catalytic_connections_cut_total',
    unit: 'count',
    help: 'Connections that were cut: no room (MAX_CONNECTIONS), idle or half-sent while another needed room, no PROXY header from a trusted proxy that must send one, no TLS handshake, an answer that was not read in time, too many requests without reading answers.',
    labels: { reason: cutReasons },
  },
  answers: {
    kind: 'counter',
    name: 'catalytic_answers_total',
    unit: 'count',
    help: 'Answers by route and class of status; route is the pattern of a path of ours, or "none".',
    labels: { class: statusClasses },
    openLabels: ['route'],
  },
  refusals: {
    kind: 'counter',
    name: 'catalytic_refusals_total',
    unit: 'count',
    help: 'Refusals by code of the error table.',
    openLabels: ['code'],
  },
  logLinesLeftOut: {
    kind: 'counter',
    name: 'catalytic_log_lines_left_out_total',
    unit: 'count',
    help: 'Log lines that were not written: too many of one code in a second, or nobody read standard error.',
    labels: { reason: ['repeated', 'unread'] },
  },
  certificateExpiry: {
    kind: 'gauge',
    name: 'catalytic_certificate_expiry_seconds',
    unit: 'seconds',
    help: 'When the TLS certificate in use expires, since 1970; absent without TLS.',
  },
  unreadableHashes: {
    kind: 'counter',
    name: 'catalytic_unreadable_hashes_total',
    unit: 'count',
    help: 'Passwords refused because the stored hash of the account cannot be read; anything above 0 is damage to the database, and the log names the accounts.',
  },
  auditDropped: {
    kind: 'counter',
    name: 'catalytic_audit_dropped_total',
    unit: 'count',
    help: 'Refusals that are missing in the audit trail, because the statement that writes their rows failed.',
  },
  jobRuns: {
    kind: 'counter',
    name: 'catalytic_job_runs_total',
    unit: 'count',
    help: 'Runs of a job that the process does by itself, failed ones included; a job that does not run in this process is absent.',
    labels: { job: jobNames },
  },
  jobFailures: {
    kind: 'counter',
    name: 'catalytic_job_failures_total',
    unit: 'count',
    help: 'Runs of a job that failed; the log says why. Each is tried again at its next turn.',
    labels: { job: jobNames },
  },
  jobLastSuccess: {
    kind: 'gauge',
    name: 'catalytic_job_last_success_seconds',
    unit: 'seconds',
    help: 'When a job last succeeded, since 1970; absent before the first time.',
    labels: { job: jobNames },
  },
  busUp: {
    kind: 'gauge',
    name: 'catalytic_bus_up',
    unit: '0 or 1',
    help: 'Whether the bus is connected; absent where none is configured.',
    labels: { bus: ['redis'] },
  },
  busRoundTrip: {
    kind: 'histogram',
    name: 'catalytic_bus_round_trip_seconds',
    unit: 'seconds',
    help: 'From the sending of a message over the bus until this process has heard it.',
    buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1],
  },
  busMessages: {
    kind: 'counter',
    name: 'catalytic_bus_messages_total',
    unit: 'count',
    help: 'Messages of the bus: sent, heard, dropped for want of room or of a connection, refused because they were not from this deployment (then of unknown kind).',
    labels: { direction: ['sent', 'heard', 'dropped', 'refused'], kind: ['hint', 'acknowledgement', 'unknown'] },
  },
  cpuUser: {
    kind: 'counter',
    name: 'catalytic_process_cpu_user_seconds_total',
    unit: 'seconds',
    help: 'CPU time of the process outside the kernel, without its hashing process.',
  },
  cpuSystem: {
    kind: 'counter',
    name: 'catalytic_process_cpu_system_seconds_total',
    unit: 'seconds',
    help: 'CPU time of the process in the kernel, without its hashing process.',
  },
  startTime: {
    kind: 'gauge',
    name: 'catalytic_process_start_time_seconds',
    unit: 'seconds',
    help: 'When the process started, since 1970.',
  },
  residentMemory: {
    kind: 'gauge',
    name: 'catalytic_process_resident_memory_bytes',
    unit: 'bytes',
    help: 'Memory of the process, without its hashing process.',
  },
  openFiles: {
    kind: 'gauge',
    name: 'catalytic_process_open_fds',
    unit: 'count',
    help: 'Open file descriptors, connections among them; absent where there is no /proc.',
  },
  heap: {
    kind: 'gauge',
    name: 'catalytic_nodejs_heap_bytes',
    unit: 'bytes',
    help: 'JavaScript heap.',
    labels: { state: ['used', 'free'] },
  },
  eventLoopLag: {
    kind: 'gauge',
    name: 'catalytic_nodejs_eventloop_lag_seconds',
    unit: 'seconds',
    help: 'How much later than due the event loop came round since the last scrape: median, 99th percentile, maximum.',
    labels: { statistic: ['p50', 'p99', 'max'] },
  },
  workers: {
    kind: 'gauge',
    name: 'catalytic_workers',
    unit: 'count',
    help: 'Processes that should serve on this machine (WORKERS).',
    isOfScrape: true,
  },
  workersReporting: {
    kind: 'gauge',
    name: 'catalytic_workers_reporting',
    unit: 'count',
    help: 'Processes of this machine whose metrics are in this answer; the others are frozen, starting or gone.',
    isOfScrape: true,
  },
} as const satisfies Record<string, MetricDescription>;
