import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { type Script, startScripted } from '../../../../tests/harness/scripted-target.ts';
import { Connection, type Reply } from './connection.ts';
import type { Request } from './request.ts';
import { TransportMeasure } from './transport.ts';

const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n';
const answer = (socket: Socket): void => void socket.write(ok);
const end = (socket: Socket): void => void socket.end();
const reset = (socket: Socket): void => void socket.resetAndDestroy();
/** Later than any closing that was under way, however busy the machine is. */
const fail = (socket: Socket): void => void setTimeout(() => socket.destroy(), 600);
const timeOut = (socket: Socket): void =>
  void socket.end('HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');

const said = (reply: Reply): string => ('failure' in reply ? reply.failure : String(reply.status));

interface Seen {
  readonly said: string;
  readonly repeated: number;
  /** Requests that the target has got. */
  readonly requests: number;
}

/** Sends a request, waits, and sends the one that is looked at. The target does what it is told with each piece in turn. */
const second = async (
  acts: readonly ((socket: Socket) => void)[],
  request: Partial<Request> = {},
  { idleMs = 300, mayCloseIdle = true } = {},
): Promise<Seen> => {
  let requests = 0;
  const path = `/${randomUUID()}`;
  const script: Script = (socket, piece) => {
    // A client of somebody else, who had this port before.
    if (!piece.includes(path)) socket.destroy();
    else (acts[requests++] ?? answer)(socket);
  };
  await using target = await startScripted(script);
  const transport = new TransportMeasure();
  const connection = new Connection(target.origin, { connectMs: 1000, answerMs: 1000, mayCloseIdle }, { transport });
  try {
    await connection.send({ method: 'GET', path });
    await delay(idleMs);
    const reply = await connection.send({ method: 'GET', path, ...request });
    return { said: said(reply), repeated: transport.repeated, requests };
  } finally {
    await connection.destroy();
  }
};

test('an idle connection that is closed as the request comes: the request is sent once more', async () => {
  const repeated = { said: '200', repeated: 1, requests: 3 };
  const seen = await Promise.all([
    second([answer, end]),
    second([answer, reset]),
    ...(['HEAD', 'PUT', 'DELETE', 'OPTIONS'] as const).map((method) => second([answer, reset], { method, body: 'x' })),
  ]);
  for (const each of seen) assert.deepEqual(each, repeated);
});

test('a target that says 408 to an idle connection has not read the request: any is sent once more', async () => {
  assert.deepEqual(await second([answer, timeOut], { method: 'POST' }), { said: '200', repeated: 1, requests: 3 });
  assert.deepEqual(await second([timeOut]), { said: '200', repeated: 0, requests: 2 });
  assert.deepEqual(await second([answer, timeOut, timeOut]), { said: '408', repeated: 1, requests: 3 });
});

test('what may not be repeated is a failure under a name of its own', async () => {
  const [post, patch] = await Promise.all([
    second([answer, end], { method: 'POST' }),
    second([answer, reset], { method: 'PATCH' }),
  ]);
  assert.deepEqual(post, {
    said: 'connection closed by the target as the request came; POST is not repeated',
    repeated: 0,
    requests: 2,
  });
  assert.deepEqual(patch, {
    said: 'connection reset as the request came; PATCH is not repeated',
    repeated: 0,
    requests: 2,
  });
});

test('a target that fails is not excused: on a fresh connection, after work, twice, in an answer, where nothing is forgiven', async () => {
  const closed = 'connection closed by the target';
  const half = (socket: Socket): void => void socket.end('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf');
  const [twice, afterWork, inAnswer, strict] = await Promise.all([
    second([answer, end, end]),
    second([answer, fail]),
    second([answer, half]),
    second([answer, end], {}, { mayCloseIdle: false }),
  ]);
  assert.deepEqual(twice, { said: closed, repeated: 1, requests: 3 });
  assert.deepEqual(afterWork, { said: closed, repeated: 0, requests: 2 });
  assert.deepEqual(inAnswer, { said: closed, repeated: 0, requests: 2 });
  assert.deepEqual(strict, { said: closed, repeated: 0, requests: 2 });
});

test('a closing that was heard of before the request needs no repeating, whatever the method', async () => {
  const closing = (socket: Socket): void => void socket.end(ok);
  const seen = await Promise.all([
    second([closing], { method: 'POST' }),
    second([(socket) => void socket.write(ok, () => socket.resetAndDestroy())], { method: 'POST' }),
    // Heard of in the same turn of the event loop in which the answer came: as users without a wait meet it.
    second([closing], { method: 'POST' }, { idleMs: 0 }),
  ]);
  for (const each of seen) assert.deepEqual(each, { said: '200', repeated: 0, requests: 2 });
});
