/**
 * Whole gates, end to end, on equal versions and on one that is slower on purpose: `node bench/gate-rounds.ts --help`.
 * @module
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { GateDecision } from '../packages/lab/src/regression/gate-decision.ts';
import type { BlockPair } from '../packages/lab/src/regression/pairs.ts';
import { median, table } from './figures.ts';
import { reportHead, say } from './setting.ts';
import { service, slowerService } from './slower-service.ts';

const help = `Runs "catalytic-lab gate" some times on the same version twice, then some times on a version that waits busily for a tenth of the
CPU time that it uses otherwise (bench/slower-service.patch).

  node bench/gate-rounds.ts [--gates 5] [--pairs 8] [--block 10] [--rate 600] [--planted 10] [--limit 5] [--out FILE.md]

With blocks of 10 s about half an hour. Exit codes: 0 no equal version failed and every slower one did, 2 not so.
`;

const { values } = parseArgs({
  options: {
    help: { type: 'boolean', short: 'h', default: false },
    gates: { type: 'string', default: '5' },
    pairs: { type: 'string', default: '8' },
    block: { type: 'string', default: '10' },
    rate: { type: 'string', default: '600' },
    planted: { type: 'string', default: '10' },
    limit: { type: 'string', default: '5' },
    out: { type: 'string' },
  },
});

/** What `catalytic-lab gate --out` writes, as far as it is used here. */
interface Written extends GateDecision {
  readonly disturbed: number;
  readonly pairs: readonly BlockPair[];
}

const lab = fileURLToPath(new URL('../packages/lab/src/main.ts', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'catalytic-gates-'));

const gate = async (candidate: string): Promise<Written> => {
  const out = join(folder, 'gate.json');
  rmSync(out, { force: true });
  const { pairs, block, rate, limit } = values;
  const sides = ['--baseline-service', service, '--candidate-service', candidate];
  const words = ['gate', ...sides, '--pairs', pairs, '--block', `${block}s`, '--rate', rate, '--limit', limit];
  const child = spawn(process.execPath, [lab, ...words, '--out', out], { stdio: ['ignore', 'inherit', 'inherit'] });
  await once(child, 'exit');
  return JSON.parse(readFileSync(out, 'utf8')) as Written;
};

const row = (candidate: string, { verdict, ratios, pairs, disturbed }: Written): readonly string[] => {
  const { ratio, low, high } = ratios.cpuUsPerRequest;
  const [a, b] = [
    median(pairs.map((pair) => pair.a.cpuUsPerRequest)),
    median(pairs.map((pair) => pair.b.cpuUsPerRequest)),
  ];
  const interval = `${ratio.toFixed(3)} (${low.toFixed(3)} to ${high.toFixed(3)})`;
  return [candidate, verdict, interval, a.toFixed(0), b.toFixed(0), `${pairs.length}, ${disturbed} disturbed`];
};

const run = async (): Promise<void> => {
  const gates = Number(values.gates);
  const rows: (readonly string[])[] = [];
  let wrong = 0;
  for (let index = 1; index <= gates; index++) {
    say(`Equal versions, ${index} of ${gates}`);
    const written = await gate(service);
    rows.push(row('the same', written));
    if (written.verdict === 'fail') wrong += 1;
  }
  for (let index = 1; index <= gates; index++) {
    say(`One that waits ${values.planted} %, ${index} of ${gates}`);
    const written = await gate(slowerService(Number(values.planted) / 100));
    rows.push(row(`waits ${values.planted} %`, written));
    if (written.verdict !== 'fail') wrong += 1;
  }
  const text = `${reportHead('Whole gates', `gate-rounds.ts --pairs ${values.pairs} --block ${values.block} --rate ${values.rate}`)}

Limit +${values.limit} %.

${table(['candidate', 'verdict', 'ratio of CPU time a request (95 %)', 'baseline µs', 'candidate µs', 'pairs'], rows)}
`;
  process.stdout.write(text);
  if (values.out !== undefined) writeFileSync(values.out, text);
  process.exitCode = wrong === 0 ? 0 : 2;
};

if (values.help) process.stdout.write(help);
else
  try {
    await run();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
