import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { OutageResult } from '../results/outage-result.ts';
import type { SecondResult } from '../results/result.ts';
import { outageChart } from './chart.ts';

type Drawn = Pick<SecondResult, 'requests' | 'real' | 'p99_ms'>;
const chart = (seconds: readonly Drawn[], bands: readonly (readonly [string, number, number])[]): readonly string[] => {
  const phases = bands.map(([name, from_s, to_s]) => ({ name, kind: 'outage', window: { from_s, to_s } }));
  // Only what the chart reads.
  return outageChart(seconds as readonly SecondResult[], { phases } as unknown as OutageResult).split('\n');
};

test('each second is a column, and outages are bands below the seconds they touch', () => {
  const seconds = [800, 800, 100, 0, 400].map((requests, index) => ({
    requests,
    real: index === 2 ? 50 : 0,
    p99_ms: index === 3 ? null : 10 * (index + 1),
  }));
  assert.deepEqual(
    chart(seconds, [
      ['redis paused', 1.5, 2.5],
      ['redis flushed', 4.01, 4.02],
    ]),
    [
      'requests/s ██▁ ▄  max 800',
      'failures/s   █    max 50',
      'p99, ms    ▂▄▅ █  max 50',
      'outages     11 2  1 s each',
      '           1 redis paused, 1.5 to 2.5 s',
      '           2 redis flushed, 4.0 to 4.0 s',
    ],
  );
});

test('however long the run, a line has 100 columns at most, and no spike is lost', () => {
  const seconds = Array.from({ length: 3601 }, (_, index) => ({
    requests: 123_456,
    real: 0,
    p99_ms: index === 1800 ? 29_999 : 1,
  }));
  const lines = chart(seconds, [['redis paused', 100, 101]]);
  assert.ok(lines.every((line) => [...line].length <= 100));
  assert.match(lines[2] ?? '', /^p99, ms {4}▁+█▁+ {2}max 29,999$/);
  assert.match(lines[3] ?? '', / 1 .*49 s each$/);
});
