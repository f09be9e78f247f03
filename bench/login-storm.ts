/**
 * How does the service serve through a storm of logins, and does Retry-After tell refused clients the truth?
 * @module
 */
import { importAccounts } from '../tests/harness/accounts.ts';
import { goodPassword, signIn } from '../tests/harness/client.ts';
import { inParallel } from '../tests/harness/in-parallel.ts';
import type { Service } from '../tests/harness/service.ts';
import { runBench } from './harness/bench.ts';
import { type Conditions, watchStrangers, worstOf } from './harness/conditions.ts';
import { largest, latencies, median, round, table, tally } from './harness/figures.ts';
import { number, optionalText } from './harness/options.ts';
import { cpuSecondsOf, hashingProcessOf } from './harness/processes.ts';
import { machine, say } from './harness/result.ts';
import { insteadOf, patchedCopy, pidOf, startServiceOn } from './harness/services.ts';
import {
  type Ask,
  answersByStatus,
  answersIn,
  type Load,
  type Pace,
  type Return,
  sendLoad,
  tookMsOf,
} from './loads/http-load.ts';

const help = `A storm of logins at several times the rate that the machine can check, beside a steady rate of verifies. One service on SQLite, login
cache off.

  npm run bench -- login-storm [--seconds 60] [--times 5] [--verify-rate 200] [--out FILE]
  npm run bench -- login-storm --patched tests/mutants/login-storm-unprotected.patch   and the same against a patched copy of the tree
  npm run bench -- login-storm --against CHECKOUT                                      and the same against another checkout

Three phases, of --seconds each:

  quiet      verifies alone: p99
  capacity   as many logins at once as keep every lane busy, beside the verifies: C, logins a second
  storm      logins at --times C, open loop, beside the verifies. One refused client in 20 comes back after exactly the Retry-After of its
             answer, twice at most, if that is no longer than three minutes after the storm

Aims: goodput of the storm ≥ 0.85 C, p99 of verify in the storm ≤ 3 times that of the quiet phase, no answer but 200 and 503, no request
without an answer. Exit codes: 0 all met, 2 the service as it is missed an aim, 3 invalid. About 3 × --seconds and up to 3 minutes a service.
`;

const aims = { goodputShare: 0.85, verifyRatio: 3 };
/** Two for each core, the default of the service, which the harness would lower. */
const lanes = 2 * machine.cores;
/** The first seconds of a phase, in which queues fill and processes start, are not counted; of a short phase a tenth. */
const settleSecondsMax = 3;
/** Longest warm-up, seconds: code is compiled before anything counts. */
const warmUpSecondsMax = 5;
const verifyConnections = 32;
/** Enough for every client that waits: the queue holds two seconds of logins, and a refusal is answered at once. */
const loginConnections = 2000;
const retryOneOf = 20;
const accounts = 64;
const signedIn = 16;

const emails = Array.from({ length: accounts }, (_, index) => `storm${index}@example.com`);
const loginAsks: readonly Ask[] = emails.map((email) => ({
  method: 'POST',
  path: '/auth/login',
  body: { email, password: goodPassword, tenant: 'lab' },
}));

/** The load of a run. */
interface Storm {
  readonly seconds: number;
  readonly settleSeconds: number;
  /** Rate of the storm, in capacities. */
  readonly times: number;
  readonly verifyRate: number;
}

/** CPU seconds so far of the service and of the process that hashes for it. */
const cpuSplit = (service: Service): { readonly service: number; readonly hashing: number } => {
  const hashing = hashingProcessOf(pidOf(service));
  return { service: cpuSecondsOf(pidOf(service)).own, hashing: hashing === undefined ? 0 : cpuSecondsOf(hashing).own };
};

const shareServed = (returns: readonly Return[], retry: number): number | null => {
  const asked = returns.filter(({ retries }) => retries.length > retry);
  if (asked.length === 0) return null;
  return round(asked.filter(({ retries }) => retries[retry]?.status === 200).length / asked.length, 3);
};

/** What the refused clients were told to wait, and whether they were served when they waited that long. */
const honesty = ({ returns, retryAfterSeconds }: Load, seconds: number) => {
  const isDuring = (one: Return): boolean => (one.retries[0]?.atSeconds ?? 0) < seconds;
  return {
    toldSeconds: tally(retryAfterSeconds),
    toldSecondsP50: median(retryAfterSeconds),
    toldSecondsMax: largest(retryAfterSeconds),
    cameBack: returns.length,
    servedOnFirstRetry: shareServed(returns, 0),
    servedOnSecondRetry: shareServed(returns, 1),
    firstRetryDuringTheStorm: {
      cameBack: returns.filter(isDuring).length,
      served: shareServed(returns.filter(isDuring), 0),
    },
    firstRetryAfterTheStorm: {
      cameBack: returns.filter((one) => !isDuring(one)).length,
      served: shareServed(
        returns.filter((one) => !isDuring(one)),
        0,
      ),
    },
  };
};

/** What can be sent to a service. */
interface Loads {
  readonly verifies: (seconds: number) => Promise<Load>;
  readonly logins: (pace: Pace) => Promise<Load>;
}

const loadsOn = async ({ url, dataDir }: Service, { seconds, verifyRate }: Storm): Promise<Loads> => {
  await importAccounts(url, dataDir, emails);
  const few = emails.slice(0, signedIn);
  const tokens = await inParallel(few, (email) => signIn(url, email, goodPassword, 'lab'), lanes);
  const asks = tokens.map(({ access }): Ask => ({ method: 'GET', path: '/auth/verify', token: access }));
  return {
    verifies: (until) =>
      sendLoad({ url, asks, seconds: until, pace: { perSecond: verifyRate }, connections: verifyConnections }),
    logins: (pace) => sendLoad({ url, asks: loginAsks, seconds, pace, connections: loginConnections, retryOneOf }),
  };
};

/** The storm itself. The CPU seconds and the conditions are those of its seconds, without the wait for clients that come back. */
const playStorm = async (
  name: string,
  service: Service,
  { verifies, logins }: Loads,
  storm: Storm,
  perSecond: number,
) => {
  const before = cpuSplit(service);
  let after = before;
  const look = watchStrangers();
  let conditions: Conditions | undefined;
  const atEnd = setTimeout(() => {
    after = cpuSplit(service);
    conditions = look();
    say(`${name}: the storm is over; waiting for the refused clients that were told to come back`);
  }, storm.seconds * 1000);
  const [login, verify] = await Promise.all([logins({ perSecond }), verifies(storm.seconds)]);
  clearTimeout(atEnd);
  return {
    login,
    verify,
    conditions: conditions ?? look(),
    cpuSeconds: {
      service: round(after.service - before.service),
      hashing: round(after.hashing - before.hashing),
      generators: round(login.cpuSeconds + verify.cpuSeconds),
    },
  };
};

/** Runs the three phases against one service. */
const measure = async (name: string, prefixCommand: readonly string[], storm: Storm) => {
  await using stack = new AsyncDisposableStack();
  const { seconds, settleSeconds, times } = storm;
  const settings = { LOGIN_CACHE_SECONDS: 0, HASH_LANES: lanes, ACCESS_TOKEN_SECONDS: 86_400, LOG_LEVEL: 'warn' };
  const service = await startServiceOn(stack, settings, prefixCommand);
  const loads = await loadsOn(service, storm);
  await loads.verifies(Math.min(warmUpSecondsMax, seconds));
  const counted = seconds - settleSeconds;
  const verified = (load: Load) => latencies(tookMsOf(load, 200, settleSeconds));

  say(`${name}: quiet, ${seconds} s`);
  const lookQuiet = watchStrangers();
  const quiet = verified(await loads.verifies(seconds));
  const whileQuiet = lookQuiet();

  say(`${name}: capacity, ${seconds} s`);
  const lookFull = watchStrangers();
  const [capacityLoad, besideCapacity] = await Promise.all([
    loads.logins({ hands: 2 * lanes }),
    loads.verifies(seconds),
  ]);
  const whileFull = lookFull();
  const capacity = answersIn(capacityLoad, 200, settleSeconds, seconds) / counted;
  if (capacity === 0) throw new Error(`No login was answered with 200: ${service.output().slice(-400)}`);

  const offered = times * capacity;
  say(`${name}: C is ${round(capacity)} logins a second; storm of ${round(offered, 0)} a second, ${seconds} s`);
  const played = await playStorm(name, service, loads, storm, offered);
  const goodput = answersIn(played.login, 200, settleSeconds, seconds) / counted;
  const inStorm = verified(played.verify);
  const answers = answersByStatus(played.login);
  return {
    name,
    capacityPerSecond: round(capacity),
    quietVerify: quiet,
    capacityVerify: verified(besideCapacity),
    stormVerify: inStorm,
    stormVerifyAnswers: answersByStatus(played.verify),
    verifyP99Ratio: round(inStorm.p99Ms / Math.max(0.01, quiet.p99Ms), 2),
    offeredPerSecond: round(offered),
    goodputPerSecond: round(goodput),
    goodputShareOfCapacity: round(goodput / capacity, 3),
    loginAnswers: answers,
    refusedShare: round((answers['503'] ?? 0) / Math.max(1, played.login.statuses.length), 3),
    servedLogin: latencies(tookMsOf(played.login, 200, settleSeconds)),
    refusedLogin: latencies(tookMsOf(played.login, 503, settleSeconds)),
    retryAfter: honesty(played.login, seconds),
    cpuSeconds: played.cpuSeconds,
    conditions: worstOf([whileQuiet, whileFull, played.conditions]),
  };
};
type Measured = Awaited<ReturnType<typeof measure>>;

const missedBy = ({ goodputShareOfCapacity: share, verifyP99Ratio: ratio, loginAnswers }: Measured): string[] => {
  const strange = Object.entries(loginAnswers).filter(([status]) => status !== '200' && status !== '503');
  return [
    ...(share >= aims.goodputShare ? [] : [`goodput is ${share} of C, aim ≥ ${aims.goodputShare}`]),
    ...(ratio <= aims.verifyRatio ? [] : [`verify p99 is ${ratio} times the quiet one, aim ≤ ${aims.verifyRatio}`]),
    ...strange.map(([status, count]) => `${count} logins were answered with ${status}, aim 200 or 503`),
  ];
};

const rowOf = (one: Measured): (string | number | null)[] => [
  one.name,
  one.capacityPerSecond,
  one.goodputPerSecond,
  one.goodputShareOfCapacity,
  one.refusedShare,
  one.loginAnswers['none'] ?? 0,
  one.servedLogin.p99Ms,
  one.quietVerify.p99Ms,
  one.stormVerify.p50Ms,
  one.stormVerify.p99Ms,
  one.verifyP99Ratio,
  `${one.retryAfter.toldSecondsP50}/${one.retryAfter.toldSecondsMax}`,
  one.retryAfter.servedOnFirstRetry,
  one.retryAfter.servedOnSecondRetry,
  `${one.cpuSeconds.service}/${one.cpuSeconds.hashing}/${one.cpuSeconds.generators}`,
];

const head = [
  'service',
  'C /s',
  'goodput /s',
  'of C',
  '503 share',
  'unanswered',
  'login p99 ms',
  'quiet verify p99 ms',
  'storm verify p50 ms',
  'p99 ms',
  'ratio',
  'Retry-After p50/max s',
  'served 1st retry',
  '2nd',
  'CPU s service/hashing/generators',
];

await runBench({
  help,
  options: {
    seconds: number(60, { max: 600 }),
    times: number(5, { max: 50 }),
    'verify-rate': number(200, { max: 2000 }),
    patched: optionalText,
    against: optionalText,
  },
  measures: 'times',
  run: async ({ values }, stack) => {
    const { seconds, times, 'verify-rate': verifyRate, patched, against } = values;
    const storm = { seconds, times, verifyRate, settleSeconds: Math.min(settleSecondsMax, seconds / 10) };
    const asItIs = await measure('as it is', [], storm);
    const results = [asItIs];
    if (against !== undefined) results.push(await measure('the other checkout', insteadOf(against), storm));
    if (patched !== undefined) results.push(await measure('patched', insteadOf(patchedCopy(stack, patched)), storm));
    return {
      figures: { seconds, times, verifyRate, lanes, results },
      table: table(head, results.map(rowOf)),
      conditions: worstOf(results.map(({ conditions }) => conditions)),
      missed: missedBy(asItIs),
    };
  },
});
