/**
 * What live revocations cost: bytes on disk and in each process, time until a worker serves, time of a poll that finds nothing new.
 * @module
 */
import { execFileSync } from 'node:child_process';
import { randomUUID, randomUUIDv7 } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { View } from '../packages/guard/src/view.ts';
import { treeOf } from '../packages/lab/src/faults/process-tree.ts';
import type { MemberId } from '../packages/protocol/src/ids.ts';
import type { JournalEntry } from '../packages/protocol/src/journal.ts';
import { PostgresJournalSource } from '../packages/server/src/stores/postgres/journal-source.ts';
import { removeFolder, startService, temporaryFolder } from '../tests/harness/service.ts';
import { median, round } from './figures.ts';
import { type BenchDatabase, machine, report, say, startDatabase, timed } from './setting.ts';

const help = `What live revocations cost, with PostgreSQL and two workers.

  node bench/journal-size.ts [--entries 10000,1000000]

Per number of entries: bytes of a row with its indexes, heap of a bare view, memory of the workers beyond that of an empty journal, seconds
from the start of the service until all workers serve, milliseconds of a poll that finds nothing. About 3 minutes; needs about 2 GB.
`;

const { values } = parseArgs({
  options: {
    help: { type: 'boolean', short: 'h' },
    entries: { type: 'string', default: '10000,1000000' },
    view: { type: 'string' },
  },
});

const workers = 2;
const polls = 200;
/** Time for what reading the journal has left behind to be collected. */
const restMs = 5000;
const pageEntries = 10_000;

/** Heap of a view with so many sessions, bytes; meant for a process of its own with `--expose-gc`. */
const viewBytes = (count: number): number => {
  const collect = (): number => {
    globalThis.gc?.();
    return process.memoryUsage().heapUsed;
  };
  const view = new View();
  const keepUntilMs = Date.now() + 3_600_000;
  const before = collect();
  for (let done = 0; done < count; done += pageEntries)
    view.apply(
      Array.from({ length: Math.min(pageEntries, count - done) }, () => {
        // As the driver makes it: one flat string, not the concatenation that randomUUID returns.
        const key = Buffer.from(randomUUID()).toString('latin1');
        return { id: key, kind: 'session', key, keepUntilMs } as unknown as JournalEntry;
      }),
    );
  const bytes = collect() - before;
  if (view.size !== count) throw new Error(`The view holds ${view.size} of ${count} entries`);
  return bytes;
};

const measureView = (count: number): number =>
  Number(execFileSync(process.execPath, ['--expose-gc', fileURLToPath(import.meta.url), '--view', String(count)]));

const fill = async ({ sql }: BenchDatabase, count: number): Promise<number> => {
  await sql('truncate journal');
  await sql(
    `insert into journal (id, kind, key, keep_until)
     select gen_random_uuid(), 'session', gen_random_uuid()::text, (extract(epoch from now()) * 1000)::bigint + 3600000
       from generate_series(1, ${count})`,
  );
  await sql('vacuum (full, analyze) journal');
  const [row] = await sql(`select pg_total_relation_size('journal')`);
  return Number(row?.[0]);
};

const rssBytes = (pid: number): number =>
  Number(/^Rss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1'))?.[1]) * 1024;

/** Starts the service, lets it rest and stops it. */
const serve = async (url: string, dataDir: string) => {
  const [startSeconds, service] = await timed(() => startService(dataDir, { DATABASE_URL: url, WORKERS: workers }));
  try {
    await delay(restMs);
    const [, ...children] = treeOf(service.process.pid ?? 0);
    return { startSeconds, workerBytes: median(children.map(({ pid }) => rssBytes(pid))) };
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

const measure = async (database: BenchDatabase, dataDir: string): Promise<object> => {
  const { url } = database;
  say('Empty journal');
  // The first start makes the schema and the keys; the second is like all others.
  await serve(url, dataDir);
  const empty = await serve(url, dataDir);
  const sizes = [];
  for (const entries of values.entries.split(',').map(Number)) {
    say(`${entries} entries`);
    const tableBytes = await fill(database, entries);
    const { startSeconds, workerBytes } = await serve(url, dataDir);
    sizes.push({
      entries,
      databaseBytesPerEntry: round(tableBytes / entries),
      viewHeapBytesPerEntry: round(measureView(entries) / entries),
      workerRssBytesPerEntry: round((workerBytes - empty.workerBytes) / entries),
      workerRssMib: round(workerBytes / 2 ** 20),
      startSeconds: round(startSeconds, 2),
      ...(await poll(url)),
    });
  }
  const emptyMib = round(empty.workerBytes / 2 ** 20);
  return { empty: { startSeconds: round(empty.startSeconds, 2), workerRssMib: emptyMib }, sizes };
};

const main = async (): Promise<void> => {
  await using database = await startDatabase();
  const dataDir = temporaryFolder();
  try {
    report({ machine: machine(), postgres: database.server.version, workers, ...(await measure(database, dataDir)) });
  } finally {
    removeFolder(dataDir);
  }
};

if (values.help === true) process.stdout.write(help);
else if (values.view !== undefined) process.stdout.write(String(viewBytes(Number(values.view))));
else await main();
