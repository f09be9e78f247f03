/**
 * From the recorded requests of a window to its figures.
 * @module
 */
import { outcomesOf } from '../measures/criteria.ts';
import type { Window } from '../measures/window.ts';
import type { CurvePoint, EndpointResult, TimesResult, WindowResult } from '../results/window-result.ts';
import { type Histogram, percentilesOf } from '../statistics/histogram.ts';

/** Figures of a histogram of times. */
export const timesOf = (histogram: Histogram): TimesResult => ({
  count: histogram.count,
  mean_ms: histogram.meanMs,
  max_ms: histogram.maxMs,
  percentiles_ms: percentilesOf(histogram),
});

/** Measurements of an endpoint, or of all of them together. */
interface Endpoint {
  readonly method: string;
  readonly name: string;
  readonly latency: Histogram;
  readonly latencies: readonly (readonly ['ok' | 'expected' | 'real', Histogram])[];
  readonly bytes: number;
}

const endpointResult = ({ method, name, latency, latencies, bytes }: Endpoint, seconds: number): EndpointResult => {
  const requests = latency.count;
  const times = new Map(latencies.filter(([, { count }]) => count > 0));
  const countOf = (kind: 'ok' | 'expected' | 'real'): number => times.get(kind)?.count ?? 0;
  return {
    method,
    name,
    requests,
    ok: countOf('ok'),
    expected: countOf('expected'),
    real: countOf('real'),
    requests_per_second: requests / seconds,
    mean_ms: latency.meanMs,
    min_ms: latency.minMs,
    max_ms: latency.maxMs,
    mean_bytes: requests === 0 ? 0 : bytes / requests,
    percentiles_ms: percentilesOf(latency),
    ...Object.fromEntries([...times].map(([kind, each]) => [`${kind}_ms`, timesOf(each)])),
  };
};

/**
 * Points of a curve in an order of magnitude, and orders of magnitude at most: 1 request in 10
 * million.
 */
const pointsPerDecade = 12;
const decadesMax = 7;

/** The curve up to the slowest request. */
const curveOf = (histogram: Histogram): readonly CurvePoint[] => {
  const { count } = histogram;
  const points = count === 0 ? 0 : Math.min(decadesMax, Math.log10(count)) * pointsPerDecade;
  return Array.from({ length: Math.floor(points) + 1 }, (_, index): CurvePoint => {
    const percentile = 100 * (1 - 10 ** (-index / pointsPerDecade));
    return [Number(percentile.toFixed(6)), histogram.at(percentile) ?? 0];
  }).slice(0, count === 0 ? 0 : undefined);
};

/**
 * Builds a window's figures.
 * @param fromSeconds since the start of the run
 */
export const buildWindow = (window: Window, fromSeconds: number, toSeconds: number): WindowResult => {
  const seconds = Math.max(0.001, toSeconds - fromSeconds);
  const endpoints = [...window.endpoints.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  const { ok, expected, real, all } = outcomesOf(window);
  const latency = window.total;
  const latencies = (['ok', 'expected', 'real'] as const).map((kind) => [kind, window.totalOf(kind)] as const);
  const bytes = endpoints.reduce((sum, endpoint) => sum + endpoint.bytes, 0);
  const percent = (part: number, whole: number): number => (whole === 0 ? 100 : (100 * part) / whole);
  return {
    from_s: fromSeconds,
    to_s: toSeconds,
    total: endpointResult({ method: '', name: 'Aggregated', latency, latencies, bytes }, seconds),
    curve: curveOf(latency),
    endpoints: endpoints.map((endpoint) => endpointResult(endpoint, seconds)),
    success_percent_with_expected: percent(ok + expected, all),
    success_percent_without_expected: percent(ok, ok + real),
    requests_by_worker: Object.fromEntries([...window.workers].sort(([a], [b]) => (a < b ? -1 : 1))),
  };
};
