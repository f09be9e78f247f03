/**
 * The process behind `http-load.ts`: sends a plan over the connections of undici.
 * @module
 */
import { setTimeout as delay } from 'node:timers/promises';
import { Client, type Dispatcher, Pool } from 'undici';
import { serveTasks } from '../harness/child.ts';
import type { Ask, HttpLoadTasks, Load, Plan, Return } from './http-load.ts';
import { openLoop } from './open-loop.ts';

/** Longest wait for outstanding answers when an open loop ends, seconds; then they count as unanswered. */
const graceSeconds = 20;
/** How often a client that was refused asks again. */
const retriesMax = 2;
const timeouts = { headersTimeout: 60_000, bodyTimeout: 60_000 };

interface Answered {
  readonly status: number;
  readonly retryAfterSeconds: number | undefined;
  readonly text: string;
}

type Send = (ask: Ask) => Promise<Answered>;

const sendOver = async (connection: Pool | Client, { method, path, token, body }: Ask): Promise<Answered> => {
  const answer: Dispatcher.ResponseData = await connection.request({
    method,
    path,
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.body.text();
  const retryAfter = answer.headers['retry-after'];
  return {
    status: answer.statusCode,
    retryAfterSeconds: retryAfter === undefined ? undefined : Number(retryAfter),
    text,
  };
};

/** Opens connections. */
const connect = async ({ url, connections, isSpread, asks }: Plan): Promise<{ send: Send } & AsyncDisposable> => {
  if (isSpread !== true) {
    const pool = new Pool(url, { connections, pipelining: 1, ...timeouts });
    // Outstanding answers are not waited for.
    return { send: (ask) => sendOver(pool, ask), [Symbol.asyncDispose]: () => pool.destroy() };
  }
  const clients = Array.from({ length: connections }, () => new Client(url, { pipelining: 1, ...timeouts }));
  for (const client of clients) await sendOver(client, asks[0] as Ask);
  let next = 0;
  return {
    send: (ask) => sendOver(clients[next++ % connections] as Client, ask),
    [Symbol.asyncDispose]: async () => void (await Promise.all(clients.map((client) => client.destroy()))),
  };
};

/** Sends requests and records the answers. */
class Sender {
  readonly statuses: number[] = [];
  readonly dueSeconds: number[] = [];
  readonly tookMs: number[] = [];
  readonly retryAfterSeconds: number[] = [];
  readonly returns: Promise<Return>[] = [];
  failures = 0;
  readonly beganMs = performance.now();
  readonly #send: Send;
  readonly #retryOneOf: number | undefined;
  #refusals = 0;
  #isOver = false;

  constructor(send: Send, retryOneOf: number | undefined) {
    this.#send = send;
    this.#retryOneOf = retryOneOf;
  }

  seconds(ms: number): number {
    return (ms - this.beganMs) / 1000;
  }

  /** Sends one request. @returns its answer; `undefined` when there was none, or it came after {@link end} */
  async one(ask: Ask, dueMs: number): Promise<Answered | undefined> {
    const answered = await this.#send(ask).catch(() => undefined);
    if (this.#isOver) return undefined;
    if (answered === undefined) {
      this.failures += 1;
      return undefined;
    }
    this.statuses.push(answered.status);
    this.dueSeconds.push(this.seconds(dueMs));
    this.tookMs.push(performance.now() - dueMs);
    this.#noteRefusal(ask, answered.retryAfterSeconds);
    return answered;
  }

  /** Records no more answers. @param count requests that were sent: those without an answer are failures */
  end(count: number): void {
    this.#isOver = true;
    this.failures += count - this.failures - this.statuses.length;
  }

  #noteRefusal(ask: Ask, toldSeconds: number | undefined): void {
    if (toldSeconds === undefined) return;
    this.retryAfterSeconds.push(toldSeconds);
    if (this.#retryOneOf !== undefined && this.#refusals++ % this.#retryOneOf === 0)
      this.returns.push(this.#comeBack(ask, toldSeconds));
  }

  /** Waits as told and asks again, and once more if it is refused again. */
  async #comeBack(ask: Ask, firstToldSeconds: number): Promise<Return> {
    const refusedAtSeconds = this.seconds(performance.now());
    const toldSeconds = [firstToldSeconds];
    const retries: { status: number; atSeconds: number }[] = [];
    while (retries.length < retriesMax) {
      await delay((toldSeconds.at(-1) ?? 0) * 1000);
      const atSeconds = this.seconds(performance.now());
      const answered = await this.#send(ask).catch(() => undefined);
      retries.push({ status: answered?.status ?? 0, atSeconds });
      if (answered?.retryAfterSeconds === undefined) break;
      toldSeconds.push(answered.retryAfterSeconds);
    }
    return { refusedAtSeconds, toldSeconds, retries };
  }
}

const askAt = ({ asks }: Plan, index: number): Ask => asks[index % asks.length] as Ask;
const countMaxOf = ({ isOnce, asks }: Plan): number => (isOnce === true ? asks.length : Number.POSITIVE_INFINITY);

const sendAtRate = async (sender: Sender, plan: Plan, perSecond: number): Promise<void> => {
  const count = Math.min(countMaxOf(plan), Math.round(perSecond * plan.seconds));
  const pending = await openLoop(perSecond, count, (index, dueMs) => sender.one(askAt(plan, index), dueMs));
  const grace = new AbortController();
  await Promise.race([
    Promise.all(pending).finally(() => grace.abort()),
    delay(graceSeconds * 1000, undefined, { signal: grace.signal }).catch(() => {}),
  ]);
  sender.end(count);
};

const sendByHands = async (sender: Sender, plan: Plan, hands: number): Promise<void> => {
  const untilMs = sender.beganMs + plan.seconds * 1000;
  const countMax = countMaxOf(plan);
  let next = 0;
  const work = async (_: unknown, hand: number): Promise<void> => {
    let own = askAt(plan, hand);
    while (performance.now() < untilMs && next < countMax) {
      const answered = await sender.one(plan.isChain === true ? own : askAt(plan, next++), performance.now());
      if (plan.isChain !== true) continue;
      if (answered?.status !== 200) return;
      own = { ...own, body: { refresh_token: String(JSON.parse(answered.text).refresh_token) } };
    }
  };
  await Promise.all(Array.from({ length: hands }, work));
};

const send = async (plan: Plan): Promise<Load> => {
  await using connection = await connect(plan);
  const cpu = process.cpuUsage();
  const sender = new Sender(connection.send, plan.retryOneOf);
  if ('perSecond' in plan.pace) await sendAtRate(sender, plan, plan.pace.perSecond);
  else await sendByHands(sender, plan, plan.pace.hands);
  const seconds = sender.seconds(performance.now());
  const { user, system } = process.cpuUsage(cpu);
  const { statuses, dueSeconds, tookMs, retryAfterSeconds, failures } = sender;
  return {
    statuses,
    dueSeconds,
    tookMs,
    retryAfterSeconds,
    returns: await Promise.all(sender.returns),
    failures,
    seconds,
    cpuSeconds: (user + system) / 1e6,
  };
};

serveTasks({ send } satisfies HttpLoadTasks);
