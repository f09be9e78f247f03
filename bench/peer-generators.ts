/**
 * What a request costs the load generator, beside Locust and k6: `node bench/peer-generators.ts --help`.
 * @module
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { ticksPerSecond } from '../packages/lab/src/probes/machine.ts';
import { TargetProcesses } from '../packages/lab/src/probes/target-process.ts';
import type { RunResult } from '../packages/lab/src/reports/result.ts';
import { startNaive } from '../tests/harness/lab.ts';
import { removeFolder } from '../tests/harness/service.ts';
import { median, round, table } from './figures.ts';
import { machine, report, say, takeTurn } from './setting.ts';

const help = `CPU time and memory of load generators that play the same scenario with the same checks (bench/peers/) against the same small server, in turns.

  node bench/peer-generators.ts [--locust PATH] [--k6 PATH] [--users 500] [--seconds 40] [--rounds 3]

Users log in, call a protected resource and log out, waiting 1 to 3 s in between. What a tool costs before it has many users (it starts, it writes
its reports) is measured with one user and taken away. CPU time is that of all of a tool's processes, memory the most they had at a time.
Install the others first: pip install locust; go install go.k6.io/k6@latest.
`;

const { values } = parseArgs({
  options: {
    help: { type: 'boolean', short: 'h', default: false },
    locust: { type: 'string' },
    k6: { type: 'string' },
    users: { type: 'string', default: '500' },
    seconds: { type: 'string', default: '40' },
    rounds: { type: 'string', default: '3' },
  },
});

/** Users started per second, by the tools that can be told. */
const spawnRate = 200;
const folder = mkdtempSync(join(tmpdir(), 'catalytic-peers-'));
const fileOf = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** How one run is asked for, and read. */
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

const tools: Readonly<Record<string, Tool>> = {
  'the lab': {
    command: (url, users, seconds, out) => [
      process.execPath,
      ...[fileOf('../packages/lab/src/main.ts'), 'run', 'auth', '--plain', '--target', url, '--out', out],
      ...['--users', `${users}`, '--spawn-rate', `${spawnRate}`, '--duration', `${seconds}s`],
    ],
    read: (out) => {
      const { whole } = json(`${out}.json`) as unknown as RunResult;
      return { requests: whole.total.requests, failures: whole.total.real };
    },
  },
  ...(values.k6 !== undefined && {
    k6: {
      command: (url, users, seconds, out) => [
        values.k6 ?? '',
        ...['run', '--quiet', '--summary-export', `${out}.json`, '--env', `TARGET=${url}`],
        ...['--env', `USERS=${users}`, '--env', `SECONDS=${seconds}`, fileOf('peers/auth.k6.js')],
      ],
      read: (out) => {
        const { metrics } = json(`${out}.json`) as { metrics: Record<string, { count: number; fails: number }> };
        return { requests: metrics['http_reqs']?.count ?? 0, failures: metrics['checks']?.fails ?? 0 };
      },
    } satisfies Tool,
  }),
  ...(values.locust !== undefined && {
    'Locust FastHttpUser': locust(values.locust, 'Fast'),
    'Locust HttpUser': locust(values.locust, 'Plain'),
  }),
};

/** What one run has used. */
interface Used {
  readonly cpuSeconds: number;
  readonly rssMb: number;
  readonly requests: number;
  readonly failures: number;
}

/** Fields of `/proc/PID/stat` after the name: CPU ticks of children that were waited for. */
const [childUserField, childSystemField] = [13, 14];

const runTool = async (tool: Tool, url: string, users: number, seconds: number, name: string): Promise<Used> => {
  const out = join(folder, name);
  const command = tool.command(url, users, seconds, out);
  // The shell waits for the tool and then says what all of its children have used, to the tick.
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
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const cpuSeconds = (Number(fields[childUserField]) + Number(fields[childSystemField])) / ticksPerSecond;
  try {
    return { cpuSeconds, rssMb, ...tool.read(out) };
  } catch {
    throw new Error(`"${command.join(' ')}" left no result: ${readFileSync(`${out}.log`, 'utf8').slice(-2000)}`);
  }
};

/** One tool in one round, against a server of its own. */
const measure = async (tool: Tool, name: string) => {
  await using server = await startNaive('--workers', '1');
  const [users, seconds] = [Number(values.users), Number(values.seconds)];
  const idle = await runTool(tool, server.url, 1, seconds, `${name}-one`);
  const busy = await runTool(tool, server.url, users, seconds, `${name}-many`);
  return {
    requests: busy.requests,
    failures: busy.failures,
    cpuSecondsPer1000Requests: ((busy.cpuSeconds - idle.cpuSeconds) * 1000) / (busy.requests - idle.requests),
    mbPer1000Users: ((busy.rssMb - idle.rssMb) * 1000) / (users - 1),
    startCpuSeconds: idle.cpuSeconds,
    startMb: idle.rssMb,
  };
};

if (values.help) process.stdout.write(help);
else {
  takeTurn();
  const rounds: Record<string, Awaited<ReturnType<typeof measure>>[]> = {};
  for (let index = 0; index < Number(values.rounds); index++)
    for (const [position, [name, tool]] of Object.entries(tools).entries()) {
      const one = await measure(tool, `${index}-${position}`);
      rounds[name] = [...(rounds[name] ?? []), one];
      say(
        `round ${index + 1}, ${name}: ${one.requests} requests, ${one.failures} failed, ${one.cpuSecondsPer1000Requests.toFixed(3)} CPU-s for 1,000 requests, ${one.mbPer1000Users.toFixed(1)} MB for 1,000 users`,
      );
    }
  const rows = Object.entries(rounds).map(([name, all]) => {
    const middle = (of: (one: (typeof all)[number]) => number): number => median(all.map(of));
    return {
      name,
      requests: middle(({ requests }) => requests),
      failures: all.reduce((sum, { failures }) => sum + failures, 0),
      cpu: middle(({ cpuSecondsPer1000Requests }) => cpuSecondsPer1000Requests),
      users: middle(({ mbPer1000Users }) => mbPer1000Users),
      start: middle(({ startCpuSeconds }) => startCpuSeconds),
      startMb: middle(({ startMb }) => startMb),
    };
  });
  const [own] = rows;
  say(
    table(
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
        `${row.requests}`,
        `${row.failures}`,
        row.cpu.toFixed(3),
        `× ${(row.cpu / (own?.cpu ?? 1)).toFixed(1)}`,
        row.users.toFixed(1),
        row.start.toFixed(1),
        row.startMb.toFixed(0),
      ]),
    ),
  );
  report({
    machine: machine(),
    users: Number(values.users),
    seconds: Number(values.seconds),
    rows: rows.map((row) => ({ ...row, cpu: round(row.cpu, 4) })),
    rounds,
  });
  removeFolder(folder);
}
