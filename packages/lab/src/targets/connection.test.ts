import assert from 'node:assert/strict';
import type { RequestListener } from 'node:http';
import { networkInterfaces } from 'node:os';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { startHttpServer } from '../../../../tests/harness/http-server.ts';
import { type Script, startScripted } from '../../../../tests/harness/scripted-target.ts';
import { bodyBytesMax } from './answer-reader.ts';
import { Connection, type ConnectionLimits, type Reply } from './connection.ts';
import { isOfGenerator } from './failures.ts';
import { TransportMeasure } from './transport.ts';

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
  const server = await startHttpServer(answer);
  const { url: origin } = server;
  const connection = new Connection(origin, { connectMs: 1000, answerMs: 1000 }, { localAddress });
  try {
    await use(connection);
  } finally {
    await connection.destroy();
    server.close();
  }
};

const get = (path: string) => ({ method: 'GET', path }) as const;

/** A connection to a target that writes what it is told. */
const withScript = async (
  script: Script,
  use: (connection: Connection, transport: TransportMeasure) => Promise<void>,
  limits: Partial<ConnectionLimits> = {},
): Promise<void> => {
  await using target = await startScripted(script);
  const transport = new TransportMeasure();
  const connection = new Connection(target.origin, { connectMs: 1000, answerMs: 1000, ...limits }, { transport });
  try {
    await use(connection, transport);
  } finally {
    await connection.destroy();
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
      assert.ok(reply.sentAtMs <= reply.firstByteAtMs && reply.firstByteAtMs <= reply.endedAtMs);
    }
    assert.equal(connection.connects, 1);
  }));

test('whatever goes wrong is an answer with a name, and the next request works again', () =>
  withConnection(async (connection) => {
    const failures: string[] = [];
    for (const path of ['/reset', '/half', '/hang']) failures.push(outcomeOf(await connection.send(get(path))));
    const closed = 'connection closed by the target';
    assert.deepEqual(failures, [closed, closed, 'answer timeout']);
    assert.ok('status' in (await connection.send(get('/'))));
    assert.equal(connection.connects, 4);
  }));

test('what is in flight or waiting when the connection is destroyed is cut', () =>
  withConnection(async (connection) => {
    const replies = [connection.send(get('/hang')), connection.send(get('/'))];
    setTimeout(() => void connection.destroy(), 50);
    const cut = 'cut at the end of the run';
    assert.deepEqual((await Promise.all(replies)).map(outcomeOf), [cut, cut]);
    assert.equal(outcomeOf(await connection.send(get('/'))), cut);
  }));

test('a target that is not there refuses the connection', async () => {
  const connection = new Connection('http://127.0.0.1:1', { connectMs: 1000, answerMs: 1000 });
  assert.equal(outcomeOf(await connection.send(get('/'))), 'connection refused');
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

test('a wrong length and a close in between end the connection; an answer that came whole counts', () =>
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
      assert.deepEqual(replies, ['200 right', 'connection closed by the target', '200 until the end', '200 right']);
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
      assert.match('failure' in reply ? reply.failure : reply.head, /x-address: 127\.1\.2\.3/);
    }, '127.1.2.3'),
);

test('bytes are sent as bytes, and the next request is none of them', async () => {
  let received = '';
  await withScript(
    (socket, piece) => {
      received += piece;
      socket.write(ok(''));
    },
    async (connection) => {
      const body = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
      await connection.send({ method: 'POST', path: '/', body });
      await connection.send({ method: 'PUT', path: '/', body: new Uint8Array([1, 2, 3]) });
      await connection.send({ method: 'PATCH', path: '/' });
      await connection.send(get('/'));
      const heads = received.split(/(?<=HTTP\/1\.1\r\n)host: .*\r\n/);
      assert.deepEqual(heads, [
        'POST / HTTP/1.1\r\n',
        `content-length: 256\r\n\r\n${body.toString('latin1')}PUT / HTTP/1.1\r\n`,
        'content-length: 3\r\n\r\n\x01\x02\x03PATCH / HTTP/1.1\r\n',
        'content-length: 0\r\n\r\nGET / HTTP/1.1\r\n',
        '\r\n',
      ]);
    },
  );
});

test('a request goes below the path of its target, to the host that it names', async () => {
  let received = '';
  await using target = await startScripted((socket, piece) => {
    received += piece;
    socket.write(ok(''));
  });
  const connection = new Connection(`${target.origin}/api/v2/`, { connectMs: 1000, answerMs: 1000 });
  await connection.send({ ...get('/items?page=2'), headers: { host: 'shop.example:81', 'x-n': 5 } });
  await connection.destroy();
  assert.equal(received, 'GET /api/v2/items?page=2 HTTP/1.1\r\nhost: shop.example:81\r\nx-n: 5\r\n\r\n');
});

test('a latency counts from the writing of the request, and the time to connect apart', async () => {
  // The second waits for the first, and for a connection of its own: neither is the target's.
  await withScript(
    (socket) =>
      void setTimeout(() => socket.write('HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n'), 20),
    async (connection, transport) => {
      const askedAtMs = performance.now();
      const [first, second] = await Promise.all([get('/a'), get('/b')].map((request) => connection.send(request)));
      assert.ok(first && second);
      assert.ok(first.sentAtMs - askedAtMs >= transport.connect.minMs);
      assert.ok(second.sentAtMs - first.endedAtMs >= transport.connect.minMs - 0.1);
      for (const { sentAtMs, endedAtMs } of [first, second]) assert.ok(endedAtMs - sentAtMs >= 19);
      assert.equal(transport.connect.count, 2);
    },
  );
  const connection = new Connection('http://127.0.0.1:1', { connectMs: 1000, answerMs: 1000 });
  const { sentAtMs, endedAtMs } = await connection.send(get('/'));
  assert.ok(endedAtMs > sentAtMs, 'a failure to connect has the time that it took');
});

test('an answer before the whole request was read ends the connection', () =>
  withScript(
    (socket, _piece, number) => {
      if (number === 0) {
        socket.pause();
        socket.write('HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n');
      } else if (socket.readableFlowing) socket.write(ok('read'));
    },
    async (connection) => {
      const body = Buffer.alloc(32 * 2 ** 20);
      assert.equal(outcomeOf(await connection.send({ method: 'POST', path: '/', body })), '413 ');
      assert.equal(outcomeOf(await connection.send(get('/'))), '200 read');
      assert.equal(connection.connects, 2);
    },
  ));

test('a compressed body is decoded, whether it was asked for or not', async () => {
  const text = JSON.stringify({ items: Array.from({ length: 200 }, (_, id) => ({ id, name: 'zażółć' })) });
  const bomb = gzipSync(Buffer.alloc(bodyBytesMax + 1));
  const answers: readonly (readonly [coding: string, body: Buffer, text: string | undefined, isTruncated?: boolean])[] =
    [
      ['gzip', gzipSync(text), text],
      ['x-gzip', gzipSync(text), text],
      ['deflate', deflateSync(text), text],
      ['deflate', deflateRawSync(text), text],
      ['br', brotliCompressSync(text), text],
      ['zstd', zstdCompressSync(text), text],
      ['gzip, br', brotliCompressSync(gzipSync(text)), text],
      ['rot13', Buffer.from('plain'), 'plain'],
      ['gzip', Buffer.alloc(0), ''],
      ['gzip', Buffer.from('no gzip'), undefined],
      ['gzip', bomb, '', true],
    ];
  await withScript(
    (socket, _piece, number) => {
      const [coding, body] = answers[number] ?? ['', ''];
      socket.write(`HTTP/1.1 200 OK\r\nContent-Encoding: ${coding}\r\nContent-Length: ${body.length}\r\n\r\n`);
      socket.write(body);
    },
    async (connection, transport) => {
      for (const [coding, body, expected, isTruncated = false] of answers) {
        const reply = await connection.send(get('/'));
        if (expected === undefined) assert.equal(outcomeOf(reply), 'malformed answer: content-encoding');
        else {
          assert.ok('status' in reply, outcomeOf(reply));
          assert.deepEqual([reply.text, reply.bytes, reply.isTruncated], [expected, body.length, isTruncated], coding);
        }
      }
      assert.equal(transport.truncated, 1);
    },
  );
});

test('an address that cannot be connected from is a failure of the generator, and is called so', async () => {
  await using target = await startScripted((socket) => void socket.write(ok('')));
  // Of a range that belongs to no machine (RFC 5737).
  const place = { localAddress: '192.0.2.1' };
  const connection = new Connection(target.origin, { connectMs: 1000, answerMs: 1000 }, place);
  const failure = outcomeOf(await connection.send(get('/')));
  assert.ok(isOfGenerator(failure), failure);
  await connection.destroy();
});

const hasIpv6 = Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === '::1'));

test('a target may have an IPv6 address', { skip: !hasIpv6 && 'this machine has none' }, async () => {
  let received = '';
  const script: Script = (socket, piece) => {
    received += piece;
    socket.write(ok('six'));
  };
  await using target = await startScripted(script, undefined, '::1');
  const connection = new Connection(target.origin, { connectMs: 1000, answerMs: 1000 });
  assert.equal(outcomeOf(await connection.send(get('/'))), '200 six');
  assert.equal(received, `GET / HTTP/1.1\r\nhost: ${new URL(target.origin).host}\r\n\r\n`);
  await connection.destroy();
});
