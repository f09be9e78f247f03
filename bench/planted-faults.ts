/**
 * Does the lab notice a planted fault, and nothing else?
 * @module
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { RunResult } from '../packages/lab/src/results/result.ts';
import { labMain } from '../tests/harness/lab.ts';
import { runBench } from './harness/bench.ts';
import { table } from './harness/figures.ts';
import { text } from './harness/options.ts';
import { say } from './harness/result.ts';
import { folderOn } from './harness/services.ts';
import { type ServerFault, serverFaults, startFaulty } from './targets/faulty-server.ts';

const help = `Plants one fault after the other, in a small server or around the lab, and checks that the lab notices it, and nothing else.

  npm run bench -- planted-faults [--only TEXT] [--out FILE]

One run for each fault, about 4 minutes. Exit codes: 0 each was noticed, 2 one was not.
`;

/** A run as it was seen. */
interface Seen {
  readonly code: number | null;
  readonly output: string;
  /** Absent where there was no run. */
  readonly result: RunResult | undefined;
}

interface Case {
  readonly fault: string;
  /** The check of the lab that must notice it. */
  readonly check: string;
  readonly server?: ServerFault;
  /** Words of the run besides the target; where absent, ten seconds of `mixed`. */
  readonly words?: readonly string[];
  /** Shell words before the lab's command. */
  readonly limit?: string;
  /** Acts on the lab while it runs. */
  readonly meanwhile?: (lab: ChildProcess) => Promise<void> | void;
  readonly exitCode: number;
  readonly isNoticed: (seen: Seen) => boolean;
}

const mixed = ['mixed', '--users', '20', '--spawn-rate', '20', '--duration', '12s', '--wait', '0.1-0.3'];
const violated =
  (rule: RegExp) =>
  ({ result }: Seen): boolean =>
    result?.consistency.timelines.some((timeline) => rule.test(timeline.rule)) === true;
const failedWith =
  (error: RegExp) =>
  ({ result }: Seen): boolean =>
    result?.errors.some((each) => each.kind === 'real' && error.test(each.error)) === true;
const broken =
  (rule: RegExp) =>
  ({ result }: Seen): boolean =>
    result?.validity.some((each) => each.verdict === 'broken' && rule.test(each.rule)) === true;
const says =
  (text: RegExp) =>
  ({ output, result }: Seen): boolean =>
    result === undefined && text.test(output);

/** Lets the process run for a fifth of the time. */
const starve = async (child: ChildProcess): Promise<void> => {
  while (child.exitCode === null && child.signalCode === null) {
    child.kill('SIGSTOP');
    await delay(80);
    child.kill('SIGCONT');
    await delay(20);
  }
};

/** Keeps every core busy for as long as the lab runs. */
const beBusy = async (child: ChildProcess): Promise<void> => {
  const busy = Array.from({ length: availableParallelism() }, () =>
    spawn(process.execPath, ['-e', 'for (;;);'], { stdio: 'ignore' }),
  );
  await once(child, 'exit');
  for (const each of busy) each.kill('SIGKILL');
};

const interruptAfter =
  (ms: number) =>
  async (child: ChildProcess): Promise<void> => {
    await delay(ms);
    child.kill('SIGINT');
  };

/** Kills one of the lab's own processes: of two generators, half. */
const killGenerator = async (child: ChildProcess): Promise<void> => {
  await delay(6000);
  const [pid = ''] = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').split(' ');
  process.kill(Number(pid), 'SIGKILL');
};

/** Own scenarios: one that is at fault itself, one without criteria, and one whose criterion needs more samples than there are. */
const throwingScenario = 'throwing.ts';
const undemandingScenario = 'undemanding.ts';
const fewScenario = 'few.ts';

const writeScenarios = (folder: string): void => {
  const write = (file: string, parts: string): void =>
    writeFileSync(
      join(folder, file),
      `import { constant, defineScenario } from '@catalytic/lab/scenario';
export default defineScenario({ wait: constant(0.1), ${parts} });
`,
    );
  const asking = `tasks: [{ name: 'ask', run: (user) => user.get('/api/protected') }]`;
  write(throwingScenario, `name: 'throwing', tasks: [{ name: 'work', run: () => { throw new Error('at fault'); } }]`);
  write(undemandingScenario, `name: 'undemanding', ${asking}`);
  write(fewScenario, `name: 'few', criteria: { p95MsMax: 500, realFailuresPercentMax: 'none' }, ${asking}`);
};

const cases: readonly Case[] = [
  {
    fault: 'none',
    check: 'nothing is noticed',
    exitCode: 0,
    isNoticed: ({ result }) => result?.consistency.violations === 0,
  },
  {
    fault: serverFaults['stale view'],
    check: 'consistency: a call that was sent after the sign-out was answered',
    server: 'stale view',
    exitCode: 4,
    isNoticed: violated(/accepted after promise/),
  },
  {
    fault: serverFaults['lost delete'],
    check: 'consistency: the same, later in the history of the token',
    server: 'lost delete',
    exitCode: 4,
    isNoticed: violated(/accepted/),
  },
  {
    fault: serverFaults['double refresh'],
    check: 'consistency: one refresh in ten is sent twice',
    server: 'double refresh',
    exitCode: 4,
    isNoticed: violated(/two successors/),
  },
  {
    fault: serverFaults['live refused'],
    check: 'outcomes: a live token refused is a real failure',
    server: 'live refused',
    exitCode: 2,
    isNoticed: failedWith(/live token refused/),
  },
  {
    fault: serverFaults['yes to everything'],
    check: 'outcomes: a registration is answered 201; 200 is a real failure',
    server: 'yes to everything',
    exitCode: 2,
    isNoticed: failedWith(/^200$/),
  },
  {
    fault: serverFaults['empty answers'],
    check: 'outcomes: an answer without what it must hold is a real failure',
    server: 'empty answers',
    exitCode: 2,
    isNoticed: failedWith(/no access token/),
  },
  {
    fault: 'nobody listens',
    check: 'the target is asked before anything else',
    words: [...mixed, '--target', 'http://127.0.0.1:9'],
    exitCode: 5,
    isNoticed: says(/Cannot reach/),
  },
  {
    fault: 'the generator may open 64 files',
    check: 'limits are counted before the run, and the command that helps is named',
    words: [...mixed, '--users', '100'],
    limit: 'ulimit -n 64; ',
    exitCode: 1,
    isNoticed: says(/ulimit -n/),
  },
  {
    fault: 'the generator gets a fifth of a core',
    check: 'validity: delay of the event loop',
    words: ['mixed', '--users', '100', '--spawn-rate', '100', '--duration', '12s', '--wait', '0.1-0.3'],
    meanwhile: starve,
    exitCode: 3,
    isNoticed: broken(/event-loop delay|late starts|event loop busy/),
  },
  {
    fault: 'every core is busy with something else',
    check: 'validity: CPU time of neither lab nor target',
    meanwhile: beBusy,
    exitCode: 3,
    isNoticed: broken(/CPU of others/),
  },
  {
    fault: 'more starts are intended than the users can make',
    check: 'validity: dropped starts',
    server: 'slow',
    words: ['mixed', '--users', '5', '--rate', '100', '--duration', '12s'],
    exitCode: 3,
    isNoticed: broken(/dropped starts/),
  },
  {
    fault: 'the run is interrupted',
    check: 'validity: duration left out',
    meanwhile: interruptAfter(6000),
    exitCode: 3,
    isNoticed: broken(/duration left out/),
  },
  {
    fault: 'a planned fault cannot be done',
    check: 'validity: planned faults',
    words: [...mixed, '--command', 'nothing=exit 7', '--fault', 'nothing:run@3s'],
    exitCode: 3,
    isNoticed: broken(/planned faults/),
  },
  {
    fault: 'a scenario of one’s own throws',
    check: 'validity: exceptions in the lab',
    words: [throwingScenario, '--users', '5', '--spawn-rate', '5', '--duration', '6s'],
    exitCode: 3,
    isNoticed: broken(/exceptions/),
  },
  {
    fault: 'nothing but errors, and a scenario that names no criteria',
    check: 'the criterion on real failures that every run has',
    server: 'only errors',
    words: [undemandingScenario, '--users', '10', '--spawn-rate', '50', '--duration', '8s'],
    exitCode: 2,
    isNoticed: ({ result }) =>
      result?.verdicts.some(({ verdict, measured }) => verdict === 'failed' && measured === 100) === true,
  },
  {
    fault: 'too few samples for the only criterion',
    check: 'it is not judged, and the run has not passed',
    server: 'slow',
    words: [fewScenario, '--users', '10', '--spawn-rate', '50', '--duration', '8s'],
    exitCode: 6,
    isNoticed: ({ result }) => result?.verdicts.every(({ verdict }) => verdict === 'not judged') === true,
  },
  {
    fault: 'half of the generators are killed',
    check: 'validity: exceptions in the lab, and every second of the other half is there',
    words: [...mixed, '--processes', '2'],
    meanwhile: killGenerator,
    exitCode: 3,
    isNoticed: (seen) => broken(/exceptions/)(seen) && (seen.result?.seconds.length ?? 0) >= 12,
  },
];

/** Words of the run of a case. The folder holds the own scenarios. */
const commandOf = ({ words = mixed, limit }: Case, url: string, out: string): readonly string[] => {
  const rest = ['--plain', '--no-metrics', '--seed', 'planted', '--out', out];
  const target = words.includes('--target') ? [] : ['--target', url];
  const command = [process.execPath, labMain, 'run', ...words, ...rest, ...target];
  return limit === undefined ? command : ['/bin/sh', '-c', `${limit}exec "$@"`, 'sh', ...command];
};

const play = async (one: Case, index: number, folder: string): Promise<Seen> => {
  await using target = await startFaulty(one.server ?? 'none');
  const out = join(folder, String(index));
  const [program = '', ...rest] = commandOf(one, target.url, out);
  // In a separate folder: an admin key in the working folder is for another target.
  const child = spawn(program, rest, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (piece: Buffer) => {
      output += piece.toString();
    });
  const meanwhile = one.meanwhile?.(child);
  const [code] = (await once(child, 'exit')) as [number | null];
  await meanwhile;
  try {
    return { code, output, result: JSON.parse(readFileSync(`${out}.json`, 'utf8')) as RunResult };
  } catch {
    return { code, output, result: undefined };
  }
};

await runBench({
  help,
  options: { only: text('') },
  measures: 'counts',
  run: async ({ values: { only } }, stack) => {
    const folder = folderOn(stack);
    writeScenarios(folder);
    const chosen = cases.filter(({ fault, check }) => `${fault} ${check}`.includes(only));
    const rows: { fault: string; check: string; exitCode: number | string; isNoticed: boolean }[] = [];
    for (const [index, one] of chosen.entries()) {
      const seen = await play(one, index, folder);
      const isNoticed = seen.code === one.exitCode && one.isNoticed(seen);
      rows.push({ fault: one.fault, check: one.check, exitCode: seen.code ?? 'none', isNoticed });
      say(`${index + 1} of ${chosen.length} ${isNoticed ? '✔' : '✘'} ${one.fault}: ${one.check}`);
      if (!isNoticed)
        say(`   exit code ${seen.code}, not ${one.exitCode}; the end of its output:\n${seen.output.slice(-1500)}`);
    }
    return {
      figures: { rows },
      table: table(
        ['planted', 'what is to notice it', 'exit code', ''],
        rows.map(({ fault, check, exitCode, isNoticed }) => [
          fault,
          check,
          exitCode,
          isNoticed ? 'noticed' : '**missed**',
        ]),
      ),
      missed: rows.filter(({ isNoticed }) => !isNoticed).map(({ fault, check }) => `${fault}: ${check}`),
    };
  },
});
