/**
 * A generator that costs less than any server: requests are bytes made beforehand, answers are counted by their length. Closed loop, one
 * request under way on each connection, no pipelining.
 * @module
 */
import { type ChildProcess, fork } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';

/** What is to be sent. */
export interface RawPlan {
  readonly url: string;
  readonly path: string;
  /** File with one value a line, sent in turn. */
  readonly valuesFile: string;
  /** The header that carries the value, with what stands before it: `Authorization: Bearer `. */
  readonly header: string;
  /** Line to begin with. */
  readonly from: number;
  readonly connections: number;
  readonly seconds: number;
}

/** What came of it. */
export interface RawLoad {
  readonly requests: number;
  /** Answers that were not 200. */
  readonly refused: number;
  readonly seconds: number;
  readonly cpuSeconds: number;
}

const headEnd = '\r\n\r\n';
const lastChunk = '\r\n0\r\n\r\n';

/** Bytes of the first answer in the text, or 0 while it is not whole. */
const answerLength = (text: string): number => {
  const end = text.indexOf(headEnd);
  if (end < 0) return 0;
  const length = /\r\ncontent-length: (\d+)/i.exec(text.slice(0, end + 2))?.[1];
  // In chunks. Without pipelining nothing follows the last one.
  if (length === undefined) return text.endsWith(lastChunk) ? text.length : 0;
  const whole = end + headEnd.length + Number(length);
  return text.length >= whole ? whole : 0;
};

const run = async ({ url, path, valuesFile, header, from, connections, seconds }: RawPlan): Promise<RawLoad> => {
  const { hostname, port, host } = new URL(url);
  const messages = readFileSync(valuesFile, 'latin1')
    .split('\n')
    .filter((line) => line !== '')
    .map((value) => Buffer.from(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\n${header}${value}\r\n\r\n`, 'latin1'));
  let next = from;
  let requests = 0;
  let refused = 0;
  const cpu = process.cpuUsage();
  const beganMs = performance.now();
  const untilMs = beganMs + seconds * 1000;

  const hold = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const socket = connect({ host: hostname, port: Number(port), noDelay: true });
      let pending = '';
      const send = (): boolean => socket.write(messages[next++ % messages.length] as Buffer);
      socket.once('connect', send);
      socket.once('error', reject);
      socket.once('close', () => resolve());
      socket.on('data', (chunk: Buffer) => {
        pending += chunk.toString('latin1');
        const length = answerLength(pending);
        if (length === 0) return;
        requests += 1;
        if (!pending.startsWith('200', 9)) refused += 1;
        pending = pending.slice(length);
        if (performance.now() < untilMs) send();
        else socket.end();
      });
    });
  await Promise.all(Array.from({ length: connections }, hold));
  const { user, system } = process.cpuUsage(cpu);
  return { requests, refused, seconds: (performance.now() - beganMs) / 1000, cpuSeconds: (user + system) / 1e6 };
};

const started = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of started) child.kill();
});

/** Sends the plan from a process that is tied to a CPU core. @throws Error when that process ends without a result */
export const rawLoadFrom = (plan: RawPlan, core: number): Promise<RawLoad> => {
  const child = fork(fileURLToPath(import.meta.url), [], {
    execPath: 'taskset',
    execArgv: ['-c', String(core), process.execPath],
  });
  started.add(child);
  child.send(plan);
  return new Promise((resolve, reject) => {
    child.once('message', (load) => {
      child.disconnect();
      resolve(load as RawLoad);
    });
    child.once('error', reject);
    child.once('exit', (code) => {
      started.delete(child);
      reject(new Error(`The load generator ended with code ${code} before its result`));
    });
  });
};

if (import.meta.main)
  process.once('message', async (plan) => {
    process.send?.(await run(plan as RawPlan));
  });
