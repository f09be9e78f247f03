/**
 * Does a change make the load generator dearer? CPU time for a request of two versions of the lab: `node bench/lab-cost.ts --help`.
 * @module
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { randomOf } from '../packages/lab/src/arrivals/random.ts';
import type { RunResult } from '../packages/lab/src/reports/result.ts';
import { type Pair, pairedRatio } from '../packages/lab/src/statistics/paired-ratio.ts';
import { startNaive } from '../tests/harness/lab.ts';
import { type Conditions, watchStrangers, worstOf } from './cpu.ts';
import { median, round, table } from './figures.ts';
import { finish, numberOption, say } from './setting.ts';

const help = `CPU time that the load generator uses for a request, this version beside another one, both at the same time against a server each.

  node bench/lab-cost.ts --baseline ../released [--pairs 16] [--users 200] [--seconds 15] [--limit 3] [--out FILE.json]

--baseline  a checkout of the other version, with its packages installed
--limit     per cent by which this version may be dearer: its whole interval must lie below

Two loads: the scenario "auth", and a scenario of one's own that asks and checks. For each pair both versions run anew with the same seed, started
in turns; a pair during which other processes had more than 10 % of the machine is measured again. The interval is a bootstrap over pairs (95 %).
About 10 minutes. Exit codes: 0 below the limit, 2 not below, 3 too many pairs were disturbed.
`;

const { values } = parseArgs({
  options: {
    help: { type: 'boolean', short: 'h', default: false },
    baseline: { type: 'string' },
    pairs: { type: 'string', default: '16' },
    users: { type: 'string', default: '200' },
    seconds: { type: 'string', default: '15' },
    limit: { type: 'string', default: '3' },
    out: { type: 'string' },
  },
});

const folder = mkdtempSync(join(tmpdir(), 'catalytic-lab-cost-'));
const candidate = resolve(import.meta.dirname, '..');

/** A scenario of one's own, as both versions understand it. */
const ownScenario = join(folder, 'own.ts');
const ownText = `import { between, defineScenario } from '@catalytic/lab/scenario';
export default defineScenario({
  name: 'own', wait: between(0.1, 0.3), checks: ['it is there'],
  tasks: [{ name: 'ask', run: async (user) => { const answer = await user.get('/health/live'); user.check('it is there', answer.status > 0); } }],
});
`;

interface Side {
  readonly checkout: string;
  readonly url: string;
  readonly name: 'baseline' | 'candidate';
}

/** Microseconds of CPU time for a request, over the whole run. */
const costOf = async ({ checkout, url, name }: Side, scenario: string, seed: string): Promise<number> => {
  const out = join(folder, name);
  // Each has a temporary folder of its own: the turn of measuring is kept there, and both are to measure at once.
  const place = join(folder, `${name}-tmp`);
  mkdirSync(place, { recursive: true });
  const load = ['--users', values.users, '--spawn-rate', '1000', '--duration', `${values.seconds}s`, '--seed', seed];
  const words = ['run', scenario, '--target', url, ...load, '--no-metrics', '--plain', '--out', out];
  if (scenario === 'auth') words.push('--wait', '0.1-0.3');
  const child = spawn(process.execPath, [join(checkout, 'packages/lab/src/main.ts'), ...words], {
    cwd: folder,
    env: { ...process.env, TMPDIR: place },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  await once(child, 'exit');
  const { generator, whole } = JSON.parse(readFileSync(`${out}.json`, 'utf8')) as RunResult;
  if (whole.total.requests === 0) throw new Error(`The ${name} sent no request`);
  return generator.cpu_us_per_request;
};

/** Both at the same time, each against a server of its own. */
const measurePair = async (baseline: string, scenario: string, turn: number): Promise<Pair & Conditions> => {
  await using first = await startNaive('--workers', '1');
  await using second = await startNaive('--workers', '1');
  const sides: readonly Side[] = [
    { name: 'baseline', checkout: baseline, url: first.url },
    { name: 'candidate', checkout: candidate, url: second.url },
  ];
  const conditions = watchStrangers();
  const costs = new Map<Side['name'], number>();
  const ordered = turn % 2 === 0 ? sides : sides.toReversed();
  await Promise.all(ordered.map(async (side) => costs.set(side.name, await costOf(side, scenario, `cost/${turn}`))));
  return { a: costs.get('baseline') ?? Number.NaN, b: costs.get('candidate') ?? Number.NaN, ...conditions() };
};

const measure = async (baseline: string, scenario: string, wanted: number): Promise<readonly (Pair & Conditions)[]> => {
  const pairs: (Pair & Conditions)[] = [];
  for (let turn = 0; pairs.length < wanted && turn < 2 * wanted; turn++) {
    const pair = await measurePair(baseline, scenario, turn);
    const verdict = pair.isValid ? '' : `, disturbed: others used ${pair.strangers_percent} %`;
    say(
      `${scenario === 'auth' ? 'auth' : 'own'} ${turn + 1}: ${pair.a.toFixed(1)} and ${pair.b.toFixed(1)} µs${verdict}`,
    );
    if (pair.isValid) pairs.push(pair);
  }
  if (pairs.length < wanted) throw new Error(`Only ${pairs.length} of ${wanted} pairs were not disturbed by others`);
  return pairs;
};

/** A load, and what a request of it costs both versions. */
interface Measured {
  readonly load: string;
  readonly ratio: number;
  readonly low: number;
  readonly high: number;
  readonly pairs: readonly (Pair & Conditions)[];
}

const main = async (baseline: string): Promise<void> => {
  const wanted = numberOption('pairs', values.pairs, { min: 2, max: 100 });
  const limit = 1 + numberOption('limit', values.limit, { min: 0, max: 100 }) / 100;
  writeFileSync(ownScenario, ownText);
  const measured: Measured[] = [];
  for (const scenario of ['auth', ownScenario]) {
    const pairs = await measure(resolve(baseline), scenario, wanted);
    const { ratio, low, high } = pairedRatio(pairs, randomOf('lab-cost', 0));
    measured.push({ load: scenario === 'auth' ? 'auth' : 'own scenario', ratio, low, high, pairs });
  }
  finish({
    out: values.out,
    figures: { measured },
    table: table(
      ['load', 'baseline µs', 'this version µs', 'ratio', '95 % interval', 'pairs'],
      measured.map(({ load, ratio, low, high, pairs }) => [
        load,
        round(median(pairs.map(({ a }) => a))),
        round(median(pairs.map(({ b }) => b))),
        ratio.toFixed(3),
        `${low.toFixed(3)} to ${high.toFixed(3)}`,
        pairs.length,
      ]),
    ),
    conditions: worstOf(measured.flatMap(({ pairs }) => pairs)),
    missed: measured
      .filter(({ high }) => high >= limit)
      .map(({ load, high }) => `${load}: the interval ends at ${high.toFixed(3)}, not below ${limit.toFixed(3)}`),
  });
};

if (values.help) process.stdout.write(help);
else if (values.baseline === undefined) {
  process.stderr.write(`${help}\nlab-cost: name the other version with --baseline FOLDER\n`);
  process.exitCode = 1;
} else
  try {
    await main(values.baseline);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
