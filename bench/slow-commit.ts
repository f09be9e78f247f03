/**
 * How much does a slow disk slow verify?
 * @module
 */
import { importAccounts } from '../tests/harness/accounts.ts';
import { goodPassword, signIn } from '../tests/harness/client.ts';
import { inParallel } from '../tests/harness/in-parallel.ts';
import { runBench } from './harness/bench.ts';
import { type Latencies, latencies, median, table } from './harness/figures.ts';
import { number } from './harness/options.ts';
import { dealRounds } from './harness/rounds.ts';
import { insteadOf, patchedCopy, startServiceOn, targetPatch } from './harness/services.ts';
import { type Ask, sendLoad, tookMsOfSuccess } from './loads/http-load.ts';

const help = `How much a slow disk slows GET /auth/verify: sign-ins (login cache on) beside verifies, both in an open loop, against the service as it
is and against a copy whose commits take 5 ms longer (slow-commit.patch), each started anew for every block, in random order.

  npm run bench -- slow-commit [--rounds 3] [--seconds 20] [--rate 200] [--out FILE]

--rate  sign-ins a second, and verifies a second

One row for each block, and medians over the rounds. About 3 minutes.
`;

const accounts = 100;
const connections = 64;

interface Block {
  readonly verify: Latencies;
  readonly login: Latencies;
}

/** Starts a service, loads it and ends it. @param checkout where it is from; absent: this one */
const measure = async (seconds: number, perSecond: number, checkout?: string): Promise<Block> => {
  await using stack = new AsyncDisposableStack();
  const { url, dataDir } = await startServiceOn(
    stack,
    { LOGIN_CACHE_SECONDS: 3600, LOG_LEVEL: 'warn' },
    checkout === undefined ? [] : insteadOf(checkout),
  );
  const emails = Array.from({ length: accounts }, (_, index) => `bench-${index}@example.com`);
  await importAccounts(url, dataDir, emails);
  // Each account pays its full hash once, before the clock starts.
  const sessions = await inParallel(emails, (email) => signIn(url, email, goodPassword, 'lab'), 2);
  const verifies = sessions.map(({ access }): Ask => ({ method: 'GET', path: '/auth/verify', token: access }));
  const logins = emails.map(
    (email): Ask => ({ method: 'POST', path: '/auth/login', body: { email, password: goodPassword, tenant: 'lab' } }),
  );
  const load = async (asks: readonly Ask[]): Promise<Latencies> =>
    latencies(tookMsOfSuccess(await sendLoad({ url, asks, seconds, pace: { perSecond }, connections })));
  const [verify, login] = await Promise.all([load(verifies), load(logins)]);
  return { verify, login };
};

const requests = ['verify', 'login'] as const;

await runBench({
  help,
  options: { rounds: number(3, { max: 100 }), seconds: number(20, { max: 600 }), rate: number(200, { max: 2000 }) },
  measures: 'times',
  run: async ({ values: { rounds, seconds, rate } }, stack) => {
    const copy = patchedCopy(stack, targetPatch('slow-commit.patch'));
    const blocks = await dealRounds(
      { 'as it is': () => measure(seconds, rate), 'commit + 5 ms': () => measure(seconds, rate, copy) },
      rounds,
    );
    const each = [...blocks].flatMap(([variant, all]) =>
      all.flatMap((block, index) =>
        requests.map((request) => ({ round: index + 1, variant, request, ...block[request] })),
      ),
    );
    const medians = [...blocks.keys()].flatMap((variant) =>
      requests.map((request) => {
        const own = each.filter((one) => one.variant === variant && one.request === request);
        const middle = (figure: 'p50Ms' | 'p99Ms' | 'maxMs'): number => median(own.map((one) => one[figure]));
        return { variant, request, p50Ms: middle('p50Ms'), p99Ms: middle('p99Ms'), maxMs: middle('maxMs') };
      }),
    );
    return {
      figures: { rounds, seconds, rate, medians, each },
      table: `${table(
        ['variant', 'request', 'round', 'count', 'p50 ms', 'p99 ms', 'max ms'],
        each.map((one) => [one.variant, one.request, one.round, one.samples, one.p50Ms, one.p99Ms, one.maxMs]),
      )}\n${table(
        ['median', 'request', 'p50 ms', 'p99 ms', 'max ms'],
        medians.map((one) => Object.values(one)),
      )}`,
    };
  },
});
