import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startScripted } from '../../../../tests/harness/scripted-target.ts';
import { Lanes } from './lanes.ts';

const slowMs = 150;

test('requests at once have connections and latencies of their own; one after the other share a connection', async () => {
  await using target = await startScripted((socket) => {
    setTimeout(() => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'), slowMs);
  });
  const lanes = new Lanes(target.origin, { connectMs: 1000, answerMs: 1000 }, 3);
  const ask = async (): Promise<number> => {
    const { sentAtMs, endedAtMs } = await lanes.send({ method: 'GET', path: '/' });
    return endedAtMs - sentAtMs;
  };
  await ask();
  await ask();
  assert.equal(lanes.connects, 1);
  const startedMs = performance.now();
  // The fourth finds all three connections busy: it waits, and its latency counts from its writing.
  const latencies = await Promise.all(Array.from({ length: 4 }, ask));
  assert.ok(performance.now() - startedMs >= 2 * slowMs - 5);
  for (const ms of latencies) assert.ok(ms >= slowMs - 5 && ms < 2 * slowMs - 10, `${ms} ms`);
  assert.equal(lanes.connects, 3);
  await lanes.destroy();
});
