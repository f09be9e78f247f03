/**
 * What the lab's gate catches, and how often it raises a false alarm: `node bench/gate-power.ts --help`.
 * @module
 */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { randomOf, shuffled } from '../packages/lab/src/arrivals/random.ts';
import { startTarget } from '../packages/lab/src/experiments/start-target.ts';
import { describeMachine, type Machine } from '../packages/lab/src/probes/machine.ts';
import { decideCost, type GateVerdict } from '../packages/lab/src/regression/gate-decision.ts';
import { type Blocks, loadFresh } from '../packages/lab/src/regression/pairs.ts';
import { type Block, Side } from '../packages/lab/src/regression/side.ts';
import { mixed } from '../packages/lab/src/scenarios/mixed.ts';
import { type PairedRatio, pairedRatio } from '../packages/lab/src/statistics/paired-ratio.ts';
import { mean, table } from './figures.ts';
import { drawCharts } from './line-chart.ts';
import { say, takeTurn } from './setting.ts';
import { service, slowerService } from './slower-service.ts';

const help = `Records blocks of one service, of the same again, and of copies that wait busily for 3, 5, 10 and 20 % of the CPU time they use otherwise
(bench/slower-service.patch); then draws gates from them. All are started anew for each round and loaded at the same time, as in a gate.

  node bench/gate-power.ts --out FILE.json --rounds 60 --block 10    records half an hour; goes on where FILE.json ends
  node bench/gate-power.ts --out FILE.json --draw [--chart FILE.svg] draws 1,000 gates for each, prints tables and draws the curve

A gate is drawn by taking as many rounds as it has pairs, with replacement, in the order of time, whole.
`;

const { values } = parseArgs({
  options: {
    help: { type: 'boolean', default: false },
    out: { type: 'string', default: 'results/gate-power.json' },
    rounds: { type: 'string', default: '60' },
    block: { type: 'string', default: '10' },
    rate: { type: 'string', default: '400' },
    pairs: { type: 'string', default: '8' },
    limit: { type: 'string', default: '5' },
    draws: { type: 'string', default: '1000' },
    draw: { type: 'boolean', default: false },
    chart: { type: 'string' },
  },
});

/** Versions by name, and the share of their CPU time that they wait on top. */
const waits = { A: 0, 'A again': 0, '+3 %': 0.03, '+5 %': 0.05, '+10 %': 0.1, '+20 %': 0.2 } as const;
type Version = keyof typeof waits;
const versions = Object.keys(waits) as Version[];
const candidates = versions.slice(1);

/** A block of each version, all of the same seconds. */
type Round = Readonly<Record<Version, Block>>;

interface Recorded {
  readonly machine: { readonly day: string } & Pick<Machine, 'cores' | 'cpu' | 'memoryGib' | 'node'>;
  readonly blockSeconds: number;
  readonly rate: number;
  readonly rounds: readonly Round[];
}

const limits = { connectMs: 10_000, answerMs: 30_000 };

const startSide = async (name: Version, stack: AsyncDisposableStack): Promise<Side> => {
  // What waits for nothing is the tree itself, not a copy of it.
  const command = waits[name] === 0 ? service : slowerService(waits[name]);
  const means = { service: command, databaseUrl: undefined, redisUrl: undefined };
  const { url, adminKeyFile } = stack.use(await startTarget({ kind: 'embedded' }, means));
  const tag = `${name.replace(/\W/g, '')}${Date.now().toString(36)}`;
  const side = await Side.start({ target: url, adminKeyFile, scenario: mixed, users: 40, limits }, tag);
  stack.defer(() => side.close());
  return side;
};

/** Starts all versions and measures a block of each, in another order each time. */
const measureRound = async (index: number): Promise<{ readonly round: Round; readonly othersPercent: number }> => {
  await using stack = new AsyncDisposableStack();
  const order = shuffled(versions, randomOf(`order ${index}`, 0));
  const sides: Side[] = [];
  for (const name of order) sides.push(await startSide(name, stack));
  const { blocks, othersPercent } = await loadFresh(sides, {
    seconds: Number(values.block),
    rate: Number(values.rate),
    seed: `round ${index}`,
    interrupt: new AbortController().signal,
  });
  const round = Object.fromEntries(order.map((name, at) => [name, blocks[at]])) as unknown as Round;
  return { round, othersPercent };
};

const record = async (): Promise<void> => {
  takeTurn();
  const known = existsSync(values.out) ? (JSON.parse(readFileSync(values.out, 'utf8')) as Recorded) : undefined;
  const rounds: Round[] = [...(known?.rounds ?? [])];
  const { cores, cpu, memoryGib, node } = describeMachine();
  const machine = known?.machine ?? { day: new Date().toISOString().slice(0, 10), cores, cpu, memoryGib, node };
  const wanted = Number(values.rounds);
  while (rounds.length < wanted) {
    const { round, othersPercent } = await measureRound(rounds.length);
    const costs = versions.map((name) => `${name} ${round[name].cpuUsPerRequest.toFixed(0)}`).join(', ');
    const isDisturbed = othersPercent > 10;
    const disturbance = isDisturbed ? `; others used ${othersPercent.toFixed(0)} %, again` : '';
    say(`${rounds.length + 1} of ${wanted}: ${costs} µs${disturbance}`);
    if (isDisturbed) continue;
    rounds.push(round);
    const recorded: Recorded = { machine, blockSeconds: Number(values.block), rate: Number(values.rate), rounds };
    writeFileSync(`${values.out}.new`, `${JSON.stringify(recorded)}\n`);
    renameSync(`${values.out}.new`, values.out);
  }
};

const percent = (share: number, digits = 1): string => (100 * share).toFixed(digits);

/** A share with Wilson's interval, 95 %. */
const wilson = (hits: number, all: number): string => {
  const z = 1.96;
  const share = hits / all;
  const middle = (share + z ** 2 / (2 * all)) / (1 + z ** 2 / all);
  const half = (z * Math.sqrt((share * (1 - share)) / all + z ** 2 / (4 * all ** 2))) / (1 + z ** 2 / all);
  return `${percent(share)} % (${percent(Math.max(0, middle - half))} to ${percent(middle + half)})`;
};

/** What gates are drawn for: each candidate against A, and A against the same again. */
const judged: readonly { readonly name: string; readonly pairOf: (round: Round) => Blocks }[] = [
  ...candidates.map((name) => ({ name, pairOf: (round: Round) => ({ a: round.A, b: round[name] }) })),
  { name: 'A, against A again', pairOf: (round) => ({ a: round['A again'], b: round.A }) },
];
type Judged = (typeof judged)[number];

/** What a gate is: its pairs, and the limit in per cent. */
interface Kind {
  readonly pairs: number;
  readonly limit: number;
}

const drawGates = (
  rounds: readonly Round[],
  { name, pairOf }: Judged,
  { pairs, limit }: Kind,
  draws: number,
): Readonly<Record<GateVerdict, number>> => {
  const counts: Record<GateVerdict, number> = { pass: 0, fail: 0, inconclusive: 0 };
  const rule = { limit: 1 + limit / 100, confidence: 0.95 };
  for (let gate = 0; gate < draws; gate++) {
    const random = randomOf(`gate ${name} ${pairs} ${limit}`, gate);
    const drawn = Array.from({ length: pairs }, () => Math.floor(random() * rounds.length)).sort((x, y) => x - y);
    counts[
      decideCost(
        drawn.map((index) => pairOf(rounds[index] as Round)),
        rule,
        random,
      ).verdict
    ] += 1;
  }
  return counts;
};

/** Scatter of a pair's ratio about their mean, one standard deviation, per cent. */
const scatterOf = (pairs: readonly Blocks[]): string => {
  const logs = pairs.map(({ a, b }) => Math.log(b.cpuUsPerRequest / a.cpuUsPerRequest));
  const middle = mean(logs);
  return `${percent(Math.sqrt(mean(logs.map((log) => (log - middle) ** 2)) * (logs.length / (logs.length - 1))))} %`;
};

const ratioOf = (pairs: readonly Blocks[]): PairedRatio =>
  pairedRatio(
    pairs.map(({ a, b }) => ({ a: a.cpuUsPerRequest, b: b.cpuUsPerRequest })),
    randomOf('ratio', 0),
  );

const ratioText = ({ ratio, low, high }: PairedRatio): string =>
  `× ${ratio.toFixed(3)} (${low.toFixed(3)} to ${high.toFixed(3)})`;

const draw = (): void => {
  const { rounds, blockSeconds, rate, machine } = JSON.parse(readFileSync(values.out, 'utf8')) as Recorded;
  const { day, cores, cpu, memoryGib, node } = machine;
  const draws = Number(values.draws);
  const usual: Kind = { pairs: Number(values.pairs), limit: Number(values.limit) };
  const fewer = draws / 5;
  const kinds: readonly Kind[] = [6, 8, 12, 18].flatMap((pairs) => [3, 5].map((limit) => ({ pairs, limit })));
  const drawn = judged.map((each) => {
    const pairs = rounds.map(each.pairOf);
    const { fail, pass, inconclusive } = drawGates(rounds, each, usual, draws);
    const shares = [fail, pass, inconclusive].map((hits) => wilson(hits, draws));
    const byKind = kinds.map((kind) => `${percent(drawGates(rounds, each, kind, fewer).fail / fewer, 0)} %`);
    say(`${each.name} drawn`);
    return { name: each.name, whole: ratioOf(pairs), scatter: scatterOf(pairs), fail, shares, byKind };
  });
  const candidatesDrawn = drawn.slice(0, -1);
  process.stdout.write(`# What the gate catches, and how often it raises a false alarm

\`node bench/gate-power.ts\`, recorded ${day} on ${cores} cores of ${cpu}, ${memoryGib} GiB, Node ${node}; generator and targets share them. ${rounds.length} rounds: in each, all versions
are started anew and loaded at the same time, ${rate} requests a second each, scenario \`mixed\`; one block of ${blockSeconds} s of each is kept.

## What was measured

Ratio of the CPU time of a request to that of A over all rounds (95 %), and the scatter of one pair (a standard deviation).

${table(
  ['candidate', 'ratio', 'scatter'],
  candidatesDrawn.map(({ name, whole, scatter }) => [name, ratioText(whole), scatter]),
)}
## Gates drawn from it

${draws} gates of ${usual.pairs} pairs with a limit of ${usual.limit} % for each candidate, with Wilson's interval (95 %).

${table(
  ['candidate', 'fail', 'pass', 'inconclusive'],
  drawn.map(({ name, shares }) => [name, ...shares]),
)}
Share of ${fewer} gates that fail, by pairs and limit:

${table(
  ['gate', ...candidates],
  kinds.map(({ pairs, limit }, at) => [
    `${pairs} pairs, limit ${limit} %`,
    ...candidatesDrawn.map(({ byKind }) => byKind[at]),
  ]),
)}`);
  if (values.chart !== undefined) {
    const title = `Gates of ${usual.pairs} pairs, limit ${usual.limit} %, that fail, per cent, by how much more CPU time a request takes`;
    const points = candidatesDrawn
      .map(({ whole, fail }): [number, number] => [100 * (whole.ratio - 1), (100 * fail) / draws])
      .sort(([x], [y]) => x - y);
    writeFileSync(values.chart, drawCharts([{ title, points, unit: '%', line: undefined }]));
  }
};

if (values.help) process.stdout.write(help);
else if (values.draw) draw();
else await record();
