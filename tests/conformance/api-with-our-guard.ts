/**
 * An API behind our own guard, as `catalytic guard-conformance` starts one.
 * @module
 */
import { createServer } from 'node:http';
import { createGuard, type Mode } from '@catalytic/guard';

const { PORT, CATALYTIC_ISSUER = '', CATALYTIC_URL, CATALYTIC_GUARD_KEY, GUARD_MODE = 'strict' } = process.env;
const guard = await createGuard({
  ...{ issuer: CATALYTIC_ISSUER, url: CATALYTIC_URL, key: CATALYTIC_GUARD_KEY, mode: GUARD_MODE as Mode },
  onProblem: () => {},
});
const server = createServer(guard.node((_request, response) => response.end('notes')));
server.listen(Number(PORT), '127.0.0.1');
// The guard first, so that a guard which leaves too early is seen to accept something after it.
process.once('SIGTERM', () => guard.stop().then(() => server.close()));
