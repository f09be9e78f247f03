/**
 * What the lab's gate catches, and how often it raises a false alarm: `node bench/gate-power.ts --help`.
 * @module
 */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { randomOf } from '../packages/lab/src/arrivals/random.ts';
import { startTarget } from '../packages/lab/src/experiments/start-target.ts';
import { decide, type GateVerdict } from '../packages/lab/src/regression/gate-decision.ts';
import { type Block, Side } from '../packages/lab/src/regression/side.ts';
import { mixed } from '../packages/lab/src/scenarios/mixed.ts';
import { drawCharts } from './line-chart.ts';
import { say, takeTurn } from './setting.ts';
import { service, slowerService } from './slower-service.ts';

const help = `Records blocks of the same load on one service, the same again, and copies that wait busily for 3, 5, 10 and 20 % of the CPU time they use
otherwise (bench/slower-service.patch); then draws gates from them.

  node bench/gate-power.ts --out FILE.json --rounds 60 --block 10    records an hour; goes on where FILE.json ends
  node bench/gate-power.ts --out FILE.json --draw [--chart FILE.svg] draws 1,000 gates for each, prints the table and draws the curve

A gate is drawn by taking as many rounds as it has pairs, with replacement, in the order of time, whole.
`;

const { values } = parseArgs({
  options: {
    help: { type: 'boolean', default: false },
    out: { type: 'string', default: 'results/gate-power.json' },
    rounds: { type: 'string', default: '60' },
    'launch-rounds': { type: 'string', default: '12' },
    block: { type: 'string', default: '10' },
    rate: { type: 'string', default: '1000' },
    pairs: { type: 'string', default: '12' },
    limit: { type: 'string', default: '5' },
    draws: { type: 'string', default: '1000' },
    draw: { type: 'boolean', default: false },
    chart: { type: 'string' },
  },
});

/** Versions by name, and the share of their CPU time that they wait on top. */
const versions = { A: 0, 'A again': 0, '+3 %': 0.03, '+5 %': 0.05, '+10 %': 0.1, '+20 %': 0.2 } as const;
type Version = keyof typeof versions;
const names = Object.keys(versions) as Version[];

/** One block of every version, next to each other in time, and which launch of the processes it belongs to. */
type Round = Readonly<Record<Version, Block>> & { readonly launch: number };

interface Recorded {
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

/** The versions that wait for nothing are the tree itself, not a copy of it. */
const serviceOf = (name: Version): string => (versions[name] === 0 ? service : slowerService(versions[name]));

/** Starts all versions anew, another one first each time, and loads them until they no longer get faster. */
const launch = async (index: number, stack: AsyncDisposableStack): Promise<ReadonlyMap<Version, Side>> => {
  const sides = new Map<Version, Side>();
  for (let at = 0; at < names.length; at++) {
    const name = names[(at + index) % names.length] as Version;
    const side = await startSide(serviceOf(name), name, stack);
    await side.load(2 * Number(values.block), 'warm');
    sides.set(name, side);
    say(`Launch ${index + 1}: ${name} runs and is warm`);
  }
  return sides;
};

/** One block of each version; each round begins with another one, and every second round goes backwards. */
const measureRound = async (index: number, sides: ReadonlyMap<Version, Side>): Promise<Omit<Round, 'launch'>> => {
  const turned = names.map((_, at) => names[(at + index) % names.length] as Version);
  const order = index % 2 === 0 ? turned : turned.toReversed();
  const blocks: Partial<Record<Version, Block>> = {};
  for (const name of order) blocks[name] = await (sides.get(name) as Side).load(Number(values.block), `round ${index}`);
  return blocks as Record<Version, Block>;
};

const record = async (): Promise<void> => {
  takeTurn();
  const known = existsSync(values.out) ? (JSON.parse(readFileSync(values.out, 'utf8')) as Recorded) : undefined;
  const rounds: Round[] = [...(known?.rounds ?? [])];
  const [wanted, perLaunch] = [Number(values.rounds), Number(values['launch-rounds'])];
  for (let index = (rounds.at(-1)?.launch ?? -1) + 1; rounds.length < wanted; index++) {
    await using stack = new AsyncDisposableStack();
    const sides = await launch(index, stack);
    for (let left = Math.min(perLaunch, wanted - rounds.length); left > 0; ) {
      const round = await measureRound(rounds.length, sides);
      const worst = Math.max(...names.map((name) => round[name].othersPercent));
      const costs = names.map((name) => `${name} ${round[name].cpuUsPerRequest.toFixed(0)}`).join(', ');
      const isDisturbed = worst > 10;
      say(
        `${rounds.length + 1} of ${wanted}: ${costs} µs${isDisturbed ? `; others used ${worst.toFixed(0)} %, again` : ''}`,
      );
      if (isDisturbed) continue;
      rounds.push({ ...round, launch: index });
      left -= 1;
      const recorded: Recorded = { blockSeconds: Number(values.block), rate: Number(values.rate), rounds };
      writeFileSync(`${values.out}.new`, `${JSON.stringify(recorded)}\n`);
      renameSync(`${values.out}.new`, values.out);
    }
  }
};

/** Wilson's interval of a share, 95 %. */
const wilson = (hits: number, all: number): string => {
  const z = 1.96;
  const share = hits / all;
  const middle = (share + z ** 2 / (2 * all)) / (1 + z ** 2 / all);
  const half = (z * Math.sqrt((share * (1 - share)) / all + z ** 2 / (4 * all ** 2))) / (1 + z ** 2 / all);
  const percent = (value: number): string => (100 * value).toFixed(1);
  return `${percent(share)} % (${percent(Math.max(0, middle - half))} to ${percent(middle + half)})`;
};

const draw = (): void => {
  const { rounds, blockSeconds, rate } = JSON.parse(readFileSync(values.out, 'utf8')) as Recorded;
  const [pairs, draws] = [Number(values.pairs), Number(values.draws)];
  const rule = { limit: 1 + Number(values.limit) / 100, confidence: 0.95 };
  process.stdout.write(
    `${rounds.length} rounds of blocks of ${blockSeconds} s at ${rate} requests/s; ` +
      `${draws} gates of ${pairs} pairs, limit ${values.limit} %\n\n` +
      '| candidate | fail | pass | inconclusive |\n|---|---|---|---|\n',
  );
  const points: (readonly [number, number])[] = [];
  for (const name of names.slice(1)) {
    const counts: Record<GateVerdict, number> = { pass: 0, fail: 0, inconclusive: 0 };
    for (let gate = 0; gate < draws; gate++) {
      const random = randomOf(`gate ${name}`, gate);
      const drawn = Array.from({ length: pairs }, () => Math.floor(random() * rounds.length)).sort((x, y) => x - y);
      const chosen = drawn.map((index) => rounds[index] as Round);
      counts[
        decide(
          chosen.map((round) => ({ a: round.A, b: round[name] })),
          rule,
          random,
        ).verdict
      ] += 1;
    }
    process.stdout.write(
      `| ${name} | ${wilson(counts.fail, draws)} | ${wilson(counts.pass, draws)} | ${wilson(counts.inconclusive, draws)} |\n`,
    );
    points.push([100 * versions[name], (100 * counts.fail) / draws]);
  }
  if (values.chart !== undefined) {
    const title = 'Gates that fail, per cent, by how much slower the candidate was made';
    writeFileSync(values.chart, drawCharts([{ title, points, unit: '%', line: undefined }]));
  }
};

if (values.help) process.stdout.write(help);
else if (values.draw) draw();
else await record();
