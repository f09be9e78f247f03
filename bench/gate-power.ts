/**
 * What does the lab's gate catch, and how often does it raise a false alarm?
 * @module
 */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { randomOf, shuffled } from '../packages/lab/src/arrivals/random.ts';
import { startTarget } from '../packages/lab/src/launch/start-target.ts';
import type { Machine } from '../packages/lab/src/probes/machine.ts';
import { decideCost, type GateVerdict } from '../packages/lab/src/regression/gate-decision.ts';
import { type Blocks, loadFresh } from '../packages/lab/src/regression/pairs.ts';
import { type Block, Side } from '../packages/lab/src/regression/side.ts';
import { mixed } from '../packages/lab/src/scenarios/mixed.ts';
import { type PairedRatio, pairedRatio } from '../packages/lab/src/statistics/paired-ratio.ts';
import { runBench, takeTurn } from './harness/bench.ts';
import { mean, table } from './harness/figures.ts';
import { drawCharts } from './harness/line-chart.ts';
import { flag, number, optionalText, RefusedError, text } from './harness/options.ts';
import { machine, say } from './harness/result.ts';
import { service, slowerService } from './targets/slower-service.ts';

const help = `Records blocks of one service, of the same again, and of copies that wait busily for 3, 5, 10 and 20 % of the CPU time they use otherwise
(bench/targets/slower-service.patch); then draws gates from them. All are started anew for each round and loaded at the same time, as in a gate.

  npm run bench -- gate-power --out FILE.json --rounds 60 --block 10    records half an hour; goes on where FILE.json ends
  npm run bench -- gate-power --out FILE.json --draw [--report FILE.md] [--chart FILE.svg]
                                                                        draws 1,000 gates for each, prints tables and draws the curve

A gate is drawn by taking as many rounds as it has pairs, with replacement, in the order of time, whole.
`;

/** Versions by name, and the extra share of their CPU time that they wait. */
const waits = { A: 0, 'A again': 0, '+3 %': 0.03, '+5 %': 0.05, '+10 %': 0.1, '+20 %': 0.2 } as const;
type Version = keyof typeof waits;
const versions = Object.keys(waits) as Version[];
const candidates = versions.slice(1);

/** A block of each version, all of the same seconds. */
type Round = Readonly<Record<Version, Block>>;

/** The recording: a working file of this bench, which it continues and draws from. */
interface Recorded {
  readonly machine: { readonly day: string } & Pick<Machine, 'cores' | 'cpu' | 'memoryGib' | 'node'>;
  readonly blockSeconds: number;
  readonly rate: number;
  readonly rounds: readonly Round[];
}

const limits = { connectMs: 10_000, answerMs: 30_000 };

const startSide = async (name: Version, stack: AsyncDisposableStack): Promise<Side> => {
  // A version that does not wait is the tree itself, not a copy of it.
  const command = waits[name] === 0 ? service : slowerService(waits[name]);
  const means = { service: command, databaseUrl: undefined, redisUrl: undefined };
  const { url, adminKeyFile } = stack.use(await startTarget({ kind: 'embedded' }, means));
  const tag = `${name.replace(/\W/g, '')}${Date.now().toString(36)}`;
  const side = await Side.start({ target: url, adminKeyFile, scenario: mixed, users: 40, limits }, tag);
  stack.defer(() => side.close());
  return side;
};

/** Starts all versions and measures a block of each, in another order each time. */
const measureRound = async (
  index: number,
  { block, rate }: Recording,
): Promise<{ readonly round: Round; readonly othersPercent: number }> => {
  await using stack = new AsyncDisposableStack();
  const order = shuffled(versions, randomOf(`order ${index}`, 0));
  const sides: Side[] = [];
  for (const name of order) sides.push(await startSide(name, stack));
  const { blocks, othersPercent } = await loadFresh(sides, {
    seconds: block,
    rate,
    seed: `round ${index}`,
    interrupt: new AbortController().signal,
  });
  const round = Object.fromEntries(order.map((name, at) => [name, blocks[at]])) as unknown as Round;
  return { round, othersPercent };
};

/** How a recording is made. */
interface Recording {
  readonly out: string;
  readonly rounds: number;
  /** Seconds of a block. */
  readonly block: number;
  readonly rate: number;
}

const readRecorded = (file: string): Recorded => {
  if (!existsSync(file))
    throw new RefusedError(`Cannot draw from ${file}: there is no such file; record it first, without --draw`);
  return JSON.parse(readFileSync(file, 'utf8')) as Recorded;
};

/** Largest share of the machine that others may have in a round that counts, per cent. */
const othersPercentMax = 10;

/** Records rounds until there are enough, and goes on with the recording that is there. */
const record = async (recording: Recording): Promise<Recorded> => {
  takeTurn();
  const { out, rounds: wanted, block, rate } = recording;
  const known = existsSync(out) ? readRecorded(out) : undefined;
  const rounds: Round[] = [...(known?.rounds ?? [])];
  const { cores, cpu, memoryGib, node } = machine;
  const recordedOn = known?.machine ?? { day: new Date().toISOString().slice(0, 10), cores, cpu, memoryGib, node };
  const recorded = (): Recorded => ({ machine: recordedOn, blockSeconds: block, rate, rounds });
  mkdirSync(dirname(out), { recursive: true });
  while (rounds.length < wanted) {
    const { round, othersPercent } = await measureRound(rounds.length, recording);
    const costs = versions.map((name) => `${name} ${round[name].cpuUsPerRequest.toFixed(0)}`).join(', ');
    const isDisturbed = othersPercent > othersPercentMax;
    const disturbance = isDisturbed ? `; others used ${othersPercent.toFixed(0)} %, again` : '';
    say(`${rounds.length + 1} of ${wanted}: ${costs} µs${disturbance}`);
    if (isDisturbed) continue;
    rounds.push(round);
    writeFileSync(`${out}.new`, `${JSON.stringify(recorded())}\n`);
    renameSync(`${out}.new`, out);
  }
  return recorded();
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

/** The comparisons that gates are drawn for: each candidate against A, and A against the same again. */
const judged: readonly { readonly name: string; readonly pairOf: (round: Round) => Blocks }[] = [
  ...candidates.map((name) => ({ name, pairOf: (round: Round) => ({ a: round.A, b: round[name] }) })),
  { name: 'A, against A again', pairOf: (round) => ({ a: round['A again'], b: round.A }) },
];
type Judged = (typeof judged)[number];

/** A gate: its pairs, and the limit in per cent. */
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

/** How gates are drawn. */
interface Drawing {
  readonly usual: Kind;
  /** Gates for each candidate. */
  readonly draws: number;
}

/** Kinds of gates that are compared, with a fifth of the draws. */
const kinds: readonly Kind[] = [6, 8, 12, 18].flatMap((pairs) => [3, 5].map((limit) => ({ pairs, limit })));
const fewer = 5;

const drawAll = (rounds: readonly Round[], { usual, draws }: Drawing) =>
  judged.map((each) => {
    const pairs = rounds.map(each.pairOf);
    const { fail, pass, inconclusive } = drawGates(rounds, each, usual, draws);
    const shares = [fail, pass, inconclusive].map((hits) => wilson(hits, draws));
    const few = draws / fewer;
    const byKind = kinds.map((kind) => `${percent(drawGates(rounds, each, kind, few).fail / few, 0)} %`);
    say(`${each.name} drawn`);
    return { name: each.name, whole: ratioOf(pairs), scatter: scatterOf(pairs), fail, shares, byKind };
  });
type Drawn = ReturnType<typeof drawAll>;

const describe = (
  { rounds, blockSeconds, rate, machine: where }: Recorded,
  drawn: Drawn,
  { usual, draws }: Drawing,
) => {
  const { day, cores, cpu, memoryGib, node } = where;
  const candidatesDrawn = drawn.slice(0, -1);
  return `Recorded ${day} on ${cores} cores of ${cpu}, ${memoryGib} GiB, Node ${node}; generator and targets share them. ${rounds.length} rounds: in each, all versions
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
Share of ${draws / fewer} gates that fail, by pairs and limit:

${table(
  ['gate', ...candidates],
  kinds.map(({ pairs, limit }, at) => [
    `${pairs} pairs, limit ${limit} %`,
    ...candidatesDrawn.map(({ byKind }) => byKind[at]),
  ]),
)}`;
};

const chartOf = (drawn: Drawn, { usual, draws }: Drawing): string => {
  const title = `Gates of ${usual.pairs} pairs, limit ${usual.limit} %, that fail, per cent, by how much more CPU time a request takes`;
  const points = drawn
    .slice(0, -1)
    .map(({ whole, fail }): [number, number] => [100 * (whole.ratio - 1), (100 * fail) / draws])
    .sort(([x], [y]) => x - y);
  return drawCharts([{ title, points, unit: '%', line: undefined }]);
};

await runBench({
  help,
  options: {
    out: text('results/gate-power.json'),
    rounds: number(60, { max: 10_000 }),
    block: number(10, { max: 600 }),
    rate: number(400, { max: 20_000 }),
    pairs: number(8, { min: 2, max: 1000 }),
    limit: number(5, { min: 0, max: 100 }),
    draws: number(1000, { min: 5, max: 1_000_000 }),
    draw: flag,
    report: optionalText,
    chart: optionalText,
  },
  // Drawing measures nothing, and recording measures disturbed rounds again.
  measures: 'counts',
  run: async ({ values: { out, rounds, block, rate, pairs, limit, draws, draw, report, chart } }) => {
    if (!draw) {
      const recorded = await record({ out, rounds, block, rate });
      return { figures: { recording: out, rounds: recorded.rounds.length } };
    }
    const recorded = readRecorded(out);
    const drawing: Drawing = { usual: { pairs, limit }, draws };
    const drawn = drawAll(recorded.rounds, drawing);
    if (chart !== undefined) writeFileSync(chart, chartOf(drawn, drawing));
    return {
      figures: { recordedOn: recorded.machine, draws, ...drawing.usual, drawn },
      table: describe(recorded, drawn, drawing),
      ...(report === undefined ? {} : { file: report }),
    };
  },
});
