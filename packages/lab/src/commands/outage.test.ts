import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, suite, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { runLab, startManyWorkers } from '../../../../tests/harness/lab.ts';
import { folderIn } from '../../../../tests/harness/service.ts';
import type { OutageResult } from '../results/outage-result.ts';
import type { RunResult } from '../results/result.ts';

const fileOf = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const schema = JSON.parse(readFileSync(fileOf('../results/result.schema.json'), 'utf8')) as object;
const folder = folderIn({ after });

const users = ['--users', '20', '--spawn-rate', '100', '--wait', '0.05-0.15'];

/**
 * Runs the scenario against three processes behind one port.
 * @param args is given one of these processes: to pause it is an outage that requests feel
 */
const load = async (args: (pid: string) => readonly string[]) => {
  await using service = await startManyWorkers('right');
  const out = join(mkdtempSync(join(folder, 'run-')), 'result');
  const { headers } = await fetch(`${service.url}/health/live`);
  const [, , pid = ''] = (headers.get('catalytic-worker') ?? '').split('/');
  const ended = await runLab(folder, ['run', 'outage', '--target', service.url, '--out', out, ...users, ...args(pid)]);
  const result = JSON.parse(readFileSync(`${out}.json`, 'utf8')) as RunResult;
  const validate = new Ajv2020().compile(schema);
  assert.ok(validate(result), JSON.stringify(validate.errors));
  const outage: OutageResult = result.outage ?? assert.fail('no outage in the result');
  return { ...ended, result, outage, markdown: readFileSync(`${out}.md`, 'utf8') };
};

const phaseOf = ({ phases }: OutageResult, name: string) =>
  phases.find((phase) => phase.name === name) ?? assert.fail(`no phase "${name}"`);

suite('catalytic-lab run outage', { concurrency: 2 }, () => {
  test('what was declared is paused and flushed in turn, and the report tells it phase by phase', async () => {
    const { code, output, result, outage, markdown } = await load((pid) => [
      ...['--duration', '12s', '--process', `redis=${pid}:single`, '--command', 'redis-flush=echo gone; sleep 0.2'],
    ]);
    // On a busy machine the run may be invalid, or a recovery slow.
    assert.ok(code === 0 || code === 2 || code === 3 || code === 6, output);
    assert.match(
      output,
      /Outages: redis paused from 3\.\d s to 5\.\d s, redis flushed at 8\.\d s; the lease is .* 5 s/,
    );
    assert.match(output, /Left out, not declared: kill redis \(needs --command "redis-start=…"\); pause postgres/);
    assert.deepEqual(
      outage.phases.map(({ name }) => name),
      ['starting', 'before', 'redis paused', 'after redis paused', 'redis flushed', 'after redis flushed'],
    );
    assert.deepEqual(
      result.faults.map(({ name, fault, error }) => [name, fault, error]),
      [
        ['redis', 'pause', null],
        ['redis', 'resume', null],
        ['redis-flush', 'run', null],
      ],
    );
    const flush = result.faults[2];
    assert.ok((flush?.done_s ?? 0) - (flush?.actual_s ?? 0) > 0.15, 'a command takes its time');

    // Requests to the paused process, and all sign-outs, wait until it goes on: they belong to the phase in which they were sent.
    const paused = phaseOf(outage, 'redis paused').window.total;
    assert.ok(paused.max_ms > 1000, `${paused.max_ms} ms`);
    assert.ok((phaseOf(outage, 'before').window.total.percentiles_ms['50'] ?? 1000) < 1000);
    const requests = outage.phases.reduce((sum, { window }) => sum + window.total.requests, 0);
    assert.equal(requests, result.whole.total.requests, 'each request is in one phase');
    assert.equal(
      outage.phases.reduce((sum, { logouts }) => sum + logouts.completed, 0),
      result.logouts.completed,
    );
    assert.equal(result.whole.total.real, 0, output);
    assert.equal(result.consistency.violations, 0, output);

    assert.deepEqual(
      outage.recoveries.map(({ name, failures_end_ms }) => [name, failures_end_ms]),
      [
        ['redis paused', 0],
        ['redis flushed', 0],
      ],
    );
    const criteria = result.verdicts.map(({ criterion }) => criterion);
    assert.ok(criteria.includes('redis paused: real failures, %'));
    assert.ok(criteria.includes('after redis flushed: real failures, %'));
    assert.ok(criteria.includes('redis paused: healed until logouts take their usual time, ms'));
    assert.match(
      markdown,
      /## Timeline[\s\S]*redis-flush: run[\s\S]*outages +1+ +2+ +1 s each\n +1 redis paused, 3\.\d to 5\.\d s/,
    );
    assert.match(markdown, /\| \*\*redis flushed\*\* \|/);
    assert.match(markdown, /### Phase: after redis paused/);
  });

  test('while the database is away checks within the lease must be answered, and later ones are only counted', async () => {
    const { code, output, result, outage } = await load((pid) => [
      ...['--duration', '7s', '--timeout', '1s', '--lease', '1s', '--process', `postgres=${pid}:single`],
      ...['--fault', 'postgres:pause@2s', '--fault', 'postgres:resume@4s'],
    ]);
    assert.ok(code === 2 || code === 3, output);
    assert.deepEqual(
      outage.phases.map(({ name }) => name),
      ['starting', 'before', 'postgres paused', 'after postgres paused'],
    );
    const paused = phaseOf(outage, 'postgres paused');
    assert.equal(outage.judged_lease_s, 0.8);
    assert.ok((paused.leased_checks?.real ?? 0) > 0, output);
    assert.ok((paused.leased_checks?.requests ?? 0) < paused.window.total.requests);
    assert.equal(paused.refused_as_designed, 0, 'no answer is not the answer that a service must give');
    assert.ok(paused.errors.some(({ error }) => error === 'no answer: answer timeout'));
    const failed = result.verdicts.filter(({ verdict }) => verdict === 'failed').map(({ criterion }) => criterion);
    assert.ok(failed.includes('postgres paused: real failures of token checks within the lease, %'), output);
    // Of PostgreSQL no recovery is asked.
    assert.deepEqual(
      outage.recoveries.map(({ verdicts }) => verdicts),
      [[]],
    );
  });

  test('nothing to break, and too short a run, are refused with what would do', async () => {
    const nothing = await runLab(folder, ['run', 'outage']);
    assert.equal(nothing.code, 1);
    assert.match(nothing.output, /nothing to break: declare redis or postgres, for example --process redis=/);
    const short = await runLab(folder, ['run', 'outage', '--duration', '5s', '--command', 'redis-flush=true']);
    assert.equal(short.code, 1);
    assert.match(short.output, /does not fit into 5 s: .* take at least --duration 11s/);
  });
});
