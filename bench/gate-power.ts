/**
 * What the lab's gate catches, and how often it raises a false alarm: `node bench/gate-power.ts --help`.
 * @module
 */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { randomOf } from '../packages/lab/src/arrivals/random.ts';
import { startTarget } from '../packages/lab/src/experiments/start-target.ts';
import { describeMachine, type Machine } from '../packages/lab/src/probes/machine.ts';
import { decideCost, type GateVerdict } from '../packages/lab/src/regression/gate-decision.ts';
import { type BlockPair, type Blocks, loadPair } from '../packages/lab/src/regression/pairs.ts';
import { Side } from '../packages/lab/src/regression/side.ts';
import { mixed } from '../packages/lab/src/scenarios/mixed.ts';
import { type PairedRatio, pairedRatio } from '../packages/lab/src/statistics/paired-ratio.ts';
import { mean, table } from './figures.ts';
import { drawCharts } from './line-chart.ts';
import { say, takeTurn } from './setting.ts';
import { service, slowerService } from './slower-service.ts';

const help = `Records pairs of blocks of one service beside the same again, and beside copies that wait busily for 3, 5, 10 and 20 % of the CPU time
they use otherwise (bench/slower-service.patch), each loaded at the same time; then draws gates from them. In every second round the same service is
also loaded in turns with its like, to compare.

  node bench/gate-power.ts --out FILE.json --rounds 60 --block 10    records an hour; goes on where FILE.json ends
  node bench/gate-power.ts --out FILE.json --draw [--chart FILE.svg] draws 1,000 gates for each, prints tables and draws the curve

A gate is drawn by taking as many rounds as it has pairs, with replacement, in the order of time, whole. Every --launch-rounds rounds all
versions are started anew: two processes of the same version differ too.
`;

const { values } = parseArgs({
  options: {
    help: { type: 'boolean', default: false },
    out: { type: 'string', default: 'results/gate-power.json' },
    rounds: { type: 'string', default: '60' },
    'launch-rounds': { type: 'string', default: '12' },
    block: { type: 'string', default: '10' },
    rate: { type: 'string', default: '600' },
    pairs: { type: 'string', default: '12' },
    limit: { type: 'string', default: '5' },
    draws: { type: 'string', default: '1000' },
    draw: { type: 'boolean', default: false },
    chart: { type: 'string' },
  },
});

/** Candidates by name, and the share of their CPU time that they wait on top. Each is compared with a service of its own, A. */
const waits = { 'A again': 0, '+3 %': 0.03, '+5 %': 0.05, '+10 %': 0.1, '+20 %': 0.2 } as const;
type Candidate = keyof typeof waits;
const candidates = Object.keys(waits) as Candidate[];

/** A pair of blocks of A and each of the others, and which launch of the processes they belong to. */
interface Round {
  readonly launch: number;
  readonly pairs: Readonly<Record<Candidate, BlockPair>>;
  /** A block of A and one of the same again, one after the other. */
  readonly inTurns?: Blocks;
}

interface Recorded {
  readonly machine: { readonly day: string } & Pick<Machine, 'cores' | 'cpu' | 'memoryGib' | 'node'>;
  readonly blockSeconds: number;
  readonly rate: number;
  readonly rounds: readonly Round[];
}

const limits = { connectMs: 10_000, answerMs: 30_000 };

const startSide = async (command: string, name: string, stack: AsyncDisposableStack): Promise<Side> => {
  const means = { service: command, databaseUrl: undefined, redisUrl: undefined };
  const { url, adminKeyFile } = stack.use(await startTarget({ kind: 'embedded' }, means));
  const tag = `${name.replace(/\W/g, '')}${Date.now().toString(36)}`;
  const side = await Side.start(
    { target: url, adminKeyFile, scenario: mixed, users: 40, rate: Number(values.rate), limits },
    tag,
  );
  stack.defer(() => side.close());
  return side;
};

/** What waits for nothing is the tree itself, not a copy of it. */
const serviceOf = (name: Candidate): string => (waits[name] === 0 ? service : slowerService(waits[name]));

/** A service and the one it is compared with. */
interface Compared {
  readonly a: Side;
  readonly b: Side;
}

/** Starts all versions anew, each beside an A of its own, as a gate has it, and loads them until they hardly get faster any more. */
const launch = async (index: number, stack: AsyncDisposableStack): Promise<Readonly<Record<Candidate, Compared>>> => {
  const all: Partial<Record<Candidate, Compared>> = {};
  for (const name of candidates) {
    const compared = { a: await startSide(service, 'A', stack), b: await startSide(serviceOf(name), name, stack) };
    await loadPair(compared.a, compared.b, 2 * Number(values.block), { seed: 'warm' });
    all[name] = compared;
    say(`Launch ${index + 1}: ${name} and its A run and are warm`);
  }
  return all as Record<Candidate, Compared>;
};

/** A pair with each candidate; each round begins with another one, and every second round goes backwards. */
const measureRound = async (
  index: number,
  all: Readonly<Record<Candidate, Compared>>,
): Promise<Omit<Round, 'launch'>> => {
  const blockSeconds = Number(values.block);
  const isTurned = index % 2 === 1;
  const seed = `round ${index}`;
  const order = candidates.map((_, at) => candidates[(at + index) % candidates.length] as Candidate);
  const pairs: Partial<Record<Candidate, BlockPair>> = {};
  for (const name of isTurned ? order.toReversed() : order)
    pairs[name] = await loadPair(all[name].a, all[name].b, blockSeconds, { seed, isTurned });
  const round = { pairs: pairs as Record<Candidate, BlockPair> };
  if (isTurned) return round;
  const { a, b } = all['A again'];
  return { ...round, inTurns: { a: await a.load(blockSeconds, seed), b: await b.load(blockSeconds, seed) } };
};

const record = async (): Promise<void> => {
  takeTurn();
  const known = existsSync(values.out) ? (JSON.parse(readFileSync(values.out, 'utf8')) as Recorded) : undefined;
  const rounds: Round[] = [...(known?.rounds ?? [])];
  const { cores, cpu, memoryGib, node } = describeMachine();
  const machine = known?.machine ?? { day: new Date().toISOString().slice(0, 10), cores, cpu, memoryGib, node };
  const [wanted, perLaunch] = [Number(values.rounds), Number(values['launch-rounds'])];
  for (let index = (rounds.at(-1)?.launch ?? -1) + 1; rounds.length < wanted; index++) {
    await using stack = new AsyncDisposableStack();
    const all = await launch(index, stack);
    for (let left = Math.min(perLaunch, wanted - rounds.length); left > 0; ) {
      const round = await measureRound(rounds.length, all);
      const worst = Math.max(...candidates.map((name) => round.pairs[name].othersPercent));
      const costs = candidates
        .map((name) => ({ name, ...round.pairs[name] }))
        .map(({ name, a, b }) => `${name} ${b.cpuUsPerRequest.toFixed(0)} to ${a.cpuUsPerRequest.toFixed(0)}`)
        .join(', ');
      const isDisturbed = worst > 10;
      say(
        `${rounds.length + 1} of ${wanted}: ${costs} µs${isDisturbed ? `; others used ${worst.toFixed(0)} %, again` : ''}`,
      );
      if (isDisturbed) continue;
      rounds.push({ ...round, launch: index });
      left -= 1;
      const recorded: Recorded = { machine, blockSeconds: Number(values.block), rate: Number(values.rate), rounds };
      writeFileSync(`${values.out}.new`, `${JSON.stringify(recorded)}\n`);
      renameSync(`${values.out}.new`, values.out);
    }
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
const judged: readonly {
  readonly name: string;
  readonly pairsOf: (rounds: readonly Round[]) => readonly BlockPair[];
}[] = [
  ...candidates.map((name) => ({
    name,
    pairsOf: (rounds: readonly Round[]) => rounds.map(({ pairs }) => pairs[name]),
  })),
  {
    name: 'A, against A again',
    pairsOf: (rounds) => rounds.map(({ pairs: { 'A again': pair } }) => ({ ...pair, a: pair.b, b: pair.a })),
  },
];
type Judged = (typeof judged)[number];

/** What a gate is: its pairs, and the limit in per cent. */
interface Kind {
  readonly pairs: number;
  readonly limit: number;
}

/** Draws gates. Each takes as many rounds as it has pairs, with replacement, whole, in the order of time, from one of the groups. */
const drawGates = (
  groups: readonly (readonly Round[])[],
  { name, pairsOf }: Judged,
  { pairs, limit }: Kind,
  draws: number,
): Readonly<Record<GateVerdict, number>> => {
  const counts: Record<GateVerdict, number> = { pass: 0, fail: 0, inconclusive: 0 };
  const rule = { limit: 1 + limit / 100, confidence: 0.95 };
  for (let gate = 0; gate < draws; gate++) {
    const random = randomOf(`gate ${name} ${pairs} ${limit}`, gate);
    const pick = (count: number): number => Math.floor(random() * count);
    const group = groups[pick(groups.length)] ?? [];
    const drawn = Array.from({ length: pairs }, () => pick(group.length)).sort((x, y) => x - y);
    counts[decideCost(pairsOf(drawn.map((index) => group[index] as Round)), rule, random).verdict] += 1;
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
  const launches = [...Map.groupBy(rounds, ({ launch }) => launch).values()];
  const draws = Number(values.draws);
  const usual: Kind = { pairs: Number(values.pairs), limit: Number(values.limit) };
  const inTurns = rounds.flatMap((round) => round.inTurns ?? []);
  const measured = judged.slice(0, -1).map(({ name, pairsOf }) => ({ name, pairsOf, whole: ratioOf(pairsOf(rounds)) }));
  const measuredRows = [
    ...measured.map(({ name, pairsOf, whole }) => [
      name,
      ratioText(whole),
      scatterOf(pairsOf(rounds)),
      ...launches.map((launch) => ratioOf(pairsOf(launch)).ratio.toFixed(3)),
    ]),
    ['A again, in turns', ratioText(ratioOf(inTurns)), scatterOf(inTurns)],
  ];
  const verdicts = (groups: readonly (readonly Round[])[]) =>
    judged.map((each) => ({ name: each.name, counts: drawGates(groups, each, usual, draws) }));
  const rowsOf = (drawn: ReturnType<typeof verdicts>) =>
    drawn.map(({ name, counts: { fail, pass, inconclusive } }) => [
      name,
      ...[fail, pass, inconclusive].map((hits) => wilson(hits, draws)),
    ]);
  const head = ['candidate', 'fail', 'pass', 'inconclusive'];
  const [fromAll, fromOne] = [verdicts([rounds]), verdicts(launches)];
  const fewer = draws / 5;
  const kinds: readonly Kind[] = [6, 12, 18].flatMap((pairs) => [3, 5].map((limit) => ({ pairs, limit })));
  const kindRows = kinds.map((kind) => [
    `${kind.pairs} pairs, limit ${kind.limit} %`,
    ...measured.map((each) => `${percent(drawGates([rounds], each, kind, fewer).fail / fewer, 0)} %`),
  ]);
  process.stdout.write(`# What the gate catches, and how often it raises a false alarm

\`node bench/gate-power.ts\`, recorded ${day} on ${cores} cores of ${cpu}, ${memoryGib} GiB, Node ${node}; generator and targets share them. ${rounds.length} rounds: in each, one pair of blocks of ${blockSeconds} s
of A and every candidate, both loaded at the same time, ${rate} requests a second each, scenario \`mixed\`; ${launches.length} launches of all versions.

## What was measured

Ratio of the CPU time of a request to that of A over all rounds (95 %), the scatter of one pair, and the ratio launch by launch. Last, the same
version in turns: a block of A, then one of the same again (${inTurns.length} pairs).

${table(['candidate', 'ratio', 'scatter', ...launches.map((_, index) => `launch ${index + 1}`)], measuredRows)}
## Gates drawn from it

${draws} gates of ${usual.pairs} pairs with a limit of ${usual.limit} % for each candidate, with Wilson's interval (95 %). From all rounds:

${table(head, rowsOf(fromAll))}
Each from the rounds of one launch only, as a gate that launches both versions once:

${table(head, rowsOf(fromOne))}
Share of ${fewer} gates that fail, by pairs and limit, from all rounds:

${table(['gate', ...candidates], kindRows)}`);
  if (values.chart !== undefined) {
    const title = `Gates of ${usual.pairs} pairs, limit ${usual.limit} %, that fail, per cent, by how much more CPU time a request takes`;
    const points = measured
      .map(({ whole }, index): [number, number] => [
        100 * (whole.ratio - 1),
        (100 * (fromAll[index]?.counts.fail ?? 0)) / draws,
      ])
      .sort(([x], [y]) => x - y);
    writeFileSync(values.chart, drawCharts([{ title, points, unit: '%', line: undefined }]));
  }
};

if (values.help) process.stdout.write(help);
else if (values.draw) draw();
else await record();
