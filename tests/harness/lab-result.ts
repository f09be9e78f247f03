/**
 * A result as the lab writes it, made without a run, for tests of what is derived from results. A test checks it against the published schema.
 * @module
 */
import type { RunResult, SecondResult } from '../../packages/lab/src/results/result.ts';
import type { EndpointResult, WindowResult } from '../../packages/lab/src/results/window-result.ts';

/** Text that a hostile target tries to get into a report. */
export const hostileText = `"><script>document.title = 'taken'</script><img src=x onerror="document.title='taken'">, "quoted"\n</script>=1+1`;

const startSeconds = 1_790_000_000;

const percentiles = {
  '50': 12,
  '66': 15,
  '75': 18,
  '80': 21,
  '90': 40,
  '95': 81.5,
  '98': 130,
  '99': 180,
  '99.9': 400,
  '99.99': 510,
  '100': 512,
};

const endpointOf = (
  method: string,
  name: string,
  requests: number,
  expected: number,
  real: number,
): EndpointResult => ({
  method,
  name,
  requests,
  ok: requests - expected - real,
  expected,
  real,
  requests_per_second: requests / 60,
  mean_ms: 20,
  min_ms: 0.75,
  max_ms: 512,
  mean_bytes: 128,
  percentiles_ms: percentiles,
});

const windowOf = (from: number, to: number): WindowResult => {
  const endpoints = [
    endpointOf('GET', '/api/protected', 4000, 300, 10),
    endpointOf('POST', '/auth/login', 1500, 0, 2),
    endpointOf('POST', '/auth/logout', 500, 40, 0),
  ];
  return {
    from_s: from,
    to_s: to,
    total: endpointOf('', 'Aggregated', 6000, 340, 12),
    curve: Array.from({ length: 46 }, (_, index) => [100 * (1 - 10 ** (-index / 12)), 2 + 1.12 ** index] as const),
    endpoints,
    success_percent_with_expected: 99.8,
    success_percent_without_expected: 99.788,
    requests_by_worker: { 'machine/1': 3000, 'machine/2': 3000 },
  };
};

const secondOf = (index: number): SecondResult => {
  const isBroken = index >= 30 && index < 40;
  return {
    t_s: index + 1,
    unix_s: startSeconds + index,
    users: Math.min(100, (index + 1) * 10),
    requests: 100,
    ok: isBroken ? 80 : 94,
    expected: 6,
    real: isBroken ? 14 : 0,
    p50_ms: 12 + (index % 5),
    p95_ms: isBroken ? 800 : 80,
    p99_ms: isBroken ? 1600 : 180,
    generator_cpu_percent: 20,
    loop_delay_p99_ms: 1.5,
    loop_busy_percent: 20,
    generator_rss_mb: 120,
    target_cpu_percent: isBroken ? 198 : 110,
    target_rss_mb: 300,
  };
};

/**
 * Makes a result: 100 users, Redis paused for ten seconds in the middle.
 * @param seconds length of the run
 */
export const labResult = (seconds = 60, changes: Partial<RunResult> = {}): RunResult => {
  const everySeconds = Math.max(2, seconds / 1800);
  const scrapes = Array.from({ length: seconds / everySeconds }, (_, index) => index * everySeconds);
  const isBroken = (at: number): boolean => at >= 30 && at < 40;
  return {
    format: 'catalytic-lab/1',
    lab_version: '0.1.0',
    scenario: 'auth',
    started_at: new Date(startSeconds * 1000).toISOString(),
    target: 'http://127.0.0.1:8000',
    options: {
      users: 100,
      spawn_rate: 10,
      duration_s: seconds,
      seed: 'a1',
      wait_s: [1, 3],
      timeout_s: 30,
      weights: { login: 5, protected: 10, logout: 1 },
      logouts_per_second: null,
      rate_per_second: null,
      arrivals: 'even',
      stages: [],
      is_paced: false,
      processes: 1,
      source_addresses: null,
    },
    schedule_fingerprint: '0123456789abcdef',
    accounts: { kind: 'imported' },
    machine: { cores: 2, cpu: 'a processor', memory_gib: 8, platform: 'linux x64', node: 'v26.10.0' },
    ended: 'completed',
    whole: windowOf(0, seconds),
    steady: windowOf(10, seconds),
    errors: [
      {
        kind: 'expected',
        method: 'GET',
        endpoint: '/api/protected',
        error: '401 token_revoked',
        occurrences: 340,
        first_seen_unix_s: startSeconds + 1,
        last_seen_unix_s: startSeconds + 59,
      },
      {
        kind: 'real',
        method: 'GET',
        endpoint: '/api/protected',
        error: `503 ${hostileText}`,
        occurrences: 12,
        first_seen_unix_s: startSeconds + 30,
        last_seen_unix_s: startSeconds + 39,
      },
    ],
    exceptions: [],
    logouts: { completed: 500, pending: 0 },
    faults: [
      { name: 'redis', fault: 'pause', planned_s: 30, actual_s: 30.1, done_s: 30.1, error: null },
      { name: 'redis', fault: 'resume', planned_s: 40, actual_s: 40.1, done_s: 40.1, error: null },
    ],
    consistency: { revoked_tokens: 500, dead_checks: 340, rotations: 0, violations: 0, timelines: [] },
    revocation: null,
    transport: {
      connect: {
        count: 104,
        mean_ms: 0.4,
        max_ms: 2.5,
        percentiles_ms: { '50': 0.3, '95': 1.1, '99': 2.4, '100': 2.5 },
      },
      tls_handshake: null,
      is_certificate_checked: null,
      repeated_requests: 4,
      truncated_bodies: 0,
      surplus_answers: 0,
    },
    outage: null,
    criteria: { p50_ms: 100, p95_ms: 500, p99_ms: 1000, real_failures_percent: 1 },
    judged: 'steady',
    verdicts: [
      { criterion: 'p50, ms', limit: 100, measured: 12, verdict: 'passed' },
      { criterion: 'p95, ms', limit: 500, measured: 81.5, verdict: 'passed' },
      { criterion: 'p99, ms', limit: 1000, measured: null, verdict: 'not judged' },
      { criterion: 'real failures, %', limit: 1, measured: 0.2, verdict: 'passed' },
    ],
    validity: [{ rule: 'late starts, %', limit: 1, measured: 0, verdict: 'kept' }],
    little: null,
    generator: {
      cpu_seconds: 12,
      cpu_us_per_request: 200,
      rss_mb_max: 120,
      connections_opened: 100,
      reconnects: 0,
      users_started: 100,
      cut_requests: 0,
    },
    target_process: {
      pid: 4242,
      cpu_seconds: 66,
      cpu_us_per_request: 1100,
      rss_mb_start: 250,
      rss_mb_end: 300,
      rss_mb_max: 300,
    },
    also_counted: [],
    server: {
      url: 'http://127.0.0.1:8000/metrics',
      not_measured: null,
      every_s: everySeconds,
      missed: 1,
      t_s: scrapes,
      series: {
        cpu: scrapes.map((at) => (at === 0 ? null : 80)),
        loop_delay_p99: scrapes.map(() => 3),
        redis_up: scrapes.map((at) => (isBroken(at) ? 0 : 1)),
        redis_round_trip: scrapes.map((at) => (isBroken(at) ? null : 0.4)),
        database_busy: scrapes.map(() => 4),
        database_idle: scrapes.map(() => 21),
        database_waiting: scrapes.map((at) => (isBroken(at) ? 17 : 0)),
      },
    },
    counted: [{ name: 'techniques', done: 40, all: 45, what: 'as given on the command line' }],
    exit_code: 0,
    own: null,
    seconds: Array.from({ length: seconds }, (_, index) => secondOf(index)),
    history: Array.from({ length: seconds }, (_, index) => ({
      unix_s: startSeconds + index,
      users: Math.min(100, (index + 1) * 10),
      requests_per_second: 100,
      failures_per_second: 0.25,
      percentiles_ms: percentiles,
      total_requests: (index + 1) * 100,
      total_failures: index < 30 ? 0 : 12,
      total_median_ms: 12,
      total_mean_ms: 20,
      total_min_ms: 0.75,
      total_max_ms: 512,
      total_mean_bytes: 128,
    })),
    ...changes,
  };
};
