/**
 * Is the lab's gate right, on equal versions and on one that is slower on purpose?
 * @module
 */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { GateDecision } from '../packages/lab/src/regression/gate-decision.ts';
import type { BlockPair } from '../packages/lab/src/regression/pairs.ts';
import { runBench } from './harness/bench.ts';
import { median, table } from './harness/figures.ts';
import { runLab } from './harness/lab.ts';
import { number } from './harness/options.ts';
import { say } from './harness/result.ts';
import { folderOn } from './harness/services.ts';
import { service, slowerService } from './targets/slower-service.ts';

const help = `Runs "catalytic-lab gate" a few times on the same version twice, then as often on a version that waits busily for a tenth of the CPU
time that it uses otherwise (bench/targets/slower-service.patch).

  npm run bench -- gate-rounds [--gates 5] [--pairs 8] [--block 10] [--rate 600] [--planted 10] [--limit 5] [--out FILE]

With blocks of 10 s about half an hour. Exit codes: 0 no equal version failed and every slower one did, 2 otherwise. The gate itself measures
disturbed pairs again.
`;

const options = {
  gates: number(5, { max: 1000 }),
  pairs: number(8, { max: 1000 }),
  block: number(10, { max: 600 }),
  rate: number(600, { max: 20_000 }),
  planted: number(10, { max: 500 }),
  limit: number(5, { min: 0, max: 100 }),
};

/** How a gate is run. */
type Setup = Readonly<Record<'pairs' | 'block' | 'rate' | 'limit', number>>;

/** The part of the file that `catalytic-lab gate --out` writes. */
interface Written extends GateDecision {
  readonly disturbed: number;
  readonly pairs: readonly BlockPair[];
}

const gate = async (folder: string, candidate: string, { pairs, block, rate, limit }: Setup): Promise<Written> => {
  const out = join(folder, 'gate.json');
  rmSync(out, { force: true });
  const sides = ['--baseline-service', service, '--candidate-service', candidate];
  const words = ['--pairs', `${pairs}`, '--block', `${block}s`, '--rate', `${rate}`, '--limit', `${limit}`];
  const code = await runLab(['gate', ...sides, ...words, '--out', out]);
  if (!existsSync(out)) throw new Error(`The gate wrote no result and ended with code ${code}`);
  return JSON.parse(readFileSync(out, 'utf8')) as Written;
};

const rowOf = (candidate: string, { verdict, ratios, pairs, disturbed }: Written): readonly string[] => {
  const { ratio, low, high } = ratios.cpuUsPerRequest;
  const [a, b] = [
    median(pairs.map((pair) => pair.a.cpuUsPerRequest)),
    median(pairs.map((pair) => pair.b.cpuUsPerRequest)),
  ];
  const interval = `${ratio.toFixed(3)} (${low.toFixed(3)} to ${high.toFixed(3)})`;
  return [candidate, verdict, interval, a.toFixed(0), b.toFixed(0), `${pairs.length}, ${disturbed} disturbed`];
};

await runBench({
  help,
  options,
  measures: 'counts',
  run: async ({ values: { gates, planted, ...setup } }, stack) => {
    const folder = folderOn(stack);
    const candidates = [
      { name: 'the same', command: service, mustFail: false },
      { name: `waits ${planted} %`, command: slowerService(planted / 100), mustFail: true },
    ];
    const rows: (readonly string[])[] = [];
    const missed: string[] = [];
    const written: object[] = [];
    for (const { name, command, mustFail } of candidates)
      for (let index = 1; index <= gates; index++) {
        say(`Candidate: ${name}, ${index} of ${gates}`);
        const result = await gate(folder, command, setup);
        rows.push(rowOf(name, result));
        const { verdict, ratios } = result;
        written.push({ candidate: name, verdict, ratios });
        if ((verdict === 'fail') !== mustFail) missed.push(`${name}, gate ${index}: ${verdict}`);
      }
    return {
      figures: { gates, planted, ...setup, written },
      table: `Limit +${setup.limit} %.\n\n${table(
        ['candidate', 'verdict', 'ratio of CPU time a request (95 %)', 'baseline µs', 'candidate µs', 'pairs'],
        rows,
      )}`,
      missed,
    };
  },
});
