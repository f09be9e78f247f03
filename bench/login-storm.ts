/**
 * A storm of logins, and what it does to everybody else: `node bench/login-storm.ts --help`.
 * @module
 */
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { listProcesses } from '../packages/lab/src/faults/process-tree.ts';
import { copyTree } from '../scripts/tree-copy.ts';
import { importAccounts } from '../tests/harness/accounts.ts';
import { goodPassword, signIn } from '../tests/harness/client.ts';
import { removeFolder, type Service, startService, temporaryFolder } from '../tests/harness/service.ts';
import { type Conditions, cpuSecondsOf, watchStrangers, worstOf } from './cpu.ts';
import { latencies, percentile, round, table, tally } from './figures.ts';
import { type Ask, answersByStatus, answersIn, type Load, loadFrom, type Return, tookMsOf } from './load-process.ts';
import { finish, insteadOf, machine, numberOption, say, spread, takeTurn } from './setting.ts';

const help = `A storm of logins at several times what the machine can check, beside a steady rate of verifies. One service on SQLite, login cache off.

  node bench/login-storm.ts [--seconds 60] [--times 5] [--verify-rate 200] [--out FILE]
  node bench/login-storm.ts --patched tests/mutants/login-storm-unprotected.patch      and the same against a patched copy of the tree
  node bench/login-storm.ts --against CHECKOUT                                         and the same against another checkout

Three phases, of --seconds each:

  quiet      verifies alone: p99
  capacity   as many logins at once as keep every lane busy, beside the verifies: C, logins a second
  storm      logins at --times C, open loop, beside the verifies. One refused client in 20 comes back after exactly the Retry-After it was
             told, twice at most, if that is no longer than three minutes after the storm

Aims: goodput of the storm ≥ 0.85 C, p99 of verify in the storm ≤ 3 times that of the quiet phase, no answer but 200 and 503, nobody
unanswered. Exit codes: 0 all met, 2 an aim was missed by the service as it is, 3 invalid. About 3 × --seconds and up to 3 minutes a service.
`;

const { values } = parseArgs({
  options: {
    help: { type: 'boolean', short: 'h', default: false },
    seconds: { type: 'string', default: '60' },
    times: { type: 'string', default: '5' },
    'verify-rate': { type: 'string', default: '200' },
    patched: { type: 'string' },
    against: { type: 'string' },
    out: { type: 'string' },
  },
});

const aims = { goodputShare: 0.85, verifyRatio: 3 };
/** Two for each core, the default of the service, which the harness would lower. */
const lanes = 2 * machine().cores;
/** The first seconds of a phase, in which queues fill and processes start, are not counted; of a short one a tenth. */
const settleSecondsMax = 3;
const verifyConnections = 32;
/** Enough for everybody who waits: the queue holds two seconds of logins, what is refused is answered at once. */
const loginConnections = 2000;
const retryOneOf = 20;
const accounts = 64;

const seconds = numberOption('seconds', values.seconds, { max: 600 });
const times = numberOption('times', values.times, { max: 50 });
const verifyRate = numberOption('verify-rate', values['verify-rate'], { max: 2000 });
const settleSeconds = Math.min(settleSecondsMax, seconds / 10);

const emails = Array.from({ length: accounts }, (_, index) => `storm${index}@example.com`);
const loginAsks: readonly Ask[] = emails.map((email) => ({
  method: 'POST',
  path: '/auth/login',
  body: { email, password: goodPassword, tenant: 'lab' },
}));

/** CPU seconds so far of the service and of the process that hashes for it. */
const cpuSplit = ({ process: { pid = 0 } }: Service): { readonly service: number; readonly hashing: number } => {
  const hashing = listProcesses().find(({ parent, command }) => parent === pid && command.includes('lane-process'));
  return { service: cpuSecondsOf(pid), hashing: hashing === undefined ? 0 : cpuSecondsOf(hashing.pid) };
};

const shareServed = (returns: readonly Return[], retry: number): number | null => {
  const asked = returns.filter(({ retries }) => retries.length > retry);
  if (asked.length === 0) return null;
  return round(asked.filter(({ retries }) => retries[retry]?.status === 200).length / asked.length, 3);
};

/** What the refused were told, and what came of it when they did as told. */
const honesty = ({ returns, retryAfterSeconds }: Load) => {
  const isDuring = (one: Return): boolean => (one.retries[0]?.atSeconds ?? 0) < seconds;
  return {
    told_seconds: tally(retryAfterSeconds),
    told_seconds_p50: percentile(retryAfterSeconds, 0.5),
    told_seconds_max: percentile(retryAfterSeconds, 1),
    came_back: returns.length,
    served_on_first_retry: shareServed(returns, 0),
    served_on_second_retry: shareServed(returns, 1),
    first_retry_during_the_storm: {
      came_back: returns.filter(isDuring).length,
      served: shareServed(returns.filter(isDuring), 0),
    },
    first_retry_after_the_storm: {
      came_back: returns.filter((one) => !isDuring(one)).length,
      served: shareServed(
        returns.filter((one) => !isDuring(one)),
        0,
      ),
    },
  };
};

/** Runs the three phases against one service. */
const measure = async (name: string, prefixCommand: readonly string[]) => {
  const dataDir = temporaryFolder();
  const settings = { LOGIN_CACHE_SECONDS: 0, HASH_LANES: lanes, ACCESS_TOKEN_SECONDS: 86_400, LOG_LEVEL: 'warn' };
  const service = await startService(dataDir, settings, prefixCommand);
  try {
    const { url } = service;
    await importAccounts(url, dataDir, emails);
    const tokens = await spread(emails.slice(0, 16), lanes, (email) => signIn(url, email, goodPassword, 'lab'));
    const verifies = (until: number): Promise<Load> =>
      loadFrom({
        url,
        asks: tokens.map(({ access }) => ({ method: 'GET', path: '/auth/verify', token: access })),
        seconds: until,
        pace: { perSecond: verifyRate },
        connections: verifyConnections,
      });
    // Compiled before anything counts.
    await verifies(Math.min(5, seconds));

    say(`${name}: quiet, ${seconds} s`);
    const conditions: Conditions[] = [];
    const phase = async <Result>(act: () => Promise<Result>): Promise<Result> => {
      const look = watchStrangers();
      const result = await act();
      conditions.push(look());
      return result;
    };
    const quiet = latencies(tookMsOf(await phase(() => verifies(seconds)), 200, settleSeconds));

    say(`${name}: capacity, ${seconds} s`);
    const logins = (pace: { perSecond: number } | { hands: number }): Promise<Load> =>
      loadFrom({ url, asks: loginAsks, seconds, pace, connections: loginConnections, retryOneOf });
    const [capacityLoad, besideCapacity] = await phase(() =>
      Promise.all([logins({ hands: 2 * lanes }), verifies(seconds)]),
    );
    const counted = seconds - settleSeconds;
    const capacity = answersIn(capacityLoad, 200, settleSeconds, seconds) / counted;
    if (capacity === 0) throw new Error(`No login was answered with 200: ${service.output().slice(-400)}`);

    say(
      `${name}: C is ${round(capacity)} logins a second; storm of ${round(times * capacity, 0)} a second, ${seconds} s`,
    );
    const before = cpuSplit(service);
    let after = before;
    const look = watchStrangers();
    const atEnd = setTimeout(() => {
      after = cpuSplit(service);
      conditions.push(look());
      say(`${name}: the storm is over; waiting for the refused who were told to come back`);
    }, seconds * 1000);
    const [storm, besideStorm] = await Promise.all([logins({ perSecond: times * capacity }), verifies(seconds)]);
    clearTimeout(atEnd);
    const goodput = answersIn(storm, 200, settleSeconds, seconds) / counted;
    const inStorm = latencies(tookMsOf(besideStorm, 200, settleSeconds));
    const answers = answersByStatus(storm);
    return {
      name,
      capacity_per_second: round(capacity),
      quiet_verify: quiet,
      capacity_verify: latencies(tookMsOf(besideCapacity, 200, settleSeconds)),
      storm_verify: inStorm,
      storm_verify_answers: answersByStatus(besideStorm),
      verify_p99_ratio: round(inStorm.p99_ms / Math.max(0.01, quiet.p99_ms), 2),
      offered_per_second: round(times * capacity),
      goodput_per_second: round(goodput),
      goodput_share_of_capacity: round(goodput / capacity, 3),
      login_answers: answers,
      refused_share: round((answers['503'] ?? 0) / Math.max(1, storm.statuses.length), 3),
      served_login: latencies(tookMsOf(storm, 200, settleSeconds)),
      refused_login: latencies(tookMsOf(storm, 503, settleSeconds)),
      retry_after: honesty(storm),
      cpu_seconds: {
        service: round(after.service - before.service),
        hashing: round(after.hashing - before.hashing),
        generators: round(storm.cpuSeconds + besideStorm.cpuSeconds),
      },
      conditions: worstOf(conditions),
    };
  } finally {
    await service.end('SIGKILL');
    removeFolder(dataDir);
  }
};
type Measured = Awaited<ReturnType<typeof measure>>;

const missedBy = ({ goodput_share_of_capacity: share, verify_p99_ratio: ratio, login_answers }: Measured): string[] => {
  const strange = Object.entries(login_answers).filter(([status]) => status !== '200' && status !== '503');
  return [
    ...(share >= aims.goodputShare ? [] : [`goodput is ${share} of C, aim ≥ ${aims.goodputShare}`]),
    ...(ratio <= aims.verifyRatio ? [] : [`verify p99 is ${ratio} times the quiet one, aim ≤ ${aims.verifyRatio}`]),
    ...strange.map(([status, count]) => `${count} logins were answered with ${status}, aim 200 or 503`),
  ];
};

const rowOf = (one: Measured): (string | number | null)[] => [
  one.name,
  one.capacity_per_second,
  one.goodput_per_second,
  one.goodput_share_of_capacity,
  one.refused_share,
  one.login_answers['none'] ?? 0,
  one.served_login.p99_ms,
  one.quiet_verify.p99_ms,
  one.storm_verify.p50_ms,
  one.storm_verify.p99_ms,
  one.verify_p99_ratio,
  `${one.retry_after.told_seconds_p50}/${one.retry_after.told_seconds_max}`,
  one.retry_after.served_on_first_retry,
  one.retry_after.served_on_second_retry,
  `${one.cpu_seconds.service}/${one.cpu_seconds.hashing}/${one.cpu_seconds.generators}`,
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

const main = async (): Promise<void> => {
  takeTurn();
  const results = [await measure('as it is', [])];
  if (values.against !== undefined) results.push(await measure('the other checkout', insteadOf(values.against)));
  if (values.patched !== undefined) {
    const copy = copyTree(fileURLToPath(new URL('..', import.meta.url)), resolve(values.patched));
    try {
      results.push(await measure('patched', insteadOf(copy.path)));
    } finally {
      copy.remove();
    }
  }
  finish({
    out: values.out,
    figures: { seconds, times, verify_rate: verifyRate, lanes, results },
    table: table(head, results.map(rowOf)),
    conditions: worstOf(results.map(({ conditions }) => conditions)),
    missed: missedBy(results[0] as Measured),
  });
};

if (values.help) process.stdout.write(help);
else await main();
