/**
 * An API behind a guard, in a process of its own. `startGuardedApi` of `guarded-api.ts` starts it.
 *
 * Settings of the guard are its first argument, as JSON. It prints its port and runs until its input ends; then it stops its guard, and so
 * leaves. `GET /state` shows the guard's state, every other path is guarded.
 * @module
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createGuard, type GuardOptions } from '@catalytic/guard';

const options = JSON.parse(process.argv[2] ?? '{}') as GuardOptions;
const guard = await createGuard({
  ...options,
  onProblem: (message) => process.stderr.write(`${options.mode} guard: ${message}\n`),
});
const guarded = guard.node((request, response) => {
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify({ account: request.auth.subject }));
});
const server = createServer({ keepAliveTimeout: 600_000 }, (request, response) => {
  if (request.url === '/state') response.end(JSON.stringify(guard.state));
  else void guarded(request, response);
});
server.listen(0, '127.0.0.1', () => process.stdout.write(`${(server.address() as AddressInfo).port}\n`));
process.stdin.resume().once('end', () => {
  void guard.stop().finally(() => process.exit());
});
