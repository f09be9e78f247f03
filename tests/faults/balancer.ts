/**
 * An HTTP balancer between guards and workers, with the habits of real ones: it repeats requests, keeps answers back, or cuts those that
 * take long.
 * @module
 */
import { Agent, createServer, type IncomingMessage, type ServerResponse, request as sendRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/** What it does to polls: `repeats` sends each twice and hands the later answer on, `buffers` keeps each back, `cuts` cuts slow ones. */
export type Habit = 'passes' | 'repeats' | 'buffers' | 'cuts';

/** A balancer that listens. */
export interface Balancer extends AsyncDisposable {
  readonly port: number;
  habit: Habit;
  /** Process id of the worker that answered the last poll; `undefined` until there was one. */
  readonly lastWorkerPid: number | undefined;
}

/** Every answer is kept back for so long, milliseconds: longer than a poll is held at most. */
const bufferMs = 1500;
/** What takes longer is cut: it stands for the usual 30 s, which no poll reaches, so that some do. */
const cutMs = 300;

interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

const wholeOf = async (message: IncomingMessage): Promise<Buffer> => {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
};

/** Starts one in front of a service. @param targetPort a port of 127.0.0.1 that all workers share */
export const startBalancer = async (targetPort: number): Promise<Balancer> => {
  // A new connection for each request: so each meets another worker, and repeats meet two.
  const agent = new Agent({ keepAlive: false });
  let lastWorkerPid: number | undefined;
  const forward = (asked: IncomingMessage, body: Buffer, response: ServerResponse): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const { method, url: path, headers } = asked;
      const sent = sendRequest({ host: '127.0.0.1', port: targetPort, agent, method, path, headers }, (answered) => {
        const [, , pid] = String(answered.headers['catalytic-worker']).split('/');
        if (pid !== undefined && method === 'POST') lastWorkerPid = Number(pid);
        wholeOf(answered).then(
          (read) => resolve({ status: answered.statusCode ?? 502, headers: answered.headers, body: read }),
          reject,
        );
      });
      sent.once('error', reject);
      // Its end, or that of the connection: a guard that gave up waits for nothing here either.
      response.once('close', () => sent.destroy());
      sent.end(body);
    });
  const balancer = { habit: 'passes' as Habit };
  const take = async (asked: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { habit } = balancer;
    const body = await wholeOf(asked);
    if (habit === 'cuts') setTimeout(() => asked.socket.destroy(), cutMs).unref();
    const answers = [forward(asked, body, response), ...(habit === 'repeats' ? [forward(asked, body, response)] : [])];
    const settled = await Promise.allSettled(answers);
    if (habit === 'buffers') await delay(bufferMs);
    const last = settled.findLast((each) => each.status === 'fulfilled')?.value;
    if (last === undefined) response.writeHead(502).end();
    else response.writeHead(last.status, last.headers).end(last.body);
  };
  const server = createServer((asked, response) => {
    asked.on('error', () => {});
    take(asked, response).catch(() => asked.socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    get habit() {
      return balancer.habit;
    },
    set habit(habit) {
      balancer.habit = habit;
    },
    get lastWorkerPid() {
      return lastWorkerPid;
    },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
};
