/**
 * Many guards in one process, each of which only asks for revocations and notes the cursor: what they cost the service is measured, and not
 * what they cost themselves.
 * @module
 */
import { randomUUID } from 'node:crypto';
import { Agent, request } from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { entryKinds, type Page, type Registered } from '@catalytic/protocol/guards';
import { paths } from '@catalytic/protocol/paths';
import { inParallel } from '../../tests/harness/in-parallel.ts';
import { serveTasks } from '../harness/child.ts';

/** Guards, and whom they ask. */
export interface PollersSetup {
  readonly url: string;
  readonly key: string;
  readonly audience: string;
  readonly count: number;
  /** Whether sign-outs wait for them. */
  readonly isStrict: boolean;
}

/** What they have done so far. */
export interface PollersUsage {
  readonly polls: number;
  readonly failures: number;
  readonly entries: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
}

const waitMs = 1000;
/** Begun at once, so that the beginning is no storm. */
const startsAtOnce = 20;
const afterFailureMs = 100;

const counts = { polls: 0, failures: 0, entries: 0 };
const sockets = new Set<Socket>();
let setup: PollersSetup | undefined;
let isStopped = false;
const ended: Promise<void>[] = [];

/** Sends over the one connection of an agent. @throws when there is no answer */
const send = (agent: Agent, method: string, path: string, body?: object): Promise<{ status: number; value: unknown }> =>
  new Promise((resolve, reject) => {
    const { url, key } = setup as PollersSetup;
    const text = body === undefined ? '' : JSON.stringify(body);
    const headers = {
      authorization: `Bearer ${key}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }),
    };
    const sent = request(`${url}${path}`, { method, agent, headers }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.once('end', () =>
        resolve({ status: answer.statusCode ?? 0, value: JSON.parse(Buffer.concat(chunks).toString()) as unknown }),
      );
    });
    sent.once('socket', (socket) => sockets.add(socket));
    sent.once('error', reject);
    sent.end(text);
  });

/** @returns the page; `undefined` when there was none */
const poll = async (agent: Agent, after: string | undefined, guard: string | undefined): Promise<Page | undefined> => {
  const body = { after, guard, nonce: randomUUID(), wait_ms: after === undefined ? 0 : waitMs, kinds: entryKinds };
  const { status, value } = await send(agent, 'POST', paths.revocations, body).catch(() => ({ status: 0, value: {} }));
  counts.polls += 1;
  if (status === 200) return value as Page;
  counts.failures += 1;
  await delay(afterFailureMs);
  return undefined;
};

/** Loads everything, registers where it is strict, and asks on until the end. */
const begin = async ({ isStrict, audience }: PollersSetup): Promise<void> => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  let page: Page | undefined;
  do page = (await poll(agent, page?.cursor, undefined)) ?? page;
  while (!isStopped && page?.more !== false);
  const registration = { audience, name: 'bench', kinds: entryKinds };
  const registered = isStrict ? await send(agent, 'POST', paths.guards, registration) : undefined;
  if (registered !== undefined && registered.status !== 201) throw new Error(`Not registered: ${registered.status}`);
  const guard = (registered?.value as Registered | undefined)?.guard;
  const goOn = async (): Promise<void> => {
    while (!isStopped) {
      page = (await poll(agent, page?.cursor, guard)) ?? page;
      counts.entries += page?.entries.length ?? 0;
    }
    if (guard !== undefined) await send(agent, 'DELETE', paths.guard.replace(':id', guard)).catch(() => {});
    agent.destroy();
  };
  ended.push(goOn());
};

const tasks = {
  /** Resolves when all ask. */
  start: async (given: PollersSetup): Promise<void> => {
    setup = given;
    await inParallel(Array.from({ length: given.count }), () => begin(given), startsAtOnce);
  },
  usage: (): PollersUsage => ({
    ...counts,
    bytesIn: [...sockets].reduce((sum, { bytesRead }) => sum + bytesRead, 0),
    bytesOut: [...sockets].reduce((sum, { bytesWritten }) => sum + bytesWritten, 0),
  }),
  stop: async (): Promise<void> => {
    isStopped = true;
    await Promise.all(ended);
  },
};

/** What this child does. */
export type PollersTasks = typeof tasks;

serveTasks(tasks);
