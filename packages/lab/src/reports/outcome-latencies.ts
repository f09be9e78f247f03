/**
 * Latencies by outcome, the same in every report: a failure is often much faster than an answer, or as slow as the timeout, and would hide
 * in the latencies of all.
 * @module
 */
import type { FurtherTable } from './further-tables.ts';
import { ms, number } from './tables.ts';
import type { EndpointResult, WindowResult } from './window-result.ts';

const outcomes = [
  ['ok', 'ok_ms'],
  ['expected', 'expected_ms'],
  ['real failure', 'real_ms'],
] as const;

const rowsOf = (endpoint: EndpointResult): FurtherTable['rows'] =>
  outcomes.flatMap(([outcome, field]) => {
    const times = endpoint[field];
    if (times === undefined) return [];
    const { count, mean_ms, max_ms, percentiles_ms: at } = times;
    return [
      [
        `${endpoint.method} ${endpoint.name}`.trim(),
        outcome,
        number(count),
        ms(mean_ms),
        ...['50', '95', '99'].map((percentile) => ms(at[percentile])),
        ms(max_ms),
      ],
    ];
  });

/** The table of a window; `undefined` where every request was ok, and in results of earlier versions. */
export const outcomeLatencies = ({ endpoints, total }: WindowResult): FurtherTable | undefined => {
  const mixed = endpoints.filter(({ expected, real }) => expected + real > 0);
  const all = mixed.length === 0 ? [] : [{ ...total, method: '', name: 'all' }];
  const rows = [...mixed, ...all].flatMap(rowsOf);
  return rows.length === 0
    ? undefined
    : {
        title: 'Latency by outcome, of the requests that were not all ok',
        head: ['request', 'outcome', 'requests', 'mean', 'p50', 'p95', 'p99', 'max ms'],
        rows,
      };
};
