/**
 * The experiment `week3` with everything it needs: starts a real PostgreSQL and a real Redis for it. `node bench/week3.ts --help`.
 * @module
 */
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { spawnGroup } from '../packages/lab/src/experiments/own-group.ts';
import { startPostgres } from '../tests/harness/postgres.ts';
import { startRedis } from '../tests/harness/redis.ts';

const lab = fileURLToPath(new URL('../packages/lab/src/main.ts', import.meta.url));

const runLab = async (words: readonly string[]): Promise<number> => {
  const child = spawnGroup(process.execPath, [lab, 'experiment', 'week3', ...words], { stdio: 'inherit' });
  // This process waits for what it has to say.
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => child.kill(name));
  const [code] = (await once(child, 'exit')) as [number | null];
  return code ?? 1;
};

const words = process.argv.slice(2);
if (words.includes('--help')) process.exitCode = await runLab(['--help']);
else {
  await using postgres = await startPostgres({ settings: { max_connections: 300 } });
  await postgres.sql("create role catalytic login nosuperuser nobypassrls password 'catalytic'");
  await postgres.sql('create database catalytic owner catalytic');
  await using redis = await startRedis();
  const databaseUrl = `postgres://catalytic:catalytic@127.0.0.1:${postgres.port}/catalytic`;
  const stores = [
    '--database-url',
    databaseUrl,
    '--redis-url',
    redis.url,
    '--also-count',
    `${postgres.pid}`,
    `${redis.pid}`,
    '--process',
    `redis=${redis.pid}`,
    `postgres=${postgres.pid}`,
  ];
  process.exitCode = await runLab([...words, ...stores]);
}
