import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { labResult } from '../../../../tests/harness/lab-result.ts';
import { folderIn } from '../../../../tests/harness/service.ts';
import { compareResults } from './compare.ts';

const folder = folderIn({ after });
const file = (name: string, content: unknown): string => {
  writeFileSync(join(folder, name), typeof content === 'string' ? content : JSON.stringify(content));
  return join(folder, name);
};

const slower = labResult();
const a = file('a.json', labResult());
const b = file('b.json', {
  ...slower,
  lab_version: undefined,
  server: undefined,
  counted: undefined,
  schedule_fingerprint: 'another',
  steady: { ...slower.steady, total: { ...slower.steady?.total, percentiles_ms: { '50': 24, '95': 81.5, '99': 90 } } },
});

test('ratios say which run is better, and what makes them hard to compare', () => {
  const page = join(folder, 'ab.html');
  const lines = compareResults(a, b, page);
  assert.ok(typeof lines !== 'string', String(lines));
  const text = lines.join('\n');
  assert.match(text, /p50, ms +12\.00 +24\.00 +× 0\.50 {2}first is better/);
  assert.match(text, /p95, ms +81\.50 +81\.50 +× 1\.00$/m);
  assert.match(text, /p99, ms +180 +90\.00 +× 2\.00 {2}first is worse/);
  assert.match(text, /schedules differ/);
  assert.match(readFileSync(page, 'utf8'), /"other":\{"name":"auth, 100 users/);
});

test('runs that were not judged, or ended early, are said to be so', () => {
  const doubtful = file('doubtful.json', labResult(60, { exit_code: 6, ended: 'aborted', aborted_by: 'p95' }));
  const text = String(compareResults(doubtful, doubtful, undefined));
  for (const which of ['first', 'second']) {
    assert.match(text, new RegExp(`! The ${which} run was not judged`));
    assert.match(text, new RegExp(`! The ${which} run was ended early by --abort-when`));
  }
});

test('the command line compares, and refuses what is no result with exit code 1', () => {
  const main = fileURLToPath(new URL('../main.ts', import.meta.url));
  const run = (...args: readonly string[]) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [main, 'compare', ...args], { encoding: 'utf8' });
    return { status, text: stdout + stderr };
  };
  assert.equal(run(a, b).status, 0);
  const refused = run(a, file('other.json', { format: 'another' }));
  assert.equal(refused.status, 1);
  assert.match(refused.text, /no result in the format/);
});

test('files that are missing, broken or no result are named', () => {
  for (const [wrong, reason] of [
    [join(folder, 'none.json'), /ENOENT; give the PREFIX\.json/],
    [file('text.json', 'text'), /it is no JSON/],
    [file('null.json', 'null'), /no result in the format/],
    [file('part.json', { format: 'catalytic-lab/1' }), /it lacks options, whole/],
  ] as const)
    assert.match(String(compareResults(a, wrong, undefined)), reason);
});
