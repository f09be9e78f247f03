/**
 * What do a request and a user cost the lab, and what do they cost k6 and Locust?
 * @module
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { TargetProcesses } from '../packages/lab/src/probes/target-process.ts';
import type { RunResult } from '../packages/lab/src/results/result.ts';
import { labMain, startNaive } from '../tests/harness/lab.ts';
import { runBench } from './harness/bench.ts';
import { median, round, table } from './harness/figures.ts';
import { number, optionalText } from './harness/options.ts';
import { cpuSecondsIn } from './harness/processes.ts';
import { say } from './harness/result.ts';
import { dealRounds } from './harness/rounds.ts';
import { folderOn } from './harness/services.ts';

const help = `CPU time and memory of load generators that play the same scenario with the same checks (bench/peers/) against the same small server, in
random order.

  npm run bench -- peer-generators [--locust PATH] [--k6 PATH] [--users 500] [--seconds 40] [--rounds 3]

Users log in, call a protected resource and log out, waiting 1 to 3 s in between. The cost of a tool before it has many users (it starts, it
writes its reports) is measured with one user and subtracted. CPU time is that of all of a tool's processes, memory the most they had at once.
Install the others first: pip install locust; go install go.k6.io/k6@latest.
`;

/** Users started per second, by the tools that can be told. */
const spawnRate = 200;
const fileOf = (path: string): string => join(import.meta.dirname, path);

/** How one run is started, and its result read. */
interface Tool {
  readonly command: (url: string, users: number, seconds: number, out: string) => readonly string[];
  readonly read: (out: string) => { readonly requests: number; readonly failures: number };
}

const json = (file: string): Record<string, unknown> =>
  JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;

const locust = (program: string, user: string): Tool => ({
  command: (url, users, seconds, out) => [
    program,
    ...['--locustfile', fileOf('peers/locustfile.py'), '--headless', '--only-summary', '--host', url, '--csv', out],
    ...['--users', `${users}`, '--spawn-rate', `${spawnRate}`, '--run-time', `${seconds}s`, user],
  ],
  read: (out) => {
    const [head = '', ...rows] = readFileSync(`${out}_stats.csv`, 'utf8').trim().split('\n');
    const columns = head.split(',');
    const total = rows.find((row) => row.startsWith(',Aggregated'))?.split(',') ?? [];
    const at = (name: string): number => Number(total[columns.indexOf(name)]);
    return { requests: at('Request Count'), failures: at('Failure Count') };
  },
});

const lab: Tool = {
  command: (url, users, seconds, out) => [
    process.execPath,
    ...[labMain, 'run', 'auth', '--plain', '--target', url, '--out', out],
    ...['--users', `${users}`, '--spawn-rate', `${spawnRate}`, '--duration', `${seconds}s`],
  ],
  read: (out) => {
    const { whole } = json(`${out}.json`) as unknown as RunResult;
    return { requests: whole.total.requests, failures: whole.total.real };
  },
};

const k6 = (program: string): Tool => ({
  command: (url, users, seconds, out) => [
    program,
    ...['run', '--quiet', '--summary-export', `${out}.json`, '--env', `TARGET=${url}`],
    ...['--env', `USERS=${users}`, '--env', `SECONDS=${seconds}`, fileOf('peers/auth.k6.js')],
  ],
  read: (out) => {
    const { metrics } = json(`${out}.json`) as { metrics: Record<string, { count: number; fails: number }> };
    return { requests: metrics['http_reqs']?.count ?? 0, failures: metrics['checks']?.fails ?? 0 };
  },
});

/** What one run has used. */
interface Used {
  readonly cpuSeconds: number;
  readonly rssMb: number;
  readonly requests: number;
  readonly failures: number;
}

/** A run of a tool. */
interface Run {
  readonly folder: string;
  readonly name: string;
  readonly url: string;
  readonly users: number;
  readonly seconds: number;
}

const runTool = async (tool: Tool, { folder, name, url, users, seconds }: Run): Promise<Used> => {
  const out = join(folder, name);
  const command = tool.command(url, users, seconds, out);
  // The shell waits for the tool and then prints what all of its children have used, to the tick.
  const child = spawn('/bin/sh', ['-c', '"$@" >/dev/null 2>"$0.log"; cat /proc/$$/stat', out, ...command], {
    cwd: folder,
    env: {
      PATH: process.env['PATH'],
      HOME: folder,
      TMPDIR: folder,
      K6_NO_USAGE_REPORT: 'true',
      PYTHONDONTWRITEBYTECODE: '1',
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let stat = '';
  child.stdout.on('data', (piece: Buffer) => {
    stat += piece.toString();
  });
  const ended = once(child, 'close');
  const processes = new TargetProcesses(child.pid ?? 0);
  let rssMb = 0;
  while (child.exitCode === null) {
    await Promise.race([ended, delay(500)]);
    rssMb = Math.max(rssMb, processes.read({ search: true })?.rssMb ?? 0);
  }
  await ended;
  try {
    return { cpuSeconds: cpuSecondsIn(stat).children, rssMb, ...tool.read(out) };
  } catch {
    throw new Error(`"${command.join(' ')}" left no result: ${readFileSync(`${out}.log`, 'utf8').slice(-2000)}`);
  }
};

/** Measures one tool in one round, against a new server. */
const measure = async (tool: Tool, run: Omit<Run, 'url'>) => {
  await using server = await startNaive('--workers', '1');
  const at = { ...run, url: server.url };
  const idle = await runTool(tool, { ...at, users: 1, name: `${run.name}-one` });
  const busy = await runTool(tool, { ...at, name: `${run.name}-many` });
  const one = {
    requests: busy.requests,
    failures: busy.failures,
    cpuSecondsPerThousandRequests: ((busy.cpuSeconds - idle.cpuSeconds) * 1000) / (busy.requests - idle.requests),
    mbPerThousandUsers: ((busy.rssMb - idle.rssMb) * 1000) / (run.users - 1),
    startCpuSeconds: idle.cpuSeconds,
    startMb: idle.rssMb,
  };
  const [cpu, mb] = [one.cpuSecondsPerThousandRequests.toFixed(3), one.mbPerThousandUsers.toFixed(1)];
  say(`${one.requests} requests, ${one.failures} failed, ${cpu} CPU-s for 1,000 requests, ${mb} MB for 1,000 users`);
  return one;
};
type Block = Awaited<ReturnType<typeof measure>>;

const summarise = (blocks: ReadonlyMap<string, readonly Block[]>) =>
  [...blocks].map(([name, all]) => {
    const middle = (figure: keyof Block): number => median(all.map((one) => one[figure]));
    return {
      name,
      requests: middle('requests'),
      failures: all.reduce((sum, { failures }) => sum + failures, 0),
      cpuSecondsPerThousandRequests: round(middle('cpuSecondsPerThousandRequests'), 4),
      mbPerThousandUsers: round(middle('mbPerThousandUsers')),
      startCpuSeconds: round(middle('startCpuSeconds')),
      startMb: round(middle('startMb'), 0),
    };
  });

const tableOf = (rows: ReturnType<typeof summarise>): string => {
  const own = rows[0]?.cpuSecondsPerThousandRequests ?? 1;
  return table(
    [
      '',
      'requests',
      'failed',
      'CPU-s per 1,000 requests',
      'beside the lab',
      'MB per 1,000 users',
      'CPU-s with one user',
      'MB with one user',
    ],
    rows.map((row) => [
      row.name,
      row.requests,
      row.failures,
      row.cpuSecondsPerThousandRequests.toFixed(3),
      `× ${(row.cpuSecondsPerThousandRequests / own).toFixed(1)}`,
      row.mbPerThousandUsers.toFixed(1),
      row.startCpuSeconds.toFixed(1),
      row.startMb,
    ]),
  );
};

await runBench({
  help,
  options: {
    locust: optionalText,
    k6: optionalText,
    users: number(500, { min: 2, max: 100_000 }),
    seconds: number(40, { max: 3600 }),
    rounds: number(3, { max: 100 }),
  },
  measures: 'times',
  run: async ({ values }, stack) => {
    const { users, seconds, rounds } = values;
    const tools: Readonly<Record<string, Tool>> = {
      'the lab': lab,
      ...(values.k6 !== undefined && { k6: k6(values.k6) }),
      ...(values.locust !== undefined && {
        'Locust FastHttpUser': locust(values.locust, 'Fast'),
        'Locust HttpUser': locust(values.locust, 'Plain'),
      }),
    };
    const folder = folderOn(stack);
    let runs = 0;
    const contestants = Object.entries(tools).map(([name, tool]): readonly [string, () => Promise<Block>] => [
      name,
      () => measure(tool, { folder, name: String(runs++), users, seconds }),
    ]);
    const blocks = await dealRounds(Object.fromEntries(contestants), rounds);
    const rows = summarise(blocks);
    return { figures: { users, seconds, rows, rounds: blocks }, table: tableOf(rows) };
  },
});
