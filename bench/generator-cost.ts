/**
 * What one request costs the generator, in CPU time, by the client it is sent with and the number of connections that are kept alive.
 * @module
 */
import { fork } from 'node:child_process';
import { Agent, request as httpRequest } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Client, type Dispatcher } from 'undici';
import { Connection } from '../packages/lab/src/targets/connection.ts';
import { median, round } from './figures.ts';
import { machine, report, say, takeTurn } from './setting.ts';

const help = `What one request costs the generator: CPU time of a process that only sends and reads, against a trivial server in another process.

  node bench/generator-cost.ts [--connections 100,1000,10000] [--clients lab,dispatch,request,http] [--rate 2000] [--seconds 5] [--rounds 3]

lab       the lab's own client over node:net (packages/lab/src/targets/connection.ts)
dispatch  undici, Client.dispatch        request  undici, Client.request        http  node:http, an Agent for each connection

Every connection sends one request, waits for its whole answer and pauses, so that all together send at the rate. Each figure comes from a
process of its own; clients take turns. Needs as many open files as connections.
`;

const { values } = parseArgs({
  options: {
    help: { type: 'boolean', short: 'h' },
    connections: { type: 'string', default: '100,1000,10000' },
    clients: { type: 'string', default: 'lab,dispatch,request,http' },
    rate: { type: 'string', default: '2000' },
    seconds: { type: 'string', default: '5' },
    rounds: { type: 'string', default: '3' },
  },
});

/** An answer as a service gives it: some security fields and a small JSON body. */
const body = JSON.stringify({
  claims: { sub: 'a'.repeat(36), sid: 'b'.repeat(36), tid: 'c'.repeat(36), exp: 1_900_000_000 },
});
const answer = `HTTP/1.1 200 OK\r\ncontent-type: application/json; charset=utf-8\r\ncache-control: no-store\r\nx-content-type-options: nosniff\r\ncontent-length: ${body.length}\r\nDate: Wed, 01 Oct 2025 00:00:00 GMT\r\nConnection: keep-alive\r\nKeep-Alive: timeout=600\r\n\r\n${body}`;
const token = 't'.repeat(700);
const headers = { authorization: `Bearer ${token}` };
const path = '/api/protected';

type Send = () => Promise<void>;

/** Resolves when a dispatched request has ended, as the lab read its answers before it had a client of its own. */
const readDispatched = (resolve: () => void, reject: (error: Error) => void): Dispatcher.DispatchHandler => {
  const pieces: Buffer[] = [];
  return {
    onRequestStart: () => {},
    onResponseStart: () => {},
    onResponseData: (_controller, piece) => void pieces.push(piece),
    onResponseEnd: () => {
      Buffer.concat(pieces).toString();
      resolve();
    },
    onResponseError: (_controller, error) => reject(error),
  };
};

const openUndici = (origin: string): Client =>
  new Client(origin, { pipelining: 1, keepAliveTimeout: 600_000, keepAliveMaxTimeout: 600_000 });

/** How each client opens one connection. */
const clients: Readonly<Record<string, (origin: string) => Send>> = {
  lab: (origin) => {
    const connection = new Connection(origin, { connectMs: 10_000, answerMs: 30_000 });
    return async () => {
      const reply = await connection.send({ method: 'GET', path, headers });
      if ('failure' in reply) throw new Error(reply.failure);
    };
  },
  dispatch: (origin) => {
    const client = openUndici(origin);
    return () =>
      new Promise((resolve, reject) => {
        client.dispatch({ method: 'GET', path, headers }, readDispatched(resolve, reject));
      });
  },
  request: (origin) => {
    const client = openUndici(origin);
    return async () => {
      const reply = await client.request({ method: 'GET', path, headers });
      await reply.body.text();
    };
  },
  http: (origin) => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    return () =>
      new Promise((resolve, reject) => {
        httpRequest(`${origin}${path}`, { agent, headers }, (reply) => {
          let text = '';
          reply.setEncoding('utf8');
          reply.on('data', (piece: string) => {
            text += piece;
          });
          reply.on('end', () => (text === body ? resolve() : reject(new Error('another answer'))));
        })
          .on('error', reject)
          .end();
      });
  },
};

/** What a child is told. */
type Job =
  | { readonly kind: 'serve' }
  | {
      readonly kind: 'load';
      readonly origin: string;
      readonly client: string;
      readonly connections: number;
      readonly rate: number;
      readonly seconds: number;
    };

/** What a child has found out. */
interface Outcome {
  readonly origin?: string;
  readonly microseconds?: number;
  readonly perSecond?: number;
  readonly rssMb?: number;
}

const tell = (outcome: Outcome): void => {
  process.send?.(outcome);
};

const serve = (): void => {
  const server = createServer({ noDelay: true }, (socket) => {
    // Requests of this bench fit one segment and have no body: a piece is a request.
    socket.on('data', () => socket.write(answer));
    socket.on('error', () => {});
  });
  server.listen(0, '127.0.0.1', 4096, () =>
    tell({ origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }),
  );
};

const load = async ({ origin, client, connections, rate, seconds }: Extract<Job, { kind: 'load' }>): Promise<void> => {
  const open = clients[client];
  if (open === undefined)
    throw new Error(`There is no client "${client}": choose from ${Object.keys(clients).join(', ')}`);
  const sends: Send[] = [];
  for (let index = 0; index < connections; index++) {
    const send = open(origin);
    sends.push(send);
    await send();
  }
  const cycleMs = (connections / rate) * 1000;
  let requests = 0;
  let isOver = false;
  const live = async (send: Send, index: number): Promise<void> => {
    await delay((index / connections) * cycleMs);
    while (!isOver) {
      const sentAtMs = performance.now();
      await send();
      requests += 1;
      await delay(Math.max(1, Math.round(cycleMs - (performance.now() - sentAtMs))));
    }
  };
  for (const [index, send] of sends.entries()) void live(send, index);
  // Compilers have settled when it counts.
  await delay(2000);
  const [before, cpu, beganMs] = [requests, process.cpuUsage(), performance.now()];
  await delay(seconds * 1000);
  const used = process.cpuUsage(cpu);
  const count = requests - before;
  isOver = true;
  tell({
    microseconds: (used.user + used.system) / count,
    perSecond: (count / (performance.now() - beganMs)) * 1000,
    rssMb: process.memoryUsage.rss() / 2 ** 20,
  });
  process.exit(0);
};

const startChild = (job: Job) =>
  fork(fileURLToPath(import.meta.url), { env: { ...process.env, GENERATOR_COST: JSON.stringify(job) } });

/** Starts a child and waits for what it has to say. */
const ask = async (job: Job): Promise<{ outcome: Outcome; end: () => void }> => {
  const child = startChild(job);
  const outcome = await new Promise<Outcome>((resolve, reject) => {
    child.once('message', (message) => resolve(message as Outcome));
    child.once('exit', (code) => reject(new Error(`A measuring process ended with ${code}`)));
  });
  return { outcome, end: () => void child.kill() };
};

const main = async (): Promise<void> => {
  takeTurn();
  const server = await ask({ kind: 'serve' });
  const origin = server.outcome.origin ?? '';
  const figures: object[] = [];
  try {
    for (const connections of values.connections.split(',').map(Number)) {
      const names = values.clients.split(',');
      const found = new Map<string, Outcome[]>(names.map((name) => [name, []]));
      for (let round = 0; round < Number(values.rounds); round++)
        for (const client of names) {
          const { outcome } = await ask({
            kind: 'load',
            origin,
            client,
            connections,
            rate: Number(values.rate),
            seconds: Number(values.seconds),
          });
          found.get(client)?.push(outcome);
          say(`${connections} connections, ${client}: ${outcome.microseconds?.toFixed(1)} µs of CPU a request`);
        }
      for (const [client, outcomes] of found) {
        const of = (key: 'microseconds' | 'perSecond' | 'rssMb') => median(outcomes.map((each) => each[key] ?? 0));
        figures.push({
          client,
          connections,
          cpuMicrosecondsPerRequest: round(of('microseconds')),
          requestsPerSecond: round(of('perSecond'), 0),
          rssMb: round(of('rssMb'), 0),
        });
      }
    }
  } finally {
    server.end();
  }
  report({ machine: machine(), rate: Number(values.rate), seconds: Number(values.seconds), figures });
};

const { GENERATOR_COST: job } = process.env;
if (values.help === true) process.stdout.write(help);
else if (job === undefined) await main();
else {
  const asked = JSON.parse(job) as Job;
  if (asked.kind === 'serve') serve();
  else await load(asked);
}
