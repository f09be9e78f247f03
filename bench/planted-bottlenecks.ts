/**
 * Does `catalytic-lab capacity` name what is planted, and say the same twice? `node bench/planted-bottlenecks.ts --help`.
 * @module
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Capacity } from '../packages/lab/src/capacity/find-capacity.ts';
import { lawSentence, limitSentence } from '../packages/lab/src/capacity/markdown.ts';
import { startTarget } from '../packages/lab/src/experiments/start-target.ts';
import { removeFolder } from '../tests/harness/service.ts';
import { table } from './figures.ts';
import { reportHead, say, startDatabase } from './setting.ts';

const help = `Runs "catalytic-lab capacity" twice on the same service, and on services and a generator that lack one thing on purpose.

  node bench/planted-bottlenecks.ts [--step 15] [--only TEXT] [--out FILE.md]

Planted: one hash lane (every login pays a full hash), one database connection (PostgreSQL), a generator that gets a fifth of a core (a control group of
the kernel; needs root). About 15 minutes. Exit codes: 0 all named and the two agree, 2 not all.
`;

const { values } = parseArgs({
  options: {
    help: { type: 'boolean', short: 'h', default: false },
    step: { type: 'string', default: '15' },
    only: { type: 'string', default: '' },
    out: { type: 'string' },
  },
});

const lab = fileURLToPath(new URL('../packages/lab/src/main.ts', import.meta.url));
const main = fileURLToPath(new URL('../packages/server/src/main.ts', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'catalytic-bottlenecks-'));

/** Users that never wait: they saturate a target as soon as there are enough of them. */
const restless = ['--from', '1', '--wait', '0-0', '--users-max', '512'];

/** A capacity that is looked for. */
interface Search {
  readonly planted: string;
  /** Words before the service. */
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

/** A control group whose processes get so many cores; removed when they have ended. */
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

const search = async (one: Search, index: number): Promise<Capacity> => {
  await using stack = new AsyncDisposableStack();
  const database = one.hasPostgres === true ? stack.use(await startDatabase()) : undefined;
  const settings = Object.entries(one.settings ?? {}).map(([name, value]) => `${name}=${value}`);
  const target = stack.use(
    await startTarget(database === undefined ? { kind: 'embedded' } : { kind: 'workers', workers: 1 }, {
      service: ['env', ...settings, process.execPath, main, 'serve'].join(' '),
      databaseUrl: database?.url,
      redisUrl: undefined,
    }),
  );
  const out = join(folder, String(index));
  const { url, adminKeyFile = '' } = target;
  const also = database === undefined ? [] : ['--also-count', String(database.server.pid)];
  const where = ['--target', url, '--admin-key-file', adminKeyFile, '--step', `${values.step}s`, '--out', out, ...also];
  const group = one.generatorCores === undefined ? undefined : stack.use(limitCores(one.generatorCores));
  const script = group === undefined ? 'exec "$@"' : `echo $$ > ${group.file} && exec "$@"`;
  const child = spawn('/bin/sh', ['-c', script, 'sh', process.execPath, lab, 'capacity', ...one.words, ...where], {
    cwd: folder,
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

if (values.help) process.stdout.write(help);
else {
  const found: (readonly [Search, Capacity])[] = [];
  for (const [index, one] of searches.entries()) {
    if (!one.planted.includes(values.only)) continue;
    say(`── planted: ${one.planted}`);
    found.push([one, await search(one, index)]);
  }
  const rows = found.map(([{ planted, named }, capacity]) => {
    const isNamed = named === undefined || capacity.limit.named.some(({ resource }) => named.test(resource));
    const verdict = named === undefined ? '' : isNamed ? 'named' : '**not named**';
    return { planted, isNamed, cells: [planted, limitSentence(capacity), lawSentence(capacity), verdict] };
  });
  const [first, second] = found
    .filter(([{ planted }]) => planted.startsWith('nothing'))
    .map(([, capacity]) => capacity);
  const isAgreed = first === undefined || second === undefined || agree(first, second);
  const head = reportHead('Does `capacity` name what is planted?', `planted-bottlenecks.ts --step ${values.step}`);
  const text = `${head}

${table(
  ['planted', 'where the target was saturated', 'its ceiling', ''],
  rows.map(({ cells }) => cells),
)}

${first === undefined || second === undefined ? '' : `The two searches with nothing planted ${isAgreed ? 'agree' : '**do not agree**'}: the ceiling of each ${isAgreed ? 'lies' : 'does not lie'} in the interval of the other.\n`}`;
  process.stdout.write(text);
  if (values.out !== undefined) writeFileSync(values.out, text);
  if (!isAgreed || rows.some(({ isNamed }) => !isNamed)) process.exitCode = 2;
  removeFolder(folder);
}
