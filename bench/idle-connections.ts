/**
 * What do idle connections cost, and how do they end?
 * @module
 */
import { Client } from 'undici';
import { makeCertificate, placeCertificate } from '../tests/harness/certificates.ts';
import { goodPassword } from '../tests/harness/client.ts';
import { readMetrics } from '../tests/harness/metrics.ts';
import type { Service } from '../tests/harness/service.ts';
import { runBench } from './harness/bench.ts';
import { startChild } from './harness/child.ts';
import { latencies, round, table } from './harness/figures.ts';
import { assertFiles } from './harness/open-files.ts';
import { flag, number } from './harness/options.ts';
import { say } from './harness/result.ts';
import { folderOn, startServiceOn } from './harness/services.ts';
import type { HeldConnectionsTasks } from './loads/held-connections-process.ts';

const help = `Idle connections to one real service: memory, latency of a verify beside them, and their end.

  npm run bench -- idle-connections [--connections 10000] [--out FILE]
  npm run bench -- idle-connections --tls         each of them over TLS

The service and the clients run in a process each. Every connection has had one answer and stays open (KEEP_ALIVE_SECONDS=600). At the end
SIGTERM: the service must close each, and reset none. About a minute.
`;

const verifies = 1000;

/** A client with one connection that is signed in, and a look into the metrics. */
const watcherOf = async (service: Service, client: Client) => {
  const operateUrl = /for operators +(\S+)/.exec(service.output())?.[1];
  const figure = async (name: string): Promise<number> => {
    const page = await (await fetch(`${operateUrl}/metrics`)).text();
    return readMetrics(page).get(`${name}{worker="1"}`) ?? Number.NaN;
  };
  const send = async (path: string, body?: object, token?: string): Promise<Record<string, unknown>> => {
    const answer = await client.request({
      method: body === undefined ? 'GET' : 'POST',
      path,
      headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) },
      ...(body && { body: JSON.stringify(body) }),
    });
    const text = await answer.body.text();
    if (answer.statusCode >= 300) throw new Error(`${path} answered ${answer.statusCode} ${text}`);
    return JSON.parse(text) as Record<string, unknown>;
  };
  const account = { email: 'idle@example.com', password: goodPassword };
  await send('/auth/register', account);
  const token = String((await send('/auth/login', account))['access_token']);
  const verifyMs = async () => {
    const tookMs: number[] = [];
    for (let count = 0; count < verifies; count++) {
      const beganMs = performance.now();
      await send('/auth/verify', undefined, token);
      tookMs.push(performance.now() - beganMs);
    }
    return latencies(tookMs);
  };
  return {
    open: () => figure('catalytic_connections_open'),
    look: async () => ({
      residentMib: round((await figure('catalytic_process_resident_memory_bytes')) / 2 ** 20),
      verify: await verifyMs(),
    }),
  };
};

await runBench({
  help,
  options: { connections: number(10_000, { max: 1_000_000 }), tls: flag },
  measures: 'times',
  run: async ({ values: { connections, tls } }, stack) => {
    assertFiles(connections);
    const made = makeCertificate();
    const service = await startServiceOn(stack, {
      MAX_CONNECTIONS: connections + 100,
      KEEP_ALIVE_SECONDS: 600,
      OPERATE_PORT: 0,
      ...(tls && placeCertificate(folderOn(stack), made)),
    });
    const { url } = service;
    const clients = stack.use(
      startChild<HeldConnectionsTasks>(new URL('loads/held-connections-process.ts', import.meta.url)),
    );
    const client = stack.adopt(new Client(url, { connect: { ca: made.cert }, keepAliveTimeout: 600_000 }), (opened) =>
      opened.destroy(),
    );
    const watcher = await watcherOf(service, client);
    say('Warming up');
    await watcher.look();
    const before = await watcher.look();

    say(`Opening ${connections} connections`);
    const beganMs = performance.now();
    await clients.ask('open', { url, ca: made.cert, connections });
    const openedSeconds = round((performance.now() - beganMs) / 1000);
    const openAtService = await watcher.open();
    const beside = await watcher.look();

    say('Stopping the service (SIGTERM)');
    await client.close();
    const ending = clients.ask('waitForEnds', undefined);
    const stopMs = performance.now();
    const exitCode = await service.end('SIGTERM');
    const stop = { exitCode, seconds: round((performance.now() - stopMs) / 1000), ...(await ending) };
    const kibPerConnection = round(((beside.residentMib - before.residentMib) * 1024) / connections);
    return {
      figures: { tls, connections, openAtService, openedSeconds, before, beside, kibPerConnection, stop },
      table: table(
        ['', 'resident MiB', 'KiB each', 'verify p50 ms', 'p99 ms', 'closed', 'reset'],
        [
          ['before', before.residentMib, null, before.verify.p50Ms, before.verify.p99Ms, null, null],
          [
            `${connections} connections`,
            beside.residentMib,
            kibPerConnection,
            beside.verify.p50Ms,
            beside.verify.p99Ms,
            stop.closed,
            stop.reset,
          ],
        ],
      ),
      missed: [
        ...(stop.reset === 0 ? [] : [`${stop.reset} connections were reset, aim 0`]),
        ...(stop.closed === connections ? [] : [`${stop.closed} of ${connections} connections were closed`]),
      ],
    };
  },
});
