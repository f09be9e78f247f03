/**
 * Does the service serve while clients hold all of its connections and send nothing?
 * @module
 */
import { setTimeout as delay } from 'node:timers/promises';
import { Agent, Client } from 'undici';
import { makeCertificate, placeCertificate } from '../tests/harness/certificates.ts';
import { goodPassword } from '../tests/harness/client.ts';
import { readMetrics } from '../tests/harness/metrics.ts';
import { operateUrlOf } from '../tests/harness/operate-url.ts';
import { runBench } from './harness/bench.ts';
import { startChild } from './harness/child.ts';
import { largest, latencies, round, table } from './harness/figures.ts';
import { assertFiles } from './harness/open-files.ts';
import { flag, number } from './harness/options.ts';
import { say } from './harness/result.ts';
import { folderOn, startServiceOn } from './harness/services.ts';
import { openLoop } from './loads/open-loop.ts';
import type { SilentConnectionsTasks } from './loads/silent-connections-process.ts';

const help = `Clients that hold every connection of one real service and send nothing, beside clients that want to be served.

  npm run bench -- silent-connections [--connections 19000] [--seconds 600] [--out FILE]
  npm run bench -- silent-connections --tls       each of them over TLS

Two crowds, one after the other: as many connections as --connections, and 200, each on a new service that takes no more (MAX_CONNECTIONS).
Five kinds in equal parts: silent, half a head, half a body, an expectation that is refused, and no request (with --tls: no handshake). No
client closes its side before the service does, and each opens its connection anew for ever. Beside them: 200 verify/s on kept connections, and
a sign-in each second on a new one. Shows memory, descriptors, latency of verify and sign-ins, and whether the service served all the while.
Aims: 99.9 % of the verifies and 99 % of the sign-ins answered 200, and no stretch of 2 s without a verify. Takes 2 × --seconds. Linux.
`;

const verifiesPerSecond = 200;
const smallCrowd = 200;
const aims = { verifyShare: 0.999, signInShare: 0.99, gapSeconds: 2 };
/** Longest wait for an answer, milliseconds. */
const answerMsMax = 10_000;

/** An answered or failed request. */
interface Sample {
  readonly endedMs: number;
  readonly tookMs: number;
  readonly isServed: boolean;
}

const sampled = async (dueMs: number, isServed: () => Promise<boolean>): Promise<Sample> => {
  const served = await isServed().catch(() => false);
  const endedMs = performance.now();
  return { endedMs, tookMs: endedMs - dueMs, isServed: served };
};

/** Clients that want to be served. */
const guestsOf = async (url: string, ca: string) => {
  const limits = { connect: { ca }, headersTimeout: answerMsMax, bodyTimeout: answerMsMax };
  const kept = new Agent({ ...limits, connections: 20 });
  const account = { email: 'guest@example.com', password: goodPassword };
  const send = async (client: Agent | Client, path: string, body?: object, token?: string) => {
    const { statusCode, body: answer } = await client.request({
      origin: url,
      method: body === undefined ? 'GET' : 'POST',
      path,
      headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) },
      ...(body && { body: JSON.stringify(body) }),
    });
    return { status: statusCode, text: await answer.text() };
  };
  await send(kept, '/auth/register', account);
  const signedIn = await send(kept, '/auth/login', account);
  const token = String((JSON.parse(signedIn.text) as Record<string, unknown>)['access_token']);
  return {
    verify: async () => (await send(kept, '/auth/verify', undefined, token)).status === 200,
    /** On a new connection. */
    signIn: async (): Promise<boolean> => {
      const fresh = new Client(url, limits);
      try {
        return (await send(fresh, '/auth/login', account)).status === 200;
      } finally {
        await fresh.destroy();
      }
    },
    close: () => kept.destroy(),
  };
};

const shareOf = (samples: readonly Sample[]): number =>
  samples.length === 0 ? 0 : samples.filter(({ isServed }) => isServed).length / samples.length;

/** The longest stretch without a served request, seconds. */
const longestGap = (samples: readonly Sample[], beganMs: number): number => {
  const served = samples.flatMap(({ isServed, endedMs }) => (isServed ? [endedMs] : [])).toSorted((a, b) => a - b);
  const ends = [...served, performance.now()];
  return largest(ends.map((endMs, index) => endMs - (ends[index - 1] ?? beganMs))) / 1000;
};

/** Reads figures of the service every second until the signal. */
const watch = async (operateUrl: string, signal: AbortSignal) => {
  const figures: { readonly residentMib: number; readonly files: number; readonly open: number }[] = [];
  while (!signal.aborted) {
    const page = readMetrics(await (await fetch(`${operateUrl}/metrics`)).text());
    const figure = (name: string): number => page.get(`${name}{worker="1"}`) ?? Number.NaN;
    figures.push({
      residentMib: round(figure('catalytic_process_resident_memory_bytes') / 2 ** 20),
      files: figure('catalytic_process_open_fds'),
      open: figure('catalytic_connections_open'),
    });
    await delay(1000, undefined, { signal }).catch(() => {});
  }
  return figures;
};

/** One crowd, on a new service. */
const besiege = async (connections: number, seconds: number, tls: boolean) => {
  await using stack = new AsyncDisposableStack();
  const made = makeCertificate();
  const service = await startServiceOn(stack, {
    MAX_CONNECTIONS: connections,
    OPERATE_PORT: 0,
    ...(tls && placeCertificate(folderOn(stack), made)),
  });
  const guests = await guestsOf(service.url, made.cert);
  stack.defer(() => guests.close());
  const crowd = stack.use(
    startChild<SilentConnectionsTasks>(new URL('loads/silent-connections-process.ts', import.meta.url)),
  );
  say(`Opening ${connections} connections`);
  await crowd.ask('open', { url: service.url, ca: made.cert, connections });
  await crowd.ask('look', undefined);

  say(`Watching for ${seconds} s`);
  const over = new AbortController();
  const watching = watch(operateUrlOf(service), over.signal);
  const beganMs = performance.now();
  const [verifies, signIns] = await Promise.all([
    openLoop(verifiesPerSecond, verifiesPerSecond * seconds, (_, dueMs) => sampled(dueMs, guests.verify)),
    openLoop(1, seconds, (_, dueMs) => sampled(dueMs, guests.signIn)),
  ]);
  const [verified, signedIn] = [await Promise.all(verifies), await Promise.all(signIns)];
  const gapSeconds = round(longestGap(verified, beganMs), 2);
  over.abort();
  const seen = await watching;
  const { opened, failed } = await crowd.ask('look', undefined);
  return {
    connections,
    ...{ opened, failed },
    openMax: largest(seen.map(({ open }) => open)),
    filesMax: largest(seen.map(({ files }) => files)),
    residentMibFirst: seen[0]?.residentMib,
    residentMibMax: largest(seen.map(({ residentMib }) => residentMib)),
    verifyShare: round(shareOf(verified), 5),
    verify: latencies(verified.filter(({ isServed }) => isServed).map(({ tookMs }) => tookMs)),
    signInShare: round(shareOf(signedIn), 4),
    signIn: latencies(signedIn.filter(({ isServed }) => isServed).map(({ tookMs }) => tookMs)),
    gapSeconds,
  };
};

type Figures = Awaited<ReturnType<typeof besiege>>;

const missedOf = ({ connections, verifyShare, signInShare, gapSeconds }: Figures): string[] => [
  ...(verifyShare >= aims.verifyShare ? [] : [`${connections}: ${verifyShare} of the verifies served, aim 0.999`]),
  ...(signInShare >= aims.signInShare ? [] : [`${connections}: ${signInShare} of the sign-ins served, aim 0.99`]),
  ...(gapSeconds <= aims.gapSeconds ? [] : [`${connections}: ${gapSeconds} s without a verify, aim 2`]),
];

await runBench({
  help,
  options: { connections: number(19_000, { max: 1_000_000 }), seconds: number(600, { max: 86_400 }), tls: flag },
  measures: 'times',
  run: async ({ values: { connections, seconds, tls } }) => {
    assertFiles(connections);
    const crowds: Figures[] = [];
    for (const count of [connections, smallCrowd]) crowds.push(await besiege(count, seconds, tls));
    const missed = crowds.flatMap(missedOf);
    say(missed.length === 0 ? 'The service served all the while' : 'The service did NOT serve all the while');
    return {
      figures: { tls, seconds, crowds, servedAllTheWhile: missed.length === 0 },
      table: table(
        [
          'connections',
          'opened anew',
          'resident MiB',
          'files',
          'verifies served',
          'p50 ms',
          'p99 ms',
          'sign-ins served',
          'longest gap s',
        ],
        crowds.map((crowd) => [
          String(crowd.connections),
          crowd.opened,
          crowd.residentMibMax,
          crowd.filesMax,
          `${round(100 * crowd.verifyShare, 2)} %`,
          crowd.verify.p50Ms,
          crowd.verify.p99Ms,
          `${round(100 * crowd.signInShare, 1)} %`,
          crowd.gapSeconds,
        ]),
      ),
      missed,
    };
  },
});
