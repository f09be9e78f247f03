/**
 * How does this version do in the runs of the first report? Everything after the name goes to `catalytic-lab experiment week3`, which this
 * starts with a real PostgreSQL and a real Redis.
 * @module
 */
import { startRedis } from '../tests/harness/redis.ts';
import { startDatabase } from './harness/database.ts';
import { runLab } from './harness/lab.ts';

const words = process.argv.slice(2);
if (words.includes('--help')) process.exitCode = await runLab(['experiment', 'week3', '--help']);
else {
  await using database = await startDatabase();
  await using redis = await startRedis();
  const pids = [database.server.pid, redis.pid].map(String);
  const stores = ['--database-url', database.url, '--redis-url', redis.url, '--also-count', ...pids];
  const parts = ['--process', `redis=${redis.pid}`, `postgres=${database.server.pid}`];
  process.exitCode = await runLab(['experiment', 'week3', ...words, ...stores, ...parts]);
}
