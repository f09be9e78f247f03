/**
 * The matrix: every fault at every moment, many rounds each. `npm run faults -- --help` explains.
 * @module
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { inspect, parseArgs } from 'node:util';
import { killTree, treeOf } from '@catalytic/lab/process-tree';
import { onStopSignal } from '../../scripts/run-command.ts';
import { type Cell, summarise } from './cell.ts';
import { Deployment } from './deployment.ts';
import { type Fault, settings } from './fault.ts';
import { faults } from './faults.ts';
import { guardFaults } from './guard-faults.ts';
import { moments } from './moments.ts';
import { oneMachineFaults } from './one-machine-faults.ts';
import { playRound, type Round } from './round.ts';
import { tableOf } from './table.ts';

const help = `The matrix: signs out while something breaks, and checks that no token that was signed out is ever accepted.

  npm run faults                              all cells, 20 rounds each
  npm run faults -- --rounds 5                fewer rounds
  npm run faults -- --fault TEXT --moment TEXT   only cells whose names contain these texts
  npm run faults -- --lease 5000              another lease than 500 ms
  npm run faults -- --out FILE.json           where the results go; cells that are in it already are skipped
  npm run faults -- --guards                  beside APIs behind guards: the faults of guards, then those of one machine
  npm run faults -- --list                    the names of the faults, one a line
  npm run faults -- --seed 7                  seed of the first round
  npm run faults -- --at-once 2               cells played side by side, each with a deployment of its own
  npm run faults -- --table FILE.json         the table of a report, from the results of a run

A cell that could not be played is left out of the results, and so is a moment at which a fault makes no sense. Faults of one machine strike
three workers on one machine. Faults of Redis and of machines strike two machines, with two workers and one, and a Redis between them. Where a
fault breaks an assumption of the promise, accepted tokens are listed and are no failure. Besides accepted, refused and forgotten tokens, a cell
lists how many requests to workers outside the fault failed while it lasted, and how long after it a sign-out was as fast as before.

Exit codes: 0 everything held, 1 something did not.
`;

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
    table: { type: 'string' },
    list: { type: 'boolean', default: false },
    guards: { type: 'boolean', default: false },
  },
});

const sentence = (cell: Cell): string =>
  [
    `${cell.rounds} rounds in ${cell.seconds} s`,
    `answers ${JSON.stringify(cell.answers)}`,
    `median ${cell.answer_ms.median} ms`,
    `${cell.requests_with_dead_token} requests with a dead token`,
    ...(cell.guards === undefined ? [] : [`${cell.requests_with_dead_token_at_guards} of them at guarded APIs`]),
    `${cell.violations} accepted`,
    `${cell.live_refused} live refused`,
    `${cell.forgotten} forgotten`,
    `${cell.crashes} crashes`,
    `${cell.unexpected} unexpected`,
    ...(cell.breaks === undefined ? [] : [`${cell.breaks} broken`]),
    ...(cell.ready_ms === undefined
      ? []
      : [`all served again after ${cell.ready_ms.median} ms, ${cell.ready_ms.max} at most`]),
    ...(cell.requests === 0 ? [] : [`${cell.failed_requests} of ${cell.requests} other requests failed`]),
    ...(cell.logout_back_ms === null
      ? []
      : [`sign-out fast again after ${cell.logout_back_ms.median} ms, ${cell.logout_back_ms.max} at most`]),
    ...(cell.logout_not_back === 0 ? [] : [`not fast again in ${cell.logout_not_back} rounds`]),
  ].join(', ');

/** What is played: beside guards, or as the promise was before there were any. */
const played: Readonly<Record<string, Fault>> = values.guards
  ? {
      ...guardFaults,
      ...Object.fromEntries(
        Object.entries(oneMachineFaults).map(([name, fault]) => [
          name,
          { ...fault, setting: 'three workers and guards' as const },
        ]),
      ),
    }
  : Object.fromEntries(Object.entries(faults).filter(([name]) => !(name in guardFaults)));

const run = async (): Promise<number> => {
  const leaseMs = Number(values.lease);
  const answerMs = leaseMs === 500 ? 700 : 1000;
  const out = values.out;
  const done: Cell[] = out !== undefined && existsSync(out) ? (JSON.parse(readFileSync(out, 'utf8')) as Cell[]) : [];
  const isDone = (cell: { fault: string; moment: string; setting: { leaseMs: number; guards?: unknown } }): boolean =>
    done.some(
      ({ fault, moment, lease_ms, guards }) =>
        fault === cell.fault &&
        moment === cell.moment &&
        lease_ms === cell.setting.leaseMs &&
        (guards === undefined) === (cell.setting.guards === undefined),
    );
  const cells = Object.entries(played)
    .filter(([fault]) => fault.includes(values.fault))
    .flatMap(([fault, { setting, moments: own = Object.keys(moments), breaks }]) =>
      own
        .filter((moment) => moment.includes(values.moment))
        .map((moment) => ({ fault, moment, breaks, setting: { leaseMs, answerMs, ...settings[setting] } })),
    )
    .filter((cell) => !isDone(cell));
  const firstSeed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
  const roundsEach = Number(values.rounds);
  let bad = 0;
  const play = async ({ fault, moment, breaks, setting }: (typeof cells)[number], index: number): Promise<void> => {
    const began = performance.now();
    const rounds: Round[] = [];
    await using deployment = await Deployment.start(setting);
    for (let count = 0; count < roundsEach; count++)
      rounds.push(await playRound(deployment, fault, moment, firstSeed + index * roundsEach + count));
    const cell = summarise({ fault, moment, breaks, ...setting }, rounds, (performance.now() - began) / 1000);
    const accepted = breaks === undefined ? cell.violations + cell.forgotten : 0;
    const isGood = accepted + cell.live_refused + cell.crashes + (cell.unexpected ?? 0) === 0;
    if (!isGood) bad += 1;
    done.push(cell);
    if (out !== undefined) writeFileSync(out, `${JSON.stringify(done, null, 2)}\n`);
    process.stdout.write(
      `${index + 1}/${cells.length} ${isGood ? '✔' : '✘'} ${fault} × ${moment}: ${sentence(cell)} (seeds ${cell.seeds.join('–')})\n`,
    );
    for (const line of cell.evidence.slice(0, 10)) process.stdout.write(`    ${line}\n`);
  };
  const waiting = [...cells.entries()];
  const lane = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [index, cell] = next;
      await play(cell, index).catch((error: unknown) => {
        bad += 1;
        const name = `${index + 1}/${cells.length} ✘ ${cell.fault} × ${cell.moment}`;
        process.stdout.write(`${name}: could not be played: ${inspect(error)}\n`);
      });
    }
  };
  await Promise.all(Array.from({ length: Number(values['at-once']) }, lane));
  return bad === 0 ? 0 : 1;
};

if (values.help) process.stdout.write(help);
else if (values.list) process.stdout.write(`${Object.keys(played).join('\n')}\n`);
else if (values.table !== undefined)
  process.stdout.write(tableOf(JSON.parse(readFileSync(values.table, 'utf8')) as readonly Cell[]));
else {
  // Databases and guarded APIs notice the end of this process; services would go on, and ask for their database for ever.
  onStopSignal(() => {
    const services = treeOf(process.pid).filter(
      ({ parent, command }) => parent === process.pid && / serve\b/.test(command),
    );
    for (const { pid } of services) killTree(pid);
    process.exit(130);
  });
  const exitCode = await run();
  // Explicitly: after connections were reset while they were being ended, Node 26 can wait for ever at its natural end.
  process.exit(exitCode);
}
