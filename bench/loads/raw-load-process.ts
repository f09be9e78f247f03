/**
 * The process behind `raw-load.ts`: bytes over plain sockets.
 * @module
 */
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { serveTasks } from '../harness/child.ts';
import type { RawLoad, RawLoadTasks, RawPlan } from './raw-load.ts';

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

const send = async ({ url, path, valuesFile, header, from, connections, seconds }: RawPlan): Promise<RawLoad> => {
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
      const sendNext = (): boolean => socket.write(messages[next++ % messages.length] as Buffer);
      socket.once('connect', sendNext);
      socket.once('error', reject);
      socket.once('close', () => resolve());
      socket.on('data', (chunk: Buffer) => {
        pending += chunk.toString('latin1');
        const length = answerLength(pending);
        if (length === 0) return;
        requests += 1;
        if (!pending.startsWith('200', 9)) refused += 1;
        pending = pending.slice(length);
        if (performance.now() < untilMs) sendNext();
        else socket.end();
      });
    });
  await Promise.all(Array.from({ length: connections }, hold));
  const { user, system } = process.cpuUsage(cpu);
  return { requests, refused, seconds: (performance.now() - beganMs) / 1000, cpuSeconds: (user + system) / 1e6 };
};

serveTasks({ send } satisfies RawLoadTasks);
