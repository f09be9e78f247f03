/**
 * What the charts of a report need of a run, in columns. Plain JavaScript: the lab runs it when it writes a report, and the reader's browser
 * runs it on a result that is laid over the report.
 * @module
 */

/** Most points of a chart: more cannot be told apart on any screen, and the report stays small. */
const pointsMax = 1800;

const known = (values) => values.filter((value) => typeof value === 'number' && Number.isFinite(value));
const meanOrNone = (values) => {
  const there = known(values);
  return there.length === 0 ? null : there.reduce((sum, value) => sum + value, 0) / there.length;
};
const mean = (values) => meanOrNone(values) ?? 0;
const largest = (values) => {
  const there = known(values);
  return there.length === 0 ? null : Math.max(...there);
};

/** Latencies have three decimals: to round them, or counts, any further would lead out of what was measured. */
const short = (value) => (value === null ? null : Number(value.toFixed(3)));
/** What the target says of itself is in any unit; four significant digits are more than a chart shows. */
const shown = (value) => (value === null ? null : Number(value.toPrecision(4)));

/** Rates are averaged over the seconds of a point; of latencies and delays the largest is kept, so that no spike is lost. */
const columns = {
  users: largest,
  requests: mean,
  ok: mean,
  expected: mean,
  real: mean,
  p50_ms: largest,
  p95_ms: largest,
  p99_ms: largest,
  generator_cpu_percent: mean,
  loop_delay_p99_ms: largest,
  target_cpu_percent: meanOrNone,
  target_rss_mb: meanOrNone,
};

/** Seconds per point of a run of so many seconds. */
export const stepOf = (seconds) => Math.max(1, Math.ceil(seconds / pointsMax));

/** A sample says what was since the one before; a point shows the sample that covers it, or nothing where that was missed. */
const serverColumns = (server, points, step) => {
  if (server === null || server === undefined || server.not_measured !== null) return {};
  let next = 0;
  const places = Array.from({ length: points }, (_, index) => {
    const from = index * step;
    while (next < server.t_s.length && server.t_s[next] < from) next += 1;
    const place = next < server.t_s.length ? next : -1;
    return place >= 0 && server.t_s[place] - from <= Math.max(step, 1.5 * server.every_s) ? place : -1;
  });
  return Object.fromEntries(
    Object.entries(server.series).map(([name, values]) => [name, places.map((place) => shown(values[place] ?? null))]),
  );
};

/** Stretches of a run in which something was broken: of an outage its phases, else between what breaks and what heals. */
export const bandsOf = ({ outage, faults, seconds }) => {
  if (outage !== null)
    return outage.phases
      .filter(({ kind }) => kind === 'outage')
      .map(({ name, window }) => ({ name, from: window.from_s, to: window.to_s }));
  const healing = /^(resume|heal|run)/;
  return faults
    .filter(({ actual_s, fault }) => actual_s !== null && !healing.test(fault))
    .map(({ name, fault, actual_s }) => {
      const healed = faults.find(
        (other) => other.name.startsWith(name) && healing.test(other.fault) && other.actual_s > actual_s,
      );
      return { name: `${name}: ${fault}`, from: actual_s, to: healed?.done_s ?? healed?.actual_s ?? seconds.length };
    });
};

/**
 * Columns of a run.
 * @param result as in `result.schema.json`
 * @param step seconds per point
 */
export const runData = (result, step = stepOf(result.seconds.length)) => {
  const { seconds, server, steady, whole } = result;
  const points = Math.ceil(seconds.length / step);
  const of = (index, name) => seconds.slice(index * step, (index + 1) * step).map((second) => second[name]);
  const series = Object.fromEntries(
    Object.entries(columns).map(([name, join]) => [
      name,
      Array.from({ length: points }, (_, index) => short(join(of(index, name)))),
    ]),
  );
  const window = result.judged === 'steady' ? steady : whole;
  return {
    name: `${result.scenario}, ${result.options.users} users, ${result.started_at.slice(0, 16).replace('T', ' ')}`,
    step,
    seconds: seconds.length,
    series,
    server: serverColumns(server, points, step),
    curve: (window.curve ?? []).map(([percentile, ms]) => [percentile, short(ms)]),
    steadyFrom: steady?.from_s ?? null,
    bands: bandsOf(result),
    limits: Object.fromEntries(Object.entries(result.criteria).filter(([name]) => /^p\d+_ms$/.test(name))),
    figures: figuresOf(result),
  };
};

/** Figures of the judged window by which two runs are compared; of those marked with `more` more is better, of the others less. */
export const figuresOf = (result) => {
  const { total } = result.judged === 'steady' ? result.steady : result.whole;
  const at = (percentile) => total.percentiles_ms[percentile] ?? null;
  const percent = (part) => (total.requests === 0 ? null : (100 * part) / total.requests);
  return [
    { name: 'requests per second', value: total.requests_per_second, more: true },
    { name: 'p50, ms', value: at('50') },
    { name: 'p95, ms', value: at('95') },
    { name: 'p99, ms', value: at('99') },
    { name: 'p99.9, ms', value: at('99.9') },
    { name: 'slowest, ms', value: total.requests === 0 ? null : total.max_ms },
    { name: 'real failures, %', value: percent(total.real) },
    { name: 'expected refusals, %', value: percent(total.expected), neither: true },
    {
      name: 'CPU of the target per request, µs',
      value: result.whole.total.requests === 0 ? null : (result.target_process?.cpu_us_per_request ?? null),
    },
    { name: 'memory of the target at most, MB', value: result.target_process?.rss_mb_max ?? null },
    { name: 'logout p99, ms', value: result.revocation?.logout.percentiles_ms['99'] ?? null },
    { name: 'violations', value: result.consistency.violations },
  ];
};

/** Less than this apart, in per cent, is not called better or worse: two runs of the same thing differ by more. */
const tellingPercent = 5;

/** Figures of two runs side by side, with the ratio of the first to the second. */
export const ratiosOf = (ours, others) =>
  ours
    .map(({ name, value, more, neither }) => {
      const other = others.find((figure) => figure.name === name)?.value ?? null;
      const ratio = value === null || other === null || other === 0 ? null : value / other;
      const isTelling = ratio === null ? value !== other : Math.abs(ratio - 1) * 100 > tellingPercent;
      const isMore = value !== null && other !== null && value > other;
      const trend =
        !isTelling || neither || value === null || other === null
          ? 'even'
          : isMore === (more === true)
            ? 'better'
            : 'worse';
      return { name, value, other, ratio, trend };
    })
    .filter(({ value, other }) => value !== null || other !== null);
