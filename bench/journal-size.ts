/**
 * What do live revocations cost, in the database, in each process and at a start?
 * @module
 */
import { randomUUIDv7 } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { treeOf } from '@catalytic/lab/process-tree';
import type { MemberId } from '@catalytic/protocol/ids';
import { PostgresJournalSource } from '../packages/server/src/stores/postgres/journal-source.ts';
import { startService } from '../tests/harness/service.ts';
import { runBench } from './harness/bench.ts';
import { askChild } from './harness/child.ts';
import { type BenchDatabase, startDatabase } from './harness/database.ts';
import { median, round, table } from './harness/figures.ts';
import { numbers } from './harness/options.ts';
import { residentMib } from './harness/processes.ts';
import { say } from './harness/result.ts';
import { folderOn, pidOf } from './harness/services.ts';
import type { ViewTasks } from './loads/view-process.ts';

const help = `What live revocations cost, with PostgreSQL and two workers.

  npm run bench -- journal-size [--entries 10000,1000000] [--out FILE]

Per number of entries: bytes of a row with its indexes, heap of a bare view, memory of the workers beyond that of an empty journal, seconds
from the start of the service until all workers serve, milliseconds of a poll that finds nothing. About 3 minutes; needs about 2 GB.
`;

const workers = 2;
const polls = 200;
/** Time in which what reading the journal has left behind is collected. */
const restMs = 5000;

/** Seconds that something takes, and its result. */
const timed = async <Result>(act: () => Promise<Result>): Promise<readonly [seconds: number, Result]> => {
  const beganMs = performance.now();
  const result = await act();
  return [(performance.now() - beganMs) / 1000, result];
};

const measureView = (count: number): Promise<number> =>
  askChild<ViewTasks, 'measure'>(new URL('loads/view-process.ts', import.meta.url), 'measure', count, {
    flags: ['--expose-gc'],
  });

const fill = async ({ sql }: BenchDatabase, count: number): Promise<number> => {
  await sql('truncate journal');
  await sql(
    `insert into journal (id, kind, key, keep_until)
     select gen_random_uuid(), 'session', gen_random_uuid()::text,
            (extract(epoch from now()) * 1000)::bigint + 3600000
       from generate_series(1, ${count})`,
  );
  await sql('vacuum (full, analyze) journal');
  const [row] = await sql(`select pg_total_relation_size('journal')`);
  return Number(row?.[0]);
};

/** Starts the service, lets it rest and stops it. */
const serve = async (url: string, dataDir: string) => {
  const [startSeconds, service] = await timed(() => startService(dataDir, { DATABASE_URL: url, WORKERS: workers }));
  try {
    await delay(restMs);
    const [, ...children] = treeOf(pidOf(service));
    return { startSeconds, workerMib: median(children.map(({ pid }) => residentMib(pid))) };
  } finally {
    await service.end();
  }
};

/** The reader's own statement, from where all has been read. */
const poll = async (url: string) => {
  const source = new PostgresJournalSource(url);
  const member = randomUUIDv7() as MemberId;
  try {
    await source.register(member, 5000);
    const [wholeSeconds, { cursor }] = await timed(() => source.read(member, undefined));
    const seconds: number[] = [];
    for (let index = 0; index < polls; index++) seconds.push((await timed(() => source.read(member, cursor)))[0]);
    await source.unregister([member]);
    return { wholeReadSeconds: round(wholeSeconds, 2), emptyPollMs: round(median(seconds) * 1000, 2) };
  } finally {
    await source.close();
  }
};

await runBench({
  help,
  options: { entries: numbers([10_000, 1_000_000], { max: 10_000_000 }) },
  measures: 'times',
  run: async ({ values: { entries: counts } }, stack) => {
    const database = stack.use(await startDatabase());
    const dataDir = folderOn(stack);
    const { url } = database;
    say('Empty journal');
    // The first start makes the schema and the keys; the second is like all others.
    await serve(url, dataDir);
    const empty = await serve(url, dataDir);
    const sizes = [];
    for (const entries of counts) {
      say(`${entries} entries`);
      const tableBytes = await fill(database, entries);
      const { startSeconds, workerMib } = await serve(url, dataDir);
      sizes.push({
        entries,
        databaseBytesPerEntry: round(tableBytes / entries),
        viewHeapBytesPerEntry: round((await measureView(entries)) / entries),
        workerRssBytesPerEntry: round(((workerMib - empty.workerMib) * 2 ** 20) / entries),
        workerRssMib: round(workerMib),
        startSeconds: round(startSeconds, 2),
        ...(await poll(url)),
      });
    }
    return {
      figures: {
        postgres: database.server.version,
        workers,
        empty: { startSeconds: round(empty.startSeconds, 2), workerRssMib: round(empty.workerMib) },
        sizes,
      },
      table: table(
        ['entries', 'bytes a row', 'view', 'worker', 'worker MiB', 'start s', 'whole read s', 'empty poll ms'],
        sizes.map((one) => Object.values(one)),
      ),
    };
  },
});
