/**
 * The matrix: every fault at every moment, many rounds each. `node tests/faults/matrix.ts --help` explains.
 * @module
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { Deployment } from './deployment.ts';
import { faults } from './faults.ts';
import { moments } from './moments.ts';
import { playRound, type Round } from './round.ts';

const help = `The matrix: signs out while something breaks, and checks that nothing signed out is ever accepted.

  node tests/faults/matrix.ts                          all cells, 20 rounds each
  node tests/faults/matrix.ts --rounds 5               fewer rounds
  node tests/faults/matrix.ts --fault TEXT --moment TEXT   only cells whose names hold these texts
  node tests/faults/matrix.ts --lease 5000             another lease than 500 ms
  node tests/faults/matrix.ts --out FILE.json          where the results go; cells that are in it already are skipped
  node tests/faults/matrix.ts --seed 7                 seed of the first round
  node tests/faults/matrix.ts --at-once 2              cells played side by side, each with a deployment of its own

Exit codes: 0 everything held, 1 something did not.
`;

/** A cell's results. */
interface Cell {
  readonly fault: string;
  readonly moment: string;
  readonly lease_ms: number;
  readonly rounds: number;
  readonly seeds: readonly [number, number];
  readonly violations: number;
  readonly live_refused: number;
  readonly forgotten: number;
  readonly crashes: number;
  readonly requests_with_dead_token: number;
  readonly answers: Readonly<Record<string, number>>;
  readonly answer_ms: { readonly median: number; readonly max: number };
  readonly seconds: number;
  readonly evidence: readonly string[];
}

const { values } = parseArgs({
  options: {
    help: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '20' },
    lease: { type: 'string', default: '500' },
    fault: { type: 'string', default: '' },
    moment: { type: 'string', default: '' },
    out: { type: 'string' },
    seed: { type: 'string' },
    'at-once': { type: 'string', default: '1' },
  },
});

const summarise = (fault: string, moment: string, leaseMs: number, rounds: readonly Round[], seconds: number): Cell => {
  const sum = (of: (round: Round) => number): number => rounds.reduce((total, round) => total + of(round), 0);
  const times = rounds.map(({ answerMs }) => answerMs).sort((a, b) => a - b);
  const answers: Record<string, number> = {};
  for (const { answer } of rounds)
    answers[answer === 0 ? 'none' : answer] = (answers[answer === 0 ? 'none' : answer] ?? 0) + 1;
  return {
    fault,
    moment,
    lease_ms: leaseMs,
    rounds: rounds.length,
    seeds: [rounds[0]?.seed ?? 0, rounds.at(-1)?.seed ?? 0],
    violations: sum((round) => round.violations.length),
    live_refused: sum((round) => round.liveRefused.length),
    forgotten: sum(({ forgotten }) => forgotten),
    crashes: sum(({ crashes }) => crashes),
    requests_with_dead_token: sum(({ deadChecks }) => deadChecks),
    answers,
    answer_ms: { median: Math.round(times[times.length >> 1] ?? 0), max: Math.round(times.at(-1) ?? 0) },
    seconds: Math.round(seconds),
    evidence: rounds.flatMap(({ seed, violations, liveRefused }) =>
      [...violations, ...liveRefused].slice(0, 5).map((text) => `seed ${seed}: ${text}`),
    ),
  };
};

const run = async (): Promise<number> => {
  const leaseMs = Number(values.lease);
  const answerMs = leaseMs === 500 ? 700 : 1000;
  const out = values.out;
  const done: Cell[] = out !== undefined && existsSync(out) ? (JSON.parse(readFileSync(out, 'utf8')) as Cell[]) : [];
  const isDone = (fault: string, moment: string): boolean =>
    done.some((cell) => cell.fault === fault && cell.moment === moment && cell.lease_ms === leaseMs);
  const cells = Object.keys(faults)
    .filter((fault) => fault.includes(values.fault))
    .flatMap((fault) =>
      Object.keys(moments)
        .filter((moment) => moment.includes(values.moment))
        .map((moment) => ({ fault, moment })),
    )
    .filter(({ fault, moment }) => !isDone(fault, moment));
  const firstSeed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
  const roundsEach = Number(values.rounds);
  let bad = 0;
  const play = async (fault: string, moment: string, index: number): Promise<void> => {
    const began = performance.now();
    const rounds: Round[] = [];
    await using deployment = await Deployment.start({ workers: 3, leaseMs, answerMs });
    for (let count = 0; count < roundsEach; count++)
      rounds.push(await playRound(deployment, fault, moment, firstSeed + index * roundsEach + count));
    const cell = summarise(fault, moment, leaseMs, rounds, (performance.now() - began) / 1000);
    const isGood = cell.violations + cell.live_refused + cell.forgotten + cell.crashes === 0;
    if (!isGood) bad += 1;
    done.push(cell);
    if (out !== undefined) writeFileSync(out, `${JSON.stringify(done, null, 2)}\n`);
    process.stdout.write(
      `${index + 1}/${cells.length} ${isGood ? '✔' : '✘'} ${fault} × ${moment}: ${cell.rounds} rounds in ${cell.seconds} s, answers ${JSON.stringify(cell.answers)}, median ${cell.answer_ms.median} ms, ${cell.requests_with_dead_token} requests with a dead token, ${cell.violations} accepted, ${cell.live_refused} live refused, ${cell.forgotten} forgotten, ${cell.crashes} crashes (seeds ${cell.seeds.join('–')})\n`,
    );
    for (const line of cell.evidence.slice(0, 10)) process.stdout.write(`    ${line}\n`);
  };
  const waiting = [...cells.entries()];
  const lane = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift())
      await play(next[1].fault, next[1].moment, next[0]);
  };
  await Promise.all(Array.from({ length: Number(values['at-once']) }, lane));
  return bad === 0 ? 0 : 1;
};

if (values.help) process.stdout.write(help);
else process.exitCode = await run();
