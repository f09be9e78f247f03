/**
 * Starts a sidecar, and an API behind it that finds it by SIDECAR_URL: both are tried as one. The words after this file start the API.
 * @module
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from '../harness/service.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const listen = `127.0.0.1:${await freePort()}`;
const start = (program: string, words: readonly string[], more: Record<string, string>): ReturnType<typeof spawn> =>
  spawn(program, words, { stdio: ['ignore', 'inherit', 'inherit'], env: { ...process.env, ...more } });

const sidecar = start(process.execPath, [join(root, 'packages/guard/src/sidecar/main.ts')], {
  CATALYTIC_GUARD_LISTEN: listen,
});
const [program = '', ...words] = process.argv.slice(2);
const api = start(program, words, { SIDECAR_URL: `http://${listen}` });

// The sidecar first: requests of that moment are answered 503.
process.once('SIGTERM', () => sidecar.kill('SIGTERM'));
await Promise.race([once(sidecar, 'exit'), once(api, 'exit')]);
sidecar.kill('SIGTERM');
api.kill('SIGTERM');
