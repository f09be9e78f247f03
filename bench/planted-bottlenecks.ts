/**
 * Does `catalytic-lab capacity` name a planted bottleneck, and find the same twice?
 * @module
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Capacity } from '../packages/lab/src/capacity/find-capacity.ts';
import { lawSentence, limitSentence } from '../packages/lab/src/capacity/markdown.ts';
import { startTarget } from '../packages/lab/src/launch/start-target.ts';
import { labMain } from '../tests/harness/lab.ts';
import { runBench } from './harness/bench.ts';
import { startDatabase } from './harness/database.ts';
import { table } from './harness/figures.ts';
import { number, text } from './harness/options.ts';
import { say } from './harness/result.ts';
import { folderOn } from './harness/services.ts';
import { service } from './targets/slower-service.ts';

const help = `Runs "catalytic-lab capacity" twice on the same service, and on services and a generator that lack one thing on purpose.

  npm run bench -- planted-bottlenecks [--step 15] [--only TEXT] [--out FILE]

Planted: one hash lane (every login pays a full hash), one database connection (PostgreSQL), a generator that gets a fifth of a core (a control group of
the kernel; needs root). About 15 minutes. Exit codes: 0 all named and the two agree, 2 not all.
`;

/** Users that never wait: they saturate a target as soon as there are enough of them. */
const restless = ['--from', '1', '--wait', '0-0', '--users-max', '512'];

/** A search for a capacity. */
interface Search {
  readonly planted: string;
  /** Settings of the service, by environment name. */
  readonly settings?: Readonly<Record<string, string | number>>;
  readonly hasPostgres?: true;
  readonly words: readonly string[];
  /** Share of a core that the generator gets. */
  readonly generatorCores?: number;
  /** The resource that must be named; `undefined`: any or none. */
  readonly named?: RegExp;
}

const searches: readonly Search[] = [
  { planted: 'nothing', words: ['verify', ...restless, '--seed', 'first'] },
  { planted: 'nothing, again', words: ['verify', ...restless, '--seed', 'second'] },
  {
    planted: 'one hash lane',
    settings: { HASH_LANES: 1, LOGIN_CACHE_SECONDS: 0 },
    words: ['auth', '--from', '25', '--users-max', '1000'],
    named: /hash lane/,
  },
  {
    planted: 'one database connection',
    settings: { DATABASE_POOL_SIZE: 1, DATABASE_MAX_OVERFLOW: 0 },
    hasPostgres: true,
    words: ['auth', ...restless],
    named: /database connection/,
  },
  {
    planted: 'a generator with a fifth of a core',
    words: ['verify', ...restless],
    generatorCores: 0.2,
    named: /^generator:/,
  },
];

const periodUs = 100_000;

/** A control group whose processes get this share of a core; removed when they have ended. */
const limitCores = (cores: number): { readonly file: string } & AsyncDisposable => {
  const [first = '', second = ''] = ['/sys/fs/cgroup/cpu', '/sys/fs/cgroup'];
  const isOld = existsSync(`${first}/cpu.cfs_quota_us`);
  const group = join(isOld ? first : second, `catalytic-${process.pid}`);
  mkdirSync(group);
  if (isOld) writeFileSync(join(group, 'cpu.cfs_quota_us'), String(cores * periodUs));
  else writeFileSync(join(group, 'cpu.max'), `${cores * periodUs} ${periodUs}`);
  return {
    file: join(group, 'cgroup.procs'),
    [Symbol.asyncDispose]: async () => {
      for (let tries = 50; tries > 0; tries--) {
        try {
          return rmdirSync(group);
        } catch {
          await delay(100);
        }
      }
    },
  };
};

const search = async (one: Search, out: string, stepSeconds: number): Promise<Capacity> => {
  await using stack = new AsyncDisposableStack();
  const database = one.hasPostgres === true ? stack.use(await startDatabase()) : undefined;
  const settings = Object.entries(one.settings ?? {}).map(([name, value]) => `${name}=${value}`);
  const target = stack.use(
    await startTarget(database === undefined ? { kind: 'embedded' } : { kind: 'workers', workers: 1 }, {
      service: ['env', ...settings, service].join(' '),
      databaseUrl: database?.url,
      redisUrl: undefined,
    }),
  );
  const { url, adminKeyFile = '' } = target;
  const also = database === undefined ? [] : ['--also-count', String(database.server.pid)];
  const where = ['--target', url, '--admin-key-file', adminKeyFile, '--step', `${stepSeconds}s`, '--out', out, ...also];
  const group = one.generatorCores === undefined ? undefined : stack.use(limitCores(one.generatorCores));
  const script = group === undefined ? 'exec "$@"' : `echo $$ > ${group.file} && exec "$@"`;
  const child = spawn('/bin/sh', ['-c', script, 'sh', process.execPath, labMain, 'capacity', ...one.words, ...where], {
    cwd: dirname(out),
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  await once(child, 'exit');
  return JSON.parse(readFileSync(`${out}.json`, 'utf8')) as Capacity;
};

/** Whether the ceiling that one search found lies in the interval of the other, both ways. */
const agree = (one: Capacity, other: Capacity): boolean => {
  const [a, b] = [one.law, other.law];
  if (a === null || b === null) return false;
  const holds = (from: typeof a, peak: number): boolean => from.peakLow <= peak && peak <= from.peakHigh;
  return holds(a, b.peakThroughput) && holds(b, a.peakThroughput);
};

/** What the two searches with nothing planted say of each other; nothing unless both ran. */
const agreement = (found: readonly (readonly [Search, Capacity])[]) => {
  const [first, second] = found
    .filter(([{ planted }]) => planted.startsWith('nothing'))
    .map(([, capacity]) => capacity);
  if (first === undefined || second === undefined) return { isAgreed: true, sentence: '' };
  const isAgreed = agree(first, second);
  const [verb, lies] = isAgreed ? ['agree', 'lies'] : ['**do not agree**', 'does not lie'];
  const sentence = `The two searches with nothing planted ${verb}: the ceiling of each ${lies} in the interval of the other.\n`;
  return { isAgreed, sentence };
};

await runBench({
  help,
  options: { step: number(15, { max: 600 }), only: text('') },
  measures: 'counts',
  run: async ({ values: { step, only } }, stack) => {
    const folder = folderOn(stack);
    const found: (readonly [Search, Capacity])[] = [];
    for (const [index, one] of searches.entries()) {
      if (!one.planted.includes(only)) continue;
      say(`── planted: ${one.planted}`);
      found.push([one, await search(one, join(folder, String(index)), step)]);
    }
    const rows = found.map(([{ planted, named }, capacity]) => {
      const isNamed = named === undefined || capacity.limit.named.some(({ resource }) => named.test(resource));
      const verdict = named === undefined ? '' : isNamed ? 'named' : '**not named**';
      return { planted, isNamed, limit: limitSentence(capacity), ceiling: lawSentence(capacity), verdict };
    });
    const { isAgreed, sentence } = agreement(found);
    return {
      figures: { step, rows, isAgreed },
      table: `${table(
        ['planted', 'where the target was saturated', 'its ceiling', ''],
        rows.map(({ planted, limit, ceiling, verdict }) => [planted, limit, ceiling, verdict]),
      )}\n${sentence}`,
      missed: [
        ...rows.filter(({ isNamed }) => !isNamed).map(({ planted }) => `${planted}: the bottleneck is not named`),
        ...(isAgreed ? [] : ['the two searches with nothing planted do not agree']),
      ],
    };
  },
});
