/**
 * The part of the help of `run` below its options.
 * @module
 */
import { scenarioLines } from '../scenarios/registry.ts';

/** Scenarios, exit codes and examples. */
export const runHelp = (): string => `
Scenarios, with weights and waits:
${scenarioLines().join('\n')}

  Each scenario has default targets. --p50, --p95, --p99, --failures, --endpoint-failures, --rejected, --criterion and a file,
  --criteria, add to them or replace them. Without another limit, 1 % of the requests may be real failures. "none" switches a
  criterion off. A criterion that cannot be judged (too few samples, or its subject never occurred) has not passed.
  "revocation" reaches every worker of the target when that is started with EXPOSE_WORKER=1, and otherwise asks over fresh connections.
  "outage" breaks the processes declared as redis and postgres, one after the other, and is judged phase by phase:
  --process redis or postgres is paused, and killed where --command redis-start or postgres-start starts it again; --command redis-flush
  empties it. With --fault its faults are those given.
  --guard tries every token at an API behind a guard, too: docs/guides/load-test.md#guarded-apis.
  With --logouts-per-second, --users is the number of accounts and the most connections in use at once.

  A file such as ./my-scenario.ts is a custom scenario: docs/guides/custom-scenario.md.

Exit codes:
  0  every criterion was judged and kept    4  consistency violated: a revoked token was accepted
  1  wrong usage, nothing was measured      5  the target was unreachable
  2  a criterion failed                     6  not judged: no criterion failed, and not every one
  3  the run is invalid: do not believe it     had what it needs, or there was none

  If several apply, the exit code is the first of 4, 5, 3, 2, 6.

Examples:
  npm run lab -- run auth
      50 users for a minute against a service started here with "npm start"
  npm run lab -- run auth --users 1000 --spawn-rate 50 --duration 3m --out results/baseline
      1,000 users, 50 of them started each second, for three minutes
  npm run lab -- run auth --seed a1b2 --p95 200 --failures 0.1
      the schedule of an earlier run, held to stricter limits
  npm run lab -- run ./todo.ts --criterion 'endpoint GET /v1/todos: p95=100, failures=0' --criterion 'check a list: failed=0' --abort-when any
      criteria of one endpoint and one check; the run ends early once a criterion is certain to fail
  npm run lab -- run verify --rate 500 --users 200 --duration 1m
      start 500 tasks per second, however slow the answers are
  npm run lab -- run auth --stage users=100,duration=30s --stage users=1000,duration=2m
      two stages
  npm run lab -- run auth --process postgres=DATA/postmaster.pid --fault postgres:pause@30s --fault postgres:resume@33s
      the database freezes for three seconds
  npm run lab -- run outage --duration 2m --users 200 \\
      --process redis=redis.pid --command "redis-flush=redis-cli flushall" \\
      --command "redis-start=redis-server --port 6379 --pidfile $PWD/redis.pid --daemonize yes" \\
      --process postgres=DATA/postmaster.pid --command "postgres-start=pg_ctl -D DATA -l postgres.log start"
      which requests fail while Redis, then PostgreSQL, is away, and for how long?
  npm run lab -- run revocation --users 50 --duration 1m
      does a signed-out token die at once, on every worker?
  npm run lab -- run revocation --logouts-per-second 200 --duration 30s
      the same with 200 logouts per second, however slow the answers are
  npm run lab -- run revocation --guard http://127.0.0.1:3000/notes --guard follow=http://127.0.0.1:3001/notes
      does it die at these two APIs as well?`;
