import assert from 'node:assert/strict';
import { createServer, type RequestListener } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { Connection, type Reply } from './connection.ts';

const answer: RequestListener = ({ url, socket }, response) => {
  if (url === '/hang') return;
  if (url === '/address') response.setHeader('x-address', socket.remoteAddress ?? '');
  if (url === '/reset') socket.destroy();
  else if (url === '/half') {
    response.writeHead(200, { 'content-length': 10 });
    response.write('half', () => socket.destroy());
  } else response.end('é'.repeat(100_000));
};

const withConnection = async (use: (connection: Connection) => Promise<void>, localAddress?: string): Promise<void> => {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const connection = new Connection(origin, { connectMs: 1000, answerMs: 1000 }, localAddress);
  try {
    await use(connection);
  } finally {
    await connection.destroy();
    server.closeAllConnections();
    server.close();
  }
};

const get = (path: string) => ({ method: 'GET', path }) as const;

/** A target that writes what it is told, byte for byte, for each request that comes. */
const withScript = async (
  write: (socket: Socket, request: string, number: number) => void,
  use: (connection: Connection) => Promise<void>,
): Promise<void> => {
  const sockets = new Set<Socket>();
  let requests = 0;
  const server = createTcpServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('data', (piece) => write(socket, piece.toString(), requests++));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const connection = new Connection(origin, { connectMs: 1000, answerMs: 1000 });
  try {
    await use(connection);
  } finally {
    await connection.destroy();
    for (const socket of sockets) socket.destroy();
    server.close();
  }
};

const outcomeOf = (reply: Reply): string => ('failure' in reply ? reply.failure : `${reply.status} ${reply.text}`);
const ok = (text: string): string => `HTTP/1.1 200 OK\r\nContent-Length: ${text.length}\r\n\r\n${text}`;

test('answers are read whole, over one connection', () =>
  withConnection(async (connection) => {
    for (let count = 0; count < 5; count++) {
      const reply = await connection.send(get('/'));
      assert.ok('status' in reply);
      assert.deepEqual([reply.status, reply.text.length, reply.bytes], [200, 100_000, 200_000]);
      assert.ok(reply.writtenAtMs <= reply.firstByteAtMs && reply.firstByteAtMs <= reply.lastByteAtMs);
    }
    assert.equal(connection.connects, 1);
  }));

test('whatever goes wrong is an answer with a name, and the next request works again', () =>
  withConnection(async (connection) => {
    assert.deepEqual(await connection.send(get('/reset')), { failure: 'connection closed by the target' });
    assert.deepEqual(await connection.send(get('/half')), { failure: 'connection closed by the target' });
    assert.deepEqual(await connection.send(get('/hang')), { failure: 'answer timeout' });
    assert.ok('status' in (await connection.send(get('/'))));
    assert.equal(connection.connects, 4);
  }));

test('what is in flight or waiting when the connection is destroyed is cut', () =>
  withConnection(async (connection) => {
    const replies = [connection.send(get('/hang')), connection.send(get('/'))];
    setTimeout(() => void connection.destroy(), 50);
    const cut = { failure: 'cut at the end of the run' };
    assert.deepEqual(await Promise.all(replies), [cut, cut]);
    assert.deepEqual(await connection.send(get('/')), cut);
  }));

test('a target that is not there refuses the connection', async () => {
  const connection = new Connection('http://127.0.0.1:1', { connectMs: 1000, answerMs: 1000 });
  assert.deepEqual(await connection.send(get('/')), { failure: 'connection refused' });
  await connection.destroy();
});

test('requests given at once are answered one after the other, each with its own answer', () =>
  withScript(
    (socket, request) => void setTimeout(() => socket.write(ok(/^GET (\S+)/.exec(request)?.[1] ?? '')), 5),
    async (connection) => {
      const replies = await Promise.all(['/a', '/b', '/c'].map((path) => connection.send(get(path))));
      assert.deepEqual(replies.map(outcomeOf), ['200 /a', '200 /b', '200 /c']);
      assert.equal(connection.connects, 1);
    },
  ));

test('an answer that nobody has asked for never answers the next request', () =>
  withScript(
    (socket, _request, number) => {
      socket.write(ok(`asked ${number}`));
      // Later, in a piece of its own: by then the connection is idle.
      if (number === 0) setTimeout(() => socket.write(ok('smuggled')), 20);
    },
    async (connection) => {
      assert.equal(outcomeOf(await connection.send(get('/'))), '200 asked 0');
      await delay(60);
      assert.equal(outcomeOf(await connection.send(get('/'))), '200 asked 1');
      assert.equal(connection.connects, 2);
    },
  ));

test('a wrong length, a second answer in the same piece and a close in between fail the request and the connection', () =>
  withScript(
    (socket, _request, number) => {
      if (number === 0) socket.write(`${ok('right')}surplus`);
      else if (number === 1) socket.end('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort');
      else if (number === 2) socket.end('HTTP/1.1 200 OK\r\n\r\nuntil the end');
      else socket.write(ok('right'));
    },
    async (connection) => {
      const replies: string[] = [];
      for (let count = 0; count < 4; count++) replies.push(outcomeOf(await connection.send(get('/'))));
      assert.deepEqual(replies, [
        'bytes after the answer',
        'connection closed by the target',
        '200 until the end',
        '200 right',
      ]);
      assert.equal(connection.connects, 4);
    },
  ));

test('a connection that the target will soon close as idle is not used any more', () =>
  withScript(
    (socket) => void socket.write('HTTP/1.1 204 x\r\nKeep-Alive: timeout=0\r\n\r\n'),
    async (connection) => {
      await connection.send(get('/'));
      await connection.send(get('/'));
      assert.equal(connection.connects, 2);
    },
  ));

test('a request that would be read as two is never sent', () =>
  withScript(
    (socket) => void socket.write(ok('')),
    async (connection) => {
      const split = 'a\r\nContent-Length: 0\r\n\r\nGET / HTTP/1.1';
      for (const request of [
        get(`/${split}`),
        { ...get('/'), headers: { 'x-a': split } },
        { ...get('/'), headers: { [split]: 'a' } },
        { ...get('/'), headers: { 'content-length': '3' } },
      ])
        assert.throws(() => connection.send(request), RangeError);
      assert.equal(connection.connects, 0);
    },
  ));

test(
  'a connection can have an address of its own',
  { skip: process.platform !== 'linux' && 'needs all of 127.0.0.0/8' },
  () =>
    withConnection(async (connection) => {
      const reply = await connection.send(get('/address'));
      assert.match('head' in reply ? reply.head : reply.failure, /x-address: 127\.1\.2\.3/);
    }, '127.1.2.3'),
);
