/**
 * Does memory grow? The service under a steady load for a long time: `node bench/soak.ts --help`.
 * @module
 */
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { listProcesses } from '../packages/lab/src/faults/process-tree.ts';
import { readMetrics } from '../tests/harness/metrics.ts';
import { removeFolder, startService, temporaryFolder } from '../tests/harness/service.ts';
import { watchStrangers } from './cpu.ts';
import { fitLine, type Line, mean, round, table } from './figures.ts';
import { inspectorAddress, openInspector } from './inspector.ts';
import { type Chart, drawCharts } from './line-chart.ts';
import { finish, numberOption, say } from './setting.ts';

const help = `Does the memory of the service grow? One service on SQLite, tokens that live for a minute, login cache on, under "catalytic-lab run auth".

  node bench/soak.ts [--minutes 30] [--users 300] [--warm-up 6] [--out results/soak]

Every 5 s: resident memory of the service and of its hashing process, entries of the view. Every minute: the heap of the service's main
thread right after a forced garbage collection, by its inspector on a loopback port. After the warm-up a line is fitted to the means of each
minute; the slope is given with its standard error. Writes PREFIX.json, PREFIX.md and PREFIX.svg; the lab's own report stands in
PREFIX-lab.*.

Aim: no slope is both above 1 MB an hour and above twice its standard error. Half an hour can show a leak of a few MB an hour, not a slower one.
Exit codes: 0 met, 2 memory grows, 3 invalid.
`;

const { values } = parseArgs({
  options: {
    help: { type: 'boolean', short: 'h', default: false },
    minutes: { type: 'string', default: '30' },
    users: { type: 'string', default: '300' },
    'warm-up': { type: 'string', default: '6' },
    out: { type: 'string', default: 'results/soak' },
  },
});

const sampleMs = 5000;
const heapMs = 60_000;
const slopeAimMbPerHour = 1;
const megabyte = 2 ** 20;

/** One reading. */
interface Sample {
  readonly atMinutes: number;
  readonly serviceMb: number;
  readonly hashingMb: number;
  readonly viewEntries: number;
  readonly heapMb?: number;
}

type Series = 'serviceMb' | 'hashingMb' | 'heapMb' | 'viewEntries';

const titles: Readonly<Record<Series, string>> = {
  serviceMb: 'service, resident, MB',
  hashingMb: 'hashing process, resident, MB',
  heapMb: 'heap of the main thread after a collection, MB',
  viewEntries: 'entries of the view',
};

/** Resident memory, MB; 0 when the process is gone. */
const residentMb = (pid: number): number => {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'latin1');
    return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) / 1024;
  } catch {
    return 0;
  }
};

const hashingPid = (pid: number): number =>
  listProcesses().find(({ parent, command }) => parent === pid && command.includes('lane-process'))?.pid ?? 0;

const viewEntries = async (url: string): Promise<number> => {
  const page = await (await fetch(`${url}/metrics`)).text();
  for (const [series, value] of readMetrics(page)) if (series.startsWith('catalytic_view_entries')) return value;
  return 0;
};

const startLab = (url: string, dataDir: string, minutes: number): Promise<number> => {
  const lab = fileURLToPath(new URL('../packages/lab/src/main.ts', import.meta.url));
  const child = spawn(
    process.execPath,
    [
      ...[lab, 'run', 'auth', '--target', url, '--users', values.users, '--spawn-rate', '20'],
      ...['--duration', `${Math.ceil(minutes * 60)}s`, '--out', `${values.out}-lab`],
      ...['--admin-key-file', join(dataDir, 'lab.key')],
    ],
    { stdio: ['ignore', 'ignore', 'inherit'] },
  );
  process.once('exit', () => child.kill());
  return new Promise((resolve) => child.once('exit', (code) => resolve(code ?? 1)));
};

/** Means of the readings of each minute: one reading says little of the next, but two in a row say the same. */
const perMinute = (samples: readonly Sample[], series: Series): readonly (readonly [number, number])[] => {
  const known = samples.flatMap((sample): [number, number][] => {
    const value = sample[series];
    return value === undefined ? [] : [[sample.atMinutes, value]];
  });
  return [...Map.groupBy(known, ([at]) => Math.floor(at)).values()].map(
    (group) => [mean(group.map(([at]) => at)), mean(group.map(([, value]) => value))] as const,
  );
};

/** Reads until the time is over or the load has ended. */
const collect = async (
  url: string,
  pid: number,
  address: string,
  minutes: number,
  load: Promise<number>,
): Promise<readonly Sample[]> => {
  let isOver = false;
  void load.then(() => {
    isOver = true;
  });
  using inspector = await openInspector(address);
  const samples: Sample[] = [];
  const beganMs = performance.now();
  let heapAtMs = beganMs;
  for (let dueMs = beganMs; !isOver && dueMs < beganMs + minutes * 60_000; dueMs += sampleMs) {
    await delay(Math.max(0, dueMs - performance.now()));
    const isHeapDue = performance.now() >= heapAtMs;
    // A collection first would flatter the resident memory of the same moment.
    const sample = {
      atMinutes: (performance.now() - beganMs) / 60_000,
      serviceMb: residentMb(pid),
      hashingMb: residentMb(hashingPid(pid)),
      viewEntries: await viewEntries(url),
    };
    const heapMb = isHeapDue ? (await inspector.usedHeapAfterCollection()) / megabyte : undefined;
    samples.push(heapMb === undefined ? sample : { ...sample, heapMb });
    if (heapMb === undefined) continue;
    heapAtMs += heapMs;
    say(
      `${sample.atMinutes.toFixed(0)} of ${minutes} min: service ${sample.serviceMb.toFixed(0)} MB, heap ${heapMb.toFixed(1)} MB, ` +
        `hashing ${sample.hashingMb.toFixed(0)} MB, ${sample.viewEntries} entries in the view`,
    );
  }
  return samples;
};

const slopeText = (line: Line | undefined): string =>
  line === undefined ? 'too few readings' : `${round(line.slope * 60, 2)} ± ${round(line.slopeError * 60, 2)}`;

const main = async (): Promise<void> => {
  const minutes = numberOption('minutes', values.minutes, { min: 0.1, max: 24 * 60 });
  const warmUp = numberOption('warm-up', values['warm-up'], { min: 0, max: minutes });
  mkdirSync(dirname(values.out), { recursive: true });
  const dataDir = temporaryFolder();
  const service = await startService(dataDir, {
    ACCESS_TOKEN_SECONDS: 60,
    LOGIN_CACHE_SECONDS: 3600,
    LOG_LEVEL: 'warn',
    // On a loopback port of its own, behind an address that only its output names.
    NODE_OPTIONS: '--inspect=127.0.0.1:0',
  });
  try {
    const look = watchStrangers();
    const pid = service.process.pid ?? 0;
    // It takes the turn of measuring on this machine.
    const ended = startLab(service.url, dataDir, minutes);
    const samples = await collect(service.url, pid, inspectorAddress(service.output()), minutes, ended);
    const labExitCode = await ended;
    const conditions = look();
    const counted = samples.filter(({ atMinutes }) => atMinutes >= warmUp);
    const rows = (Object.keys(titles) as Series[]).map((series) => {
      const points = perMinute(counted, series);
      return { series, title: titles[series], points, line: fitLine(points) };
    });
    const grows = rows.filter(
      ({ series, line }) =>
        series !== 'viewEntries' &&
        line !== undefined &&
        line.slope * 60 > slopeAimMbPerHour &&
        line.slope > 2 * line.slopeError,
    );
    const charts = rows.map(
      ({ series, title, line }): Chart => ({
        title,
        points: samples.flatMap((sample): [number, number][] => {
          const value = sample[series];
          return value === undefined ? [] : [[sample.atMinutes, value]];
        }),
        line: line && { ...line, from: warmUp },
      }),
    );
    const report = table(
      ['', 'first', 'last', 'slope an hour ± standard error'],
      rows.map(({ title, points, line }) => [
        title,
        points.length === 0 ? null : round(points[0]?.[1] ?? 0),
        points.length === 0 ? null : round(points.at(-1)?.[1] ?? 0),
        slopeText(line),
      ]),
    );
    writeFileSync(`${values.out}.svg`, drawCharts(charts));
    const image = `${values.out.split('/').at(-1)}.svg`;
    writeFileSync(
      `${values.out}.md`,
      `# Soak: ${minutes} minutes, ${values.users} users\n\nFirst and last: means of a minute after ${warmUp} minutes of warm-up.\n\n${report}\n![Memory over time](${image})\n`,
    );
    finish({
      out: `${values.out}.json`,
      figures: {
        minutes,
        warm_up_minutes: warmUp,
        users: Number(values.users),
        lab_exit_code: labExitCode,
        slopes: rows.map(({ series, line }) => ({
          series,
          per_hour: line === undefined ? null : round(line.slope * 60, 3),
          standard_error: line === undefined ? null : round(line.slopeError * 60, 3),
        })),
        samples,
      },
      table: report,
      conditions,
      missed: [
        ...grows.map(({ title, line }) => `${title}: grows by ${slopeText(line)} an hour`),
        ...(labExitCode === 0 ? [] : [`the lab ended with code ${labExitCode}: see ${values.out}-lab.md`]),
      ],
    });
  } finally {
    await service.end('SIGKILL');
    removeFolder(dataDir);
  }
};

if (values.help) process.stdout.write(help);
else await main();
