import assert from 'node:assert/strict';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { Connection } from './connection.ts';

const answer: RequestListener = ({ url, socket }, response) => {
  if (url === '/hang') return;
  if (url === '/reset') socket.destroy();
  else if (url === '/half') {
    response.writeHead(200, { 'content-length': 10 });
    response.write('half', () => socket.destroy());
  } else response.end('é'.repeat(100_000));
};

const withConnection = async (use: (connection: Connection) => Promise<void>): Promise<void> => {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const connection = new Connection(origin, { connectMs: 1000, answerMs: 1000 });
  try {
    await use(connection);
  } finally {
    await connection.destroy();
    server.closeAllConnections();
    server.close();
  }
};

const get = (path: string) => ({ method: 'GET', path }) as const;

test('answers are read whole, over one connection', () =>
  withConnection(async (connection) => {
    for (let count = 0; count < 5; count++) {
      const reply = await connection.send(get('/'));
      assert.ok('status' in reply);
      assert.deepEqual([reply.status, reply.text.length, reply.bytes], [200, 100_000, 200_000]);
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

test('what is in flight when the connection is destroyed is cut', () =>
  withConnection(async (connection) => {
    const reply = connection.send(get('/hang'));
    setTimeout(() => void connection.destroy(), 50);
    assert.deepEqual(await reply, { failure: 'cut at the end of the run' });
  }));

test('a target that is not there refuses the connection', async () => {
  const connection = new Connection('http://127.0.0.1:1', { connectMs: 1000, answerMs: 1000 });
  assert.deepEqual(await connection.send(get('/')), { failure: 'connection refused' });
  await connection.destroy();
});
