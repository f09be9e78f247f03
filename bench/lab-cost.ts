/**
 * Does a change make the load generator more expensive?
 * @module
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { randomOf } from '../packages/lab/src/arrivals/random.ts';
import type { RunResult } from '../packages/lab/src/results/result.ts';
import { type Pair, pairedRatio } from '../packages/lab/src/statistics/paired-ratio.ts';
import { startNaive } from '../tests/harness/lab.ts';
import { runBench } from './harness/bench.ts';
import { type Conditions, watchStrangers, worstOf } from './harness/conditions.ts';
import { median, round, table } from './harness/figures.ts';
import { number, optionalText, RefusedError } from './harness/options.ts';
import { say } from './harness/result.ts';
import { folderOn, root } from './harness/services.ts';

const help = `CPU time that the load generator uses for a request, this version beside another one, both at the same time against a server each.

  npm run bench -- lab-cost --baseline ../released [--pairs 16] [--users 200] [--seconds 15] [--limit 3] [--out FILE]

--baseline  a checkout of the other version, with its packages installed
--limit     per cent by which this version may be more expensive: its whole interval must lie below

Two loads: the scenario "auth", and an own scenario that sends and checks. For each pair both versions run anew with the same seed, started
in turns; a pair during which other processes had more than 10 % of the machine is measured again. The interval is a bootstrap over pairs (95 %).
About 10 minutes. Exit codes: 0 below the limit, 2 not below, 3 too many pairs were disturbed.
`;

/** An own scenario, as both versions understand it. */
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

/** How pairs are measured. */
interface Load {
  /** `auth`, or the file of the own scenario. */
  readonly scenario: string;
  readonly folder: string;
  readonly baseline: string;
  readonly users: number;
  readonly seconds: number;
}

const nameOf = (scenario: string): string => (scenario === 'auth' ? 'auth' : 'own scenario');

/** Microseconds of CPU time for a request, over the whole run. */
const costOf = async ({ checkout, url, name }: Side, load: Load, seed: string): Promise<number> => {
  const { scenario, folder, users, seconds } = load;
  const out = join(folder, name);
  // Separate temporary folders: the turn of measuring is kept there, and both must measure at once.
  const place = join(folder, `${name}-tmp`);
  mkdirSync(place, { recursive: true });
  const amount = ['--users', `${users}`, '--spawn-rate', '1000', '--duration', `${seconds}s`, '--seed', seed];
  const words = ['run', scenario, '--target', url, ...amount, '--no-metrics', '--plain', '--out', out];
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

type ConditionedPair = Pair & Conditions;

/** Measures both at the same time, each against its own server. */
const measurePair = async (load: Load, turn: number): Promise<ConditionedPair> => {
  await using first = await startNaive('--workers', '1');
  await using second = await startNaive('--workers', '1');
  const sides: readonly Side[] = [
    { name: 'baseline', checkout: load.baseline, url: first.url },
    { name: 'candidate', checkout: root, url: second.url },
  ];
  const conditions = watchStrangers();
  const costs = new Map<Side['name'], number>();
  const ordered = turn % 2 === 0 ? sides : sides.toReversed();
  await Promise.all(ordered.map(async (side) => costs.set(side.name, await costOf(side, load, `cost/${turn}`))));
  return { a: costs.get('baseline') ?? Number.NaN, b: costs.get('candidate') ?? Number.NaN, ...conditions() };
};

/** Measures undisturbed pairs until there are enough, or twice as many have been tried. */
const measurePairs = async (load: Load, wanted: number) => {
  const pairs: ConditionedPair[] = [];
  let worst: Conditions | undefined;
  for (let turn = 0; pairs.length < wanted && turn < 2 * wanted; turn++) {
    const pair = await measurePair(load, turn);
    const verdict = pair.isValid ? '' : `, disturbed: others used ${pair.strangersPercent} %`;
    say(`${nameOf(load.scenario)} ${turn + 1}: ${pair.a.toFixed(1)} and ${pair.b.toFixed(1)} µs${verdict}`);
    if (pair.isValid) pairs.push(pair);
    else worst = pair;
  }
  const isEnough = pairs.length >= wanted;
  return { pairs, conditions: isEnough || worst === undefined ? worstOf(pairs) : worstOf([...pairs, worst]) };
};

const measure = async (load: Load, wanted: number) => {
  const { pairs, conditions } = await measurePairs(load, wanted);
  const hasRatio = pairs.length >= 2;
  const none = { ratio: Number.NaN, low: Number.NaN, high: Number.NaN };
  const { ratio, low, high } = hasRatio ? pairedRatio(pairs, randomOf('lab-cost', 0)) : none;
  return { load: nameOf(load.scenario), ratio, low, high, pairs, conditions };
};

await runBench({
  help,
  options: {
    baseline: optionalText,
    pairs: number(16, { min: 2, max: 100 }),
    users: number(200, { max: 10_000 }),
    seconds: number(15, { max: 600 }),
    limit: number(3, { min: 0, max: 100 }),
  },
  measures: 'times, by the lab',
  run: async ({ values: { baseline, pairs: wanted, users, seconds, limit: percent } }, stack) => {
    if (baseline === undefined) throw new RefusedError('Name the other version with --baseline FOLDER');
    const limit = 1 + percent / 100;
    const folder = folderOn(stack);
    const ownScenario = join(folder, 'own.ts');
    writeFileSync(ownScenario, ownText);
    const measured = [];
    for (const scenario of ['auth', ownScenario])
      measured.push(await measure({ scenario, folder, baseline: resolve(baseline), users, seconds }, wanted));
    return {
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
      conditions: worstOf(measured.map(({ conditions }) => conditions)),
      missed: measured
        .filter(({ high }) => high >= limit)
        .map(({ load, high }) => `${load}: the interval ends at ${high.toFixed(3)}, not below ${limit.toFixed(3)}`),
    };
  },
});
