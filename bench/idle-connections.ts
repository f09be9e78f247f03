/**
 * What idle connections cost: many kept-alive connections to one real service, the memory they take, what a verify takes beside them, and
 * how they end.
 * @module
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { connect as tlsConnect } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Client } from 'undici';
import { readMachine } from '../packages/server/src/preflight/read-machine.ts';
import { makeCertificate, placeCertificate } from '../tests/harness/certificates.ts';
import { goodPassword } from '../tests/harness/client.ts';
import { readMetrics } from '../tests/harness/metrics.ts';
import { removeFolder, startService, temporaryFolder } from '../tests/harness/service.ts';
import { waitUntil } from '../tests/harness/wait-until.ts';
import { round } from './figures.ts';
import { machine, report, say } from './setting.ts';

const help = `Idle connections to one real service: memory, latency of a verify beside them, and their end.

  node bench/idle-connections.ts [--connections 10000]
  node bench/idle-connections.ts --tls                    each of them over TLS

The service and the clients run in a process each. Every connection has had one answer and stays open (KEEP_ALIVE_SECONDS=600). At the end
SIGTERM: each must be closed by the service, none reset. About a minute.
`;

const { values } = parseArgs({
  options: {
    help: { type: 'boolean', short: 'h' },
    connections: { type: 'string', default: '10000' },
    tls: { type: 'boolean', default: false },
  },
});
const connections = Number(values.connections);
const isTls = values.tls;

/** Handshakes that are under way at once. */
const openingMax = 100;
const verifies = 1000;
/** Files that either process needs beside the connections. */
const filesBeside = 300;

interface Job {
  readonly url: string;
  readonly ca: string;
  readonly connections: number;
}

/** How the connections have ended. */
interface Ends {
  readonly closed: number;
  readonly reset: number;
}

/** The clients, in a process of their own: opens all, says so, and tells in the end how they were closed. */
const hold = async ({ url, ca, connections: count }: Job): Promise<void> => {
  const { hostname: host, port, protocol } = new URL(url);
  const place = { host, port: Number(port) };
  const ends = { closed: 0, reset: 0 };
  const all = Promise.withResolvers<void>();
  const openOne = async (): Promise<void> => {
    const socket: Socket = protocol === 'https:' ? tlsConnect({ ...place, ca }) : connect(place);
    let error: Error | undefined;
    socket.on('error', (reason) => {
      error = reason;
    });
    socket.once('close', () => {
      ends[error === undefined ? 'closed' : 'reset']++;
      if (ends.closed + ends.reset === count) all.resolve();
    });
    socket.write('GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n');
    await Promise.race([once(socket, 'data'), once(socket, 'close')]);
  };
  const todo = Array.from({ length: count }).values();
  await Promise.all(
    Array.from({ length: openingMax }, async () => {
      for (const _ of todo) await openOne();
    }),
  );
  process.send?.('open');
  await all.promise;
  process.send?.(ends, () => process.disconnect?.());
};

const answerOf = async (child: ChildProcess): Promise<unknown> => {
  const left = new AbortController();
  const gone = once(child, 'exit', left).then(([code]) => {
    throw new Error(`The clients ended with code ${code}`);
  });
  const [message] = (await Promise.race([once(child, 'message', left), gone])) as unknown[];
  left.abort();
  gone.catch(() => {});
  return message;
};

const main = async (): Promise<void> => {
  const { filesMax = Number.POSITIVE_INFINITY } = readMachine();
  const filesNeeded = connections + filesBeside;
  if (filesMax < filesNeeded)
    throw new Error(
      `Cannot open ${connections} connections: ${filesMax} open files are allowed, ${filesNeeded} needed; run "ulimit -n ${filesNeeded}" (as root beyond "ulimit -Hn"), or give fewer --connections`,
    );
  const folder = temporaryFolder();
  const made = makeCertificate();
  const service = await startService(folder, {
    MAX_CONNECTIONS: connections + 100,
    KEEP_ALIVE_SECONDS: 600,
    OPERATE_PORT: 0,
    ...(isTls && placeCertificate(folder, made)),
  });
  const child = fork(fileURLToPath(import.meta.url), [], { env: { ...process.env, IDLE_CONNECTIONS: '1' } });
  const client = new Client(service.url, { connect: { ca: made.cert }, keepAliveTimeout: 600_000 });
  try {
    const operateUrl = /for operators +(\S+)/.exec(service.output())?.[1];
    const figure = async (name: string): Promise<number> => {
      const page = await (await fetch(`${operateUrl}/metrics`)).text();
      return readMetrics(page).get(`${name}{worker="1"}`) ?? Number.NaN;
    };
    const residentMib = async (): Promise<number> =>
      (await figure('catalytic_process_resident_memory_bytes')) / 2 ** 20;
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
      tookMs.sort((a, b) => a - b);
      return { p50: round(tookMs[verifies / 2] ?? 0, 2), p99: round(tookMs[Math.floor(verifies * 0.99)] ?? 0, 2) };
    };
    say('Warming up');
    await verifyMs();
    const before = { residentMib: round(await residentMib()), verifyMs: await verifyMs() };

    say(`Opening ${connections} connections`);
    const beganMs = performance.now();
    child.send({ url: service.url, ca: made.cert, connections } satisfies Job);
    await answerOf(child);
    const openedSeconds = round((performance.now() - beganMs) / 1000);
    const open = await figure('catalytic_connections_open');
    const beside = { residentMib: round(await residentMib()), verifyMs: await verifyMs() };

    say('Stopping the service (SIGTERM)');
    await client.close();
    const ending = answerOf(child);
    const stopMs = performance.now();
    const exitCode = await service.end('SIGTERM');
    report({
      machine: machine(),
      tls: isTls,
      connections,
      openAtService: open,
      openedSeconds,
      before,
      beside,
      kibPerConnection: round(((beside.residentMib - before.residentMib) * 1024) / connections),
      stop: { exitCode, seconds: round((performance.now() - stopMs) / 1000), ...((await ending) as Ends) },
    });
  } finally {
    await client.destroy();
    await service.end('SIGKILL');
    if (child.connected) child.kill('SIGKILL');
    await waitUntil('the clients', 'end', 5000, () => child.exitCode !== null || child.signalCode !== null);
    removeFolder(folder);
  }
};

if (values.help === true) process.stdout.write(help);
else if (process.env['IDLE_CONNECTIONS'] === '1') process.once('message', (job) => hold(job as Job));
else await main();
