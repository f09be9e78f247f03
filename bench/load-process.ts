/**
 * A load generator in a process of its own, so that what it costs is not the service's, and its own work delays none of its clocks.
 * @module
 */
import { type ChildProcess, fork } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Pool } from 'undici';

/** A request, as it travels to the generator. */
export interface Ask {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly token?: string;
  readonly body?: Readonly<Record<string, string>>;
}

/** What is to be sent. */
export interface Plan {
  readonly url: string;
  /** Taken in turn, from the first again after the last. */
  readonly asks: readonly Ask[];
  readonly seconds: number;
  /** `perSecond`: open loop, a start is never put off. `hands`: closed loop, so many at once. */
  readonly pace: { readonly perSecond: number } | { readonly hands: number };
  /** Most connections; a request that finds none free waits, and the wait counts. */
  readonly connections: number;
  /** Each request is sent once; the load ends with the last. */
  readonly isOnce?: boolean;
  /** Each hand has a request of its own, whose `refresh_token` is replaced by that of each answer. */
  readonly isChain?: boolean;
  /** Of so many refused with `Retry-After` one waits exactly as long as it is told, and asks again. */
  readonly retryOneOf?: number;
}

/** A client that was refused and came back as it was told. */
export interface Return {
  /** When it was first refused, seconds since the start. */
  readonly refusedAtSeconds: number;
  /** What each refusal told it to wait, seconds. */
  readonly toldSeconds: readonly number[];
  /** What each retry was answered with, and when, seconds since the start. */
  readonly retries: readonly { readonly status: number; readonly atSeconds: number }[];
}

/** What came of it. Columns: one entry for each answer. */
export interface Load {
  readonly statuses: readonly number[];
  /** Intended start, seconds since the start of the load. */
  readonly dueSeconds: readonly number[];
  /** From the intended start to the end of the answer. */
  readonly tookMs: readonly number[];
  /** Of each refusal that named it. */
  readonly retryAfterSeconds: readonly number[];
  readonly returns: readonly Return[];
  /** Requests that got no answer. */
  readonly failures: number;
  readonly seconds: number;
  /** Of the generator, while it sent. */
  readonly cpuSeconds: number;
}

/** Longest wait for what has no answer when an open loop ends, seconds; then it counts as unanswered. */
const graceSeconds = 20;
/** How often a returning client asks again. */
const retriesMax = 2;

interface Sent {
  readonly status: number;
  readonly retryAfterSeconds: number | undefined;
  readonly text: string;
}

const open = (url: string, connections: number) => {
  const pool = new Pool(url, { connections, pipelining: 1, headersTimeout: 60_000, bodyTimeout: 60_000 });
  const send = async ({ method, path, token, body }: Ask): Promise<Sent> => {
    const answer = await pool.request({
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
  return { pool, send };
};

/** Sends the plan, in this process. */
const run = async (plan: Plan): Promise<Load> => {
  const { pool, send } = open(plan.url, plan.connections);
  const [statuses, dueSeconds, tookMs, retryAfterSeconds]: number[][] = [[], [], [], []];
  const returns: Promise<Return>[] = [];
  let failures = 0;
  let refusals = 0;
  let isOver = false;
  const cpu = process.cpuUsage();
  const beganMs = performance.now();
  const untilMs = beganMs + plan.seconds * 1000;
  const seconds = (ms: number): number => (ms - beganMs) / 1000;

  /** Waits and asks again, each time exactly as told. */
  const comeBack = async (ask: Ask, firstToldSeconds: number): Promise<Return> => {
    const refusedAtSeconds = seconds(performance.now());
    const toldSeconds = [firstToldSeconds];
    const retries: { status: number; atSeconds: number }[] = [];
    while (retries.length < retriesMax) {
      await delay((toldSeconds.at(-1) ?? 0) * 1000);
      const atSeconds = seconds(performance.now());
      const { status, retryAfterSeconds: told } = await send(ask).catch(() => ({
        status: 0,
        retryAfterSeconds: undefined,
      }));
      retries.push({ status, atSeconds });
      if (told === undefined) break;
      toldSeconds.push(told);
    }
    return { refusedAtSeconds, toldSeconds, retries };
  };

  const one = async (ask: Ask, dueMs: number): Promise<Sent | undefined> => {
    const sent = await send(ask).catch(() => undefined);
    if (isOver) return undefined;
    if (sent === undefined) {
      failures += 1;
      return undefined;
    }
    statuses?.push(sent.status);
    dueSeconds?.push(seconds(dueMs));
    tookMs?.push(performance.now() - dueMs);
    const told = sent.retryAfterSeconds;
    if (told !== undefined) {
      retryAfterSeconds?.push(told);
      if (plan.retryOneOf !== undefined && refusals++ % plan.retryOneOf === 0) returns.push(comeBack(ask, told));
    }
    return sent;
  };

  const count = plan.isOnce === true ? plan.asks.length : Number.POSITIVE_INFINITY;
  const askAt = (index: number): Ask => plan.asks[index % plan.asks.length] as Ask;
  const pending = new Set<Promise<unknown>>();
  if ('perSecond' in plan.pace) {
    const starts = Math.min(count, Math.round(plan.pace.perSecond * plan.seconds));
    for (let index = 0; index < starts; ) {
      const dueMs = beganMs + (1000 * index) / plan.pace.perSecond;
      const earlyMs = dueMs - performance.now();
      if (earlyMs > 0) await delay(earlyMs);
      const answered: Promise<unknown> = one(askAt(index++), dueMs).finally(() => pending.delete(answered));
      pending.add(answered);
    }
    const grace = new AbortController();
    await Promise.race([
      Promise.all(pending).finally(() => grace.abort()),
      delay(graceSeconds * 1000, undefined, { signal: grace.signal }).catch(() => {}),
    ]);
    isOver = true;
    failures += pending.size;
  } else {
    let next = 0;
    const work = async (_: unknown, hand: number): Promise<void> => {
      let own = askAt(hand);
      while (performance.now() < untilMs && next < count) {
        const sent = await one(plan.isChain === true ? own : askAt(next++), performance.now());
        if (plan.isChain !== true) continue;
        if (sent?.status !== 200) return;
        own = { ...own, body: { refresh_token: String(JSON.parse(sent.text).refresh_token) } };
      }
    };
    await Promise.all(Array.from({ length: plan.pace.hands }, work));
  }
  const elapsed = seconds(performance.now());
  const { user, system } = process.cpuUsage(cpu);
  const returned = await Promise.all(returns);
  // What is still without an answer will not be waited for.
  await pool.destroy();
  return {
    statuses: statuses ?? [],
    dueSeconds: dueSeconds ?? [],
    tookMs: tookMs ?? [],
    retryAfterSeconds: retryAfterSeconds ?? [],
    returns: returned,
    failures,
    seconds: elapsed,
    cpuSeconds: (user + system) / 1e6,
  };
};

const started = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of started) child.kill();
});

/**
 * Sends the plan from a process of its own.
 * @param core CPU core that the process is tied to; absent: any
 * @throws Error when that process ends without a result
 */
export const loadFrom = (plan: Plan, core?: number): Promise<Load> => {
  const child = fork(fileURLToPath(import.meta.url), [], {
    serialization: 'advanced',
    execArgv: [],
    ...(core === undefined ? {} : { execPath: 'taskset', execArgv: ['-c', String(core), process.execPath] }),
  });
  started.add(child);
  child.send(plan);
  return new Promise((resolve, reject) => {
    child.once('message', (load) => {
      child.disconnect();
      resolve(load as Load);
    });
    child.once('error', reject);
    child.once('exit', (code) => {
      started.delete(child);
      reject(new Error(`The load generator ended with code ${code} before its result`));
    });
  });
};

/** Latencies of the answers with this status that were due in this stretch, milliseconds. */
export const tookMsOf = (
  { statuses, dueSeconds, tookMs }: Load,
  status: number,
  fromSeconds = 0,
  toSeconds = Number.POSITIVE_INFINITY,
): readonly number[] =>
  tookMs.filter((_, index) => {
    const due = dueSeconds[index] ?? 0;
    return statuses[index] === status && due >= fromSeconds && due < toSeconds;
  });

/** How many answers with this status came in this stretch. */
export const answersIn = (
  { statuses, dueSeconds, tookMs }: Load,
  status: number,
  fromSeconds: number,
  toSeconds: number,
): number =>
  statuses.filter((one, index) => {
    const endedSeconds = (dueSeconds[index] ?? 0) + (tookMs[index] ?? 0) / 1000;
    return one === status && endedSeconds >= fromSeconds && endedSeconds < toSeconds;
  }).length;

/** Answers by status. */
export const answersByStatus = ({ statuses, failures }: Load): Readonly<Record<string, number>> => {
  const counts: Record<string, number> = failures === 0 ? {} : { none: failures };
  for (const status of statuses) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
};

if (import.meta.main)
  process.once('message', async (plan) => {
    process.send?.(await run(plan as Plan));
  });
