import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hostileText, labResult } from '../../../../../tests/harness/lab-result.ts';
import { htmlReport } from './page.ts';

/** Without the blocks of code and data, whose text is no markup. */
const markupOf = (page: string): string => page.replace(/<(script|style)\b[^>]*>.*?<\/\1>/gs, '');

test('the page asks for nothing from elsewhere, and its policy would not let it', () => {
  const page = htmlReport(labResult());
  assert.deepEqual(page.match(/<(link|img|iframe|object|embed|base|form)\b/g), null);
  assert.doesNotMatch(page, /\b(src|srcset|action|poster|data)\s*=\s*["'](?!\$)/, 'nothing is loaded by an attribute');
  assert.doesNotMatch(page, /url\(|@import|\bfetch\(|XMLHttpRequest|WebSocket|EventSource|sendBeacon/);
  assert.deepEqual(
    [...page.matchAll(/<script\b([^>]*)>/g)].map(([, attributes]) => attributes?.trim()),
    ['type="application/json" id="run-data"', '', ''],
  );
  const [, policy = ''] = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(page) ?? [];
  assert.match(
    policy,
    /^default-src 'none'; script-src 'sha256-[^ ]+' 'sha256-[^ ]+'; style-src 'sha256-[^ ]+'; base-uri/,
  );
  assert.doesNotMatch(policy, /unsafe|https?:|\*/);
  assert.doesNotMatch(markupOf(page), /\sstyle=/, 'the policy refuses style attributes');
});

test('what a hostile target said is text, in the markup and in the data', () => {
  const result = labResult(60, {
    target: `http://${hostileText}`,
    exceptions: [{ count: 1, message: hostileText, traceback: hostileText }],
    scenario: hostileText,
  });
  const page = htmlReport(result, labResult(60, { scenario: hostileText }));
  assert.doesNotMatch(markupOf(page), /<img|onerror="|<script/);
  assert.equal(page.match(/<\/script>/g)?.length, 3, 'no text ends a block');
  const [, data = ''] = /id="run-data">(.*?)<\/script>/s.exec(page) ?? [];
  const { other } = JSON.parse(data) as { other: { name: string } };
  assert.ok(other.name.startsWith(hostileText), 'the data hold it as it is');
});

/** No two values alike, each with as many digits as a chart shows: the most that a report can hold. */
const uneven = (seconds: number) => {
  const result = labResult(seconds);
  let count = 0;
  const value = (): number => 100 + ((count++ * 7.919) % 899);
  const names = [
    'cpu',
    'memory',
    'heap_used',
    'loop_delay_p99',
    'open_files',
    'database_busy',
    'database_idle',
    'database_waiting',
  ];
  const more = [
    'redis_up',
    'redis_messages',
    'redis_round_trip',
    'hash_lanes_busy',
    'hash_queue',
    'revocation_barrier',
    'currency_age',
  ];
  const t_s = result.server?.t_s ?? [];
  const columns = {
    requests: 0,
    ok: 0,
    expected: 0,
    real: 0,
    p50_ms: 0,
    p95_ms: 0,
    p99_ms: 0,
    generator_cpu_percent: 0,
  };
  const others = { loop_delay_p99_ms: 0, target_cpu_percent: 0, target_rss_mb: 0 };
  return {
    ...result,
    seconds: result.seconds.map((second) => ({
      ...second,
      ...Object.fromEntries(Object.keys({ ...columns, ...others }).map((name) => [name, value()])),
    })),
    server: result.server && {
      ...result.server,
      series: Object.fromEntries([...names, ...more].map((name) => [name, t_s.map(value)])),
    },
  };
};

test('a run of half an hour with every series stays under 600 kB, and so does a longer one', () => {
  for (const seconds of [1800, 7200]) {
    const bytes = Buffer.byteLength(htmlReport(uneven(seconds)));
    assert.ok(bytes < 600_000, `${seconds} s: ${bytes} bytes`);
  }
});

test('the verdict, the margins and what was not measured are said in words', () => {
  const page = htmlReport(labResult());
  assert.match(page, /<title>Passed: auth, 100 users<\/title>/);
  assert.match(page, /p95, ms<\/th>.*?passed.*?81\.50.*?≤ 500.*?84 % left/s);
  assert.match(page, /p99, ms<\/th>.*?not judged.*?too few samples/s);
  const server = {
    url: 'http://127.0.0.1:1/metrics',
    not_measured: 'it answers 404',
    every_s: 2,
    missed: 1,
    t_s: [],
    series: {},
  };
  assert.match(htmlReport(labResult(60, { server })), /not measured: it answers 404/);
  const verdicts = [
    { criterion: 'p99, ms', limit: 5, measured: null, verdict: 'not judged', reason: '9 samples, 1,000 are needed' },
    { criterion: 'counter "a"', limit: 5, at_least: true, measured: 7, verdict: 'passed' },
  ] as const;
  const unjudged = htmlReport(labResult(60, { exit_code: 6, verdicts }));
  assert.match(unjudged, /<title>Not judged: auth/);
  assert.match(unjudged, /Not judged<\/b> No criterion failed, .*p99, ms: 9 samples, 1,000 are needed/);
  assert.match(unjudged, /counter &quot;a&quot;<\/th>.*?≥ 5.*?2\.00 above it/s);
  const nothing = labResult(60, { exit_code: 6, verdicts: [], ended: 'aborted' });
  assert.match(htmlReport(nothing), /None: the run was asked to keep nothing/);
  const broken = labResult(60, { exit_code: 4, consistency: { ...labResult().consistency, violations: 3 } });
  assert.match(htmlReport(broken), /Consistency violated<\/b> A revoked token was accepted 3 times/);
});
