import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startScripted } from '../../../../tests/harness/scripted-target.ts';
import type { Reply } from './connection.ts';
import { Lanes } from './lanes.ts';

const slowMs = 50;

test('requests at once have connections and latencies of their own; one after the other share a connection', async () => {
  await using target = await startScripted((socket) => {
    setTimeout(() => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'), slowMs);
  });
  const lanes = new Lanes(target.origin, { connectMs: 1000, answerMs: 1000 }, 3);
  const ask = (): Promise<Reply> => lanes.send({ method: 'GET', path: '/' });
  await ask();
  await ask();
  assert.equal(lanes.connects, 1);
  // The fourth finds all three connections busy: it waits, and its latency counts from its writing.
  const replies = await Promise.all(Array.from({ length: 4 }, ask));
  for (const { sentAtMs, endedAtMs } of replies) assert.ok(endedAtMs - sentAtMs >= slowMs - 1);
  const [fourth, ...others] = replies.toReversed();
  assert.ok(fourth && others.every(({ sentAtMs }) => sentAtMs < fourth.sentAtMs));
  assert.ok(fourth.sentAtMs >= Math.min(...others.map(({ endedAtMs }) => endedAtMs)));
  assert.equal(lanes.connects, 3);
  await lanes.destroy();
});
