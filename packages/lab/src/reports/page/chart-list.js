/**
 * The charts of a report: which lines each has, and where their values come from.
 * @module
 */

/** `key`: a column of the run's seconds; `server`: a series of the target's metrics; `tint`: a colour of the style sheet. */
export const chartList = [
  {
    id: 'latency',
    title: 'Latency',
    unit: 'ms, of the requests answered in each second',
    hasLog: true,
    isLarge: true,
    hasLimits: true,
    lines: [
      { key: 'p50_ms', label: 'p50', tint: 'p50' },
      { key: 'p95_ms', label: 'p95', tint: 'p95' },
      { key: 'p99_ms', label: 'p99', tint: 'p99' },
    ],
  },
  {
    id: 'throughput',
    title: 'Throughput and users',
    unit: 'requests per second; users on the right',
    lines: [
      { key: 'requests', label: 'requests/s', tint: 'p95' },
      { key: 'users', label: 'users', tint: 'muted', scale: 'right', isStep: true, isAlone: true },
    ],
  },
  {
    id: 'outcomes',
    title: 'Outcomes',
    unit: 'requests per second, on top of each other',
    isStacked: true,
    lines: [
      { key: 'real', label: 'real failures', tint: 'real', isFilled: true },
      { key: 'expected', label: 'expected refusals', tint: 'expected', isFilled: true },
      { key: 'ok', label: 'ok', tint: 'ok', isFilled: true },
    ],
  },
  {
    id: 'failures',
    title: 'Refusals and failures',
    unit: 'per second',
    lines: [
      { key: 'expected', label: 'expected refusals', tint: 'expected' },
      { key: 'real', label: 'real failures', tint: 'real' },
    ],
  },
  {
    id: 'cpu',
    title: 'CPU',
    unit: '% of a core',
    lines: [
      { key: 'target_cpu_percent', label: 'target, all its processes', tint: 'p95' },
      { server: 'cpu', label: 'target, its workers', tint: 'p50' },
      { key: 'generator_cpu_percent', label: 'generator', tint: 'expected' },
    ],
  },
  {
    id: 'memory',
    title: 'Memory of the target',
    unit: 'MB',
    lines: [
      { key: 'target_rss_mb', label: 'all its processes', tint: 'p95' },
      { server: 'memory', label: 'its workers', tint: 'p50' },
      { server: 'heap_used', label: 'JavaScript heap used', tint: 'p99' },
    ],
  },
  {
    id: 'loop',
    title: 'Event-loop delay',
    unit: 'ms, p99',
    hasLog: true,
    lines: [
      { server: 'loop_delay_p99', label: 'target, slowest worker', tint: 'p95' },
      { key: 'loop_delay_p99_ms', label: 'generator', tint: 'expected' },
    ],
  },
  {
    id: 'hashing',
    title: 'Password hashing',
    unit: 'at once',
    lines: [
      { server: 'hash_lanes_busy', label: 'being hashed', tint: 'p95' },
      { server: 'hash_queue', label: 'waiting for a lane', tint: 'real' },
    ],
  },
  {
    id: 'database',
    title: 'Database connections',
    unit: 'count',
    lines: [
      { server: 'database_busy', label: 'busy', tint: 'p95' },
      { server: 'database_idle', label: 'idle', tint: 'muted' },
      { server: 'database_waiting', label: 'transactions waiting', tint: 'real' },
    ],
  },
  {
    id: 'redis',
    title: 'Redis',
    unit: 'round trip in ms; messages per second on the right',
    lines: [
      { server: 'redis_round_trip', label: 'round trip, ms', tint: 'p95' },
      { server: 'redis_messages', label: 'messages/s', tint: 'muted', scale: 'right' },
      { server: 'redis_up', label: 'connected (top) or not', tint: 'p50', isStep: true, scale: 'flag' },
    ],
  },
  {
    id: 'revocation',
    title: 'Revocation',
    unit: 'ms; age of the journal read in s on the right',
    lines: [
      { server: 'revocation_barrier', label: 'commit until answer, ms', tint: 'p95' },
      { server: 'currency_age', label: 'oldest read of the journal, s', tint: 'expected', scale: 'right' },
    ],
  },
];

const valuesOf = (run, { key, server }) => (key === undefined ? run.server[server] : run.series[key]);
const hasValues = (values) => values?.some((value) => value !== null) === true;
const limitNames = { p50_ms: 'p50', p95_ms: 'p95', p99_ms: 'p99' };

/** Fits a column to the length of the longest run. */
const padded = (values, length) => Array.from({ length }, (_, index) => values[index] ?? null);

/** What is drawn of a chart for a run, with another laid over it or not; `undefined` where nothing of it was measured. */
export const chartOf = (entry, run, other) => {
  const points = Math.max(run.series.users.length, other?.series.users.length ?? 0);
  const lines = entry.lines.flatMap((line) => {
    const own = valuesOf(run, line);
    const theirs = other === null || entry.isStacked || line.isAlone ? undefined : valuesOf(other, line);
    const common = { ...line, isPointed: line.server !== undefined && run.step < 2 };
    return [
      ...(hasValues(own) ? [{ ...common, values: padded(own, points) }] : []),
      ...(hasValues(theirs)
        ? [{ ...common, label: `${line.label}, other run`, isOther: true, values: padded(theirs, points) }]
        : []),
    ];
  });
  if (!lines.some(({ isOther }) => !isOther)) return undefined;
  return {
    ...entry,
    x: Array.from({ length: points }, (_, index) => (index + 1) * run.step),
    lines,
    bands: run.bands,
    steadyFrom: run.steadyFrom,
    limits: entry.hasLimits
      ? Object.entries(run.limits).map(([name, value]) => ({ name: limitNames[name], value, tint: limitNames[name] }))
      : [],
  };
};

const place = (percentile) => 1 / (1 - percentile / 100);

/** A percentile of a place on the axis, with as many nines as it has. */
export const percentileAt = (x) => {
  const percentile = 100 * (1 - 1 / x);
  const digits = Math.max(0, Math.ceil(Math.log10(x) - 0.01) - 2);
  return `p${percentile.toFixed(Math.min(6, digits)).replace(/^100$/, '99.9')}`;
};

/** The percentile curve of a run, with another laid over it or not; `undefined` where there is none. */
export const curveOf = (run, other) => {
  if (run.curve.length < 2) return undefined;
  const both = [run.curve, ...(other === null || other.curve.length < 2 ? [] : [other.curve])];
  const longest = both.reduce((a, b) => (b.length > a.length ? b : a));
  return {
    id: 'curve',
    title: 'Percentiles',
    unit: 'ms, of all requests of the judged window',
    isCurve: true,
    hasLog: true,
    isLarge: true,
    x: longest.map(([percentile]) => place(percentile)),
    lines: both.map((curve, index) => ({
      label: index === 0 ? 'this run' : 'other run',
      tint: index === 0 ? 'p95' : 'p99',
      isOther: index > 0,
      values: padded(
        curve.map(([, ms]) => ms),
        longest.length,
      ),
    })),
    limits: Object.entries(run.limits).map(([name, value]) => ({
      name: limitNames[name],
      value,
      tint: limitNames[name],
    })),
  };
};
