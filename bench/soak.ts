/**
 * Does the memory of the service grow under a steady load?
 * @module
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { readMetrics } from '../tests/harness/metrics.ts';
import type { Service } from '../tests/harness/service.ts';
import { runBench } from './harness/bench.ts';
import { watchStrangers } from './harness/conditions.ts';
import { fitLine, type Line, mean, round, table } from './harness/figures.ts';
import { inspectorAddress, openInspector } from './harness/inspector.ts';
import { runLab } from './harness/lab.ts';
import { type Chart, drawCharts } from './harness/line-chart.ts';
import { number, text } from './harness/options.ts';
import { hashingProcessOf, residentMib } from './harness/processes.ts';
import { say } from './harness/result.ts';
import { pidOf, startServiceOn } from './harness/services.ts';

const help = `Does the memory of the service grow? One service on SQLite, tokens that live for a minute, login cache on, under "catalytic-lab run auth".

  npm run bench -- soak [--minutes 30] [--users 300] [--warm-up 6] [--out results/soak]

Every 5 s: resident memory of the service and of its hashing process, entries of the view. Every minute: the heap of the service's main
thread right after a forced garbage collection, by its inspector on a loopback port. After the warm-up a line is fitted to the means of each
minute; the slope is given with its standard error. Writes PREFIX.json, PREFIX.md and PREFIX.svg; the lab's own report stands in
PREFIX-lab.*.

Aim: no slope is both above 1 MB an hour and above twice its standard error. Half an hour can show a leak of a few MB an hour, not a slower one.
Exit codes: 0 met, 2 memory grows, 3 invalid.
`;

const sampleMs = 5000;
const heapMs = 60_000;
const slopeAimMbPerHour = 1;
const megabyte = 2 ** 20;

/** One reading; MB are 2^20 bytes. */
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

const viewEntries = async (url: string): Promise<number> => {
  const page = await (await fetch(`${url}/metrics`)).text();
  for (const [series, value] of readMetrics(page)) if (series.startsWith('catalytic_view_entries')) return value;
  return 0;
};

/** How a soak is run. */
interface Soak {
  readonly minutes: number;
  readonly users: number;
  /** Minutes that do not count. */
  readonly warmUp: number;
  /** Prefix of all files. */
  readonly out: string;
}

/** Loads the service; the lab takes the turn of measuring on this machine. */
const startLab = ({ url, dataDir }: Service, { minutes, users, out }: Soak): Promise<number> => {
  const load = ['--users', `${users}`, '--spawn-rate', '20', '--duration', `${Math.ceil(minutes * 60)}s`];
  const words = ['run', 'auth', '--target', url, ...load, '--out', `${out}-lab`];
  return runLab([...words, '--admin-key-file', join(dataDir, 'lab.key')], { isShown: false });
};

/** Means of the readings of each minute: readings in a row depend on each other, and the error of a slope assumes that points do not. */
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
const collect = async (service: Service, minutes: number, load: Promise<number>): Promise<readonly Sample[]> => {
  const pid = pidOf(service);
  let isOver = false;
  void load.then(() => {
    isOver = true;
  });
  using inspector = await openInspector(inspectorAddress(service.output()));
  const samples: Sample[] = [];
  const beganMs = performance.now();
  let heapAtMs = beganMs;
  for (let dueMs = beganMs; !isOver && dueMs < beganMs + minutes * 60_000; dueMs += sampleMs) {
    await delay(Math.max(0, dueMs - performance.now()));
    const isHeapDue = performance.now() >= heapAtMs;
    // A collection first would flatter the resident memory of the same moment.
    const sample = {
      atMinutes: (performance.now() - beganMs) / 60_000,
      serviceMb: residentMib(pid),
      hashingMb: residentMib(hashingProcessOf(pid) ?? 0),
      viewEntries: await viewEntries(service.url),
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

const isGrowing = (line: Line | undefined): line is Line =>
  line !== undefined && line.slope * 60 > slopeAimMbPerHour && line.slope > 2 * line.slopeError;

const rowsOf = (samples: readonly Sample[], warmUp: number) => {
  const counted = samples.filter(({ atMinutes }) => atMinutes >= warmUp);
  return (Object.keys(titles) as Series[]).map((series) => {
    const points = perMinute(counted, series);
    return { series, title: titles[series], points, line: fitLine(points) };
  });
};
type Row = ReturnType<typeof rowsOf>[number];

const chartsOf = (rows: readonly Row[], samples: readonly Sample[], warmUp: number): readonly Chart[] =>
  rows.map(({ series, title, line }) => ({
    title,
    points: samples.flatMap((sample): [number, number][] => {
      const value = sample[series];
      return value === undefined ? [] : [[sample.atMinutes, value]];
    }),
    line: line && { ...line, from: warmUp },
  }));

const tableOf = (rows: readonly Row[]): string =>
  table(
    ['', 'first', 'last', 'slope an hour ± standard error'],
    rows.map(({ title, points, line }) => [
      title,
      points.length === 0 ? null : round(points[0]?.[1] ?? 0),
      points.length === 0 ? null : round(points.at(-1)?.[1] ?? 0),
      slopeText(line),
    ]),
  );

const writeReport = ({ minutes, users, warmUp, out }: Soak, rows: readonly Row[], samples: readonly Sample[]): void => {
  writeFileSync(`${out}.svg`, drawCharts(chartsOf(rows, samples, warmUp)));
  writeFileSync(
    `${out}.md`,
    `# Soak: ${minutes} minutes, ${users} users\n\nFirst and last: means of a minute after ${warmUp} minutes of warm-up.\n\n${tableOf(rows)}\n![Memory over time](${basename(out)}.svg)\n`,
  );
};

await runBench({
  help,
  options: {
    minutes: number(30, { min: 0.1, max: 24 * 60 }),
    users: number(300, { max: 100_000 }),
    'warm-up': number(6, { min: 0, max: 24 * 60 }),
    out: text('results/soak'),
  },
  measures: 'times, by the lab',
  run: async ({ values: { 'warm-up': wanted, ...values } }, stack) => {
    const soak: Soak = { ...values, warmUp: Math.min(wanted, values.minutes) };
    mkdirSync(dirname(soak.out), { recursive: true });
    const service = await startServiceOn(stack, {
      ACCESS_TOKEN_SECONDS: 60,
      LOGIN_CACHE_SECONDS: 3600,
      LOG_LEVEL: 'warn',
      // On a free port of loopback, at an address that only its output names.
      NODE_OPTIONS: '--inspect=127.0.0.1:0',
    });
    const look = watchStrangers();
    const ended = startLab(service, soak);
    const samples = await collect(service, soak.minutes, ended);
    const labExitCode = await ended;
    const conditions = look();
    const rows = rowsOf(samples, soak.warmUp);
    writeReport(soak, rows, samples);
    return {
      figures: {
        minutes: soak.minutes,
        warmUpMinutes: soak.warmUp,
        users: soak.users,
        labExitCode,
        slopes: rows.map(({ series, line }) => ({
          series,
          perHour: line === undefined ? null : round(line.slope * 60, 3),
          standardError: line === undefined ? null : round(line.slopeError * 60, 3),
        })),
        samples,
      },
      table: tableOf(rows),
      conditions,
      missed: [
        ...rows
          .filter(({ series, line }) => series !== 'viewEntries' && isGrowing(line))
          .map(({ title, line }) => `${title}: grows by ${slopeText(line)} an hour`),
        ...(labExitCode === 0 ? [] : [`the lab ended with code ${labExitCode}: see ${soak.out}-lab.md`]),
      ],
      file: `${soak.out}.json`,
    };
  },
});
