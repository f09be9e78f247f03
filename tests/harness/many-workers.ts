/**
 * A small foreign service with several processes behind one port, for tests of the load lab. `startManyWorkers` of `lab.ts` starts it.
 *
 * Each process has a set of ended sessions, which the first process distributes. It prints its port and runs until its input ends.
 *
 * `right`: a logout answers 200 when every process knows of it. `lags`: at once. `pending`: 202 at once, and it holds within the announced
 * time. `replaces`: as `right`, and a process is killed and replaced each second.
 * @module
 */
import cluster, { type Worker } from 'node:cluster';
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const processes = 3;
const spreadMs = 120;
const completeWithinMs = 400;
const beforeReplacingMs = 2000;
const behaviour = process.argv[2] ?? 'right';
const isLate = behaviour === 'lags' || behaviour === 'pending';

interface Message {
  readonly what: 'up' | 'start' | 'end' | 'heard' | 'ended' | 'listening';
  readonly sessions?: readonly string[];
  readonly port?: number;
}

/** The first process: distributes ended sessions, and tells the process that asked when all know of it. */
const supervise = (): void => {
  const ended: string[] = [];
  const waiting = new Map<string, { asker: Worker; missing: Set<Worker> }>();
  const workers = (): Worker[] => Object.values(cluster.workers ?? {}).filter((worker) => worker !== undefined);
  // A process that is not up yet gets the ended sessions when it starts.
  const listening = new Set<Worker>();
  let isAnnounced = false;
  let announcedMs = Number.POSITIVE_INFINITY;
  const heard = (worker: Worker, session: string): void => {
    const entry = waiting.get(session);
    entry?.missing.delete(worker);
    if (entry?.missing.size !== 0) return;
    waiting.delete(session);
    if (entry.asker.isConnected()) entry.asker.send({ what: 'ended', sessions: [session] });
  };
  const spread = (asker: Worker, session: string): void => {
    ended.push(session);
    const all = workers().filter((worker) => listening.has(worker) && worker.isConnected());
    waiting.set(session, { asker, missing: new Set(all) });
    for (const worker of all) worker.send({ what: 'end', sessions: [session] });
  };
  const fork = (): void => {
    const worker = cluster.fork();
    // A message to a process that was just killed is lost; its exit event covers that.
    worker.on('error', () => {});
    worker.on('exit', () => {
      for (const session of [...waiting.keys()]) heard(worker, session);
    });
    worker.on('message', ({ what, sessions: [session = ''] = [], port = 0 }: Message) => {
      if (what === 'up') {
        listening.add(worker);
        worker.send({ what: 'start', sessions: ended });
      }
      if (what === 'end') setTimeout(() => spread(worker, session), isLate ? spreadMs : 0);
      if (what === 'heard') heard(worker, session);
      if (what !== 'listening') return;
      if (workers().length < processes) return fork();
      if (isAnnounced) return;
      process.stdout.write(`${port}\n`);
      isAnnounced = true;
      announcedMs = performance.now();
    });
  };
  fork();
  const replacing = setInterval(() => {
    // A client that has just come must be able to see that the target answers.
    if (behaviour !== 'replaces' || performance.now() - announcedMs < beforeReplacingMs) return;
    workers()[0]?.process.kill('SIGKILL');
    fork();
  }, 1000);
  process.stdin.resume().on('end', () => {
    clearInterval(replacing);
    for (const worker of workers()) worker.process.kill('SIGKILL');
    process.exit();
  });
};

/** A process that answers requests. */
const serve = (): void => {
  const dead = new Set<string>();
  const logouts = new Map<string, () => void>();
  const name = `test/${cluster.worker?.id}/${process.pid}`;
  const tell = (message: Message): void => void process.send?.(message);
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    const answer = (status: number, value: unknown): void => {
      response.writeHead(status, { 'content-type': 'application/json', 'Catalytic-Worker': name });
      response.end(JSON.stringify(value));
    };
    const grant = (session: string, generation: string): void =>
      answer(200, {
        access_token: `${session}.${generation}`,
        refresh_token: `${session}.${generation}`,
        expires_in: 900,
        session_id: session,
      });
    const [session = ''] = (request.headers.authorization ?? '').replace('Bearer ', '').split('.');
    switch (request.url) {
      case '/health/live':
      case '/health/ready':
        return answer(200, {});
      case '/auth/register':
        return answer(201, {});
      case '/auth/login':
        return grant(randomUUID(), '0');
      case '/auth/refresh': {
        const [of = '', generation = ''] = (JSON.parse(body) as { refresh_token: string }).refresh_token.split('.');
        if (dead.has(of)) return answer(401, { code: 'session_ended' });
        return grant(of, String(Number(generation) + 1));
      }
      case '/auth/logout':
        tell({ what: 'end', sessions: [session] });
        if (behaviour === 'lags') return answer(200, { revoked: true, propagation: 'complete' });
        if (behaviour === 'pending')
          return answer(202, { propagation: 'pending', complete_within_ms: completeWithinMs });
        logouts.set(session, () => answer(200, { revoked: true, propagation: 'complete' }));
        return;
      default:
        return dead.has(session) ? answer(401, { code: 'token_revoked' }) : answer(200, { active: true });
    }
  });
  process.on('message', ({ what, sessions = [] }: Message) => {
    if (what === 'ended') for (const session of sessions) logouts.get(session)?.();
    else for (const session of sessions) dead.add(session);
    if (what === 'end') tell({ what: 'heard', sessions });
    if (what === 'start')
      // In a cluster the first free port is the same for all.
      server.listen(0, '127.0.0.1', () => tell({ what: 'listening', port: (server.address() as AddressInfo).port }));
  });
  // A message that is sent before the other side listens is lost.
  tell({ what: 'up' });
};

if (cluster.isPrimary) supervise();
else serve();
