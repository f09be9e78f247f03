/**
 * The processes of the bench `generator-cost`: a trivial server, and one that only sends and reads with one of the clients.
 * @module
 */

import { once } from 'node:events';
import { Agent, request as httpRequest } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { Client, type Dispatcher } from 'undici';
import { Connection } from '../../packages/lab/src/targets/connection.ts';
import { serveTasks } from '../harness/child.ts';

/** Names of the clients. */
export const clientNames = ['lab', 'dispatch', 'request', 'http'] as const;
type ClientName = (typeof clientNames)[number];

/** An answer as a service gives it: some security fields and a small JSON body. */
const body = JSON.stringify({
  claims: { sub: 'a'.repeat(36), sid: 'b'.repeat(36), tid: 'c'.repeat(36), exp: 1_900_000_000 },
});
const answer = `HTTP/1.1 200 OK\r\ncontent-type: application/json; charset=utf-8\r\ncache-control: no-store\r\nx-content-type-options: nosniff\r\ncontent-length: ${body.length}\r\nDate: Wed, 01 Oct 2025 00:00:00 GMT\r\nConnection: keep-alive\r\nKeep-Alive: timeout=600\r\n\r\n${body}`;
const token = 't'.repeat(700);
const headers = { authorization: `Bearer ${token}` };
const path = '/api/protected';
/** Connections that may wait to be accepted: thousands are opened at once. */
const backlog = 4096;
/** Compilers have settled after this time. */
const settleMs = 2000;

type Send = () => Promise<void>;

/** Resolves when a dispatched request has ended, as the lab read its answers before it had its own client. */
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
const clients: Readonly<Record<ClientName, (origin: string) => Send>> = {
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

/** Serves from now on. Returns the URL. */
const serve = async (_: undefined): Promise<string> => {
  const server = createServer({ noDelay: true }, (socket) => {
    // Requests of this bench fit one segment and have no body: a piece is a request.
    socket.on('data', () => socket.write(answer));
    socket.on('error', () => {});
  });
  server.listen(0, '127.0.0.1', backlog);
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
};

/** A load to be measured. */
export interface ClientLoad {
  readonly origin: string;
  readonly client: string;
  readonly connections: number;
  /** Requests a second, over all connections. */
  readonly rate: number;
  readonly seconds: number;
}

/** What a client costs. */
export interface ClientCost {
  readonly cpuUsPerRequest: number;
  readonly requestsPerSecond: number;
  readonly rssMib: number;
}

/** Every connection sends a request, waits for its whole answer and pauses, until the process ends. */
const measure = async ({ origin, client, connections, rate, seconds }: ClientLoad): Promise<ClientCost> => {
  const sends: Send[] = [];
  for (let index = 0; index < connections; index++) {
    const send = clients[client as ClientName](origin);
    sends.push(send);
    await send();
  }
  const cycleMs = (connections / rate) * 1000;
  let requests = 0;
  const live = async (send: Send, index: number): Promise<void> => {
    await delay((index / connections) * cycleMs);
    for (;;) {
      const sentAtMs = performance.now();
      await send();
      requests += 1;
      await delay(Math.max(1, Math.round(cycleMs - (performance.now() - sentAtMs))));
    }
  };
  for (const [index, send] of sends.entries()) void live(send, index);
  await delay(settleMs);
  const [before, cpu, beganMs] = [requests, process.cpuUsage(), performance.now()];
  await delay(seconds * 1000);
  const used = process.cpuUsage(cpu);
  const count = requests - before;
  return {
    cpuUsPerRequest: (used.user + used.system) / count,
    requestsPerSecond: (count / (performance.now() - beganMs)) * 1000,
    rssMib: process.memoryUsage.rss() / 2 ** 20,
  };
};

const tasks = { serve, measure };
/** What the processes do. */
export type ClientCostTasks = typeof tasks;

if (import.meta.main) serveTasks(tasks);
