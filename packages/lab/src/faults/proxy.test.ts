import assert from 'node:assert/strict';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { after, suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { cut } from './cut.ts';
import { delay } from './delay.ts';
import { heal } from './heal.ts';
import { type FaultProxy, startProxy } from './proxy.ts';

const portOf = (server: Server): number => {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
};

/** A target that says everything back, and ends when it is told to. */
const accepted = new Set<Socket>();
const heard: string[] = [];
const target = createServer({ noDelay: true }, (socket) => {
  accepted.add(socket);
  socket.on('error', () => {});
  socket.once('close', () => accepted.delete(socket));
  socket.on('data', (chunk: Buffer) => {
    heard.push(chunk.toString());
    socket.write(chunk);
  });
});
await new Promise<void>((resolve) => target.listen(0, '127.0.0.1', resolve));
after(() => {
  for (const socket of accepted) socket.destroy();
  target.close();
});

const proxyIn = async (t: { after(clean: () => Promise<void>): void }): Promise<FaultProxy> => {
  const proxy = await startProxy({ listenPort: 0, targetHost: '127.0.0.1', targetPort: portOf(target) });
  t.after(() => proxy.close());
  return proxy;
};

interface Client {
  readonly socket: Socket;
  readonly received: () => string;
  readonly ended: () => string | undefined;
}

const clientOf = ({ port }: FaultProxy): Client => {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true });
  let received = '';
  let ended: string | undefined;
  socket.on('data', (chunk: Buffer) => {
    received += chunk.toString();
  });
  socket.on('end', () => {
    ended ??= 'end';
  });
  socket.on('error', (error: NodeJS.ErrnoException) => {
    ended ??= error.code;
  });
  return { socket, received: () => received, ended: () => ended };
};

const until = async (isSo: () => boolean): Promise<void> => {
  for (const deadline = performance.now() + 5000; !isSo(); await sleep(5))
    assert.ok(performance.now() < deadline, 'not within 5 s');
};

const held = 200;

suite('the proxy', () => {
  test('forwards whole streams in order, and their ends', async (t) => {
    const client = clientOf(await proxyIn(t));
    const text = Array.from({ length: 400_000 }, (_, index) => String(index)).join();
    client.socket.end(text);
    await until(() => client.ended() !== undefined);
    assert.equal(client.received(), text);
    assert.equal(client.ended(), 'end');
  });

  test('delays one direction or both, and keeps the order', async (t) => {
    const proxy = await proxyIn(t);
    const client = clientOf(proxy);
    const roundTrip = async (word: string): Promise<number> => {
      const startMs = performance.now();
      client.socket.write(word);
      await until(() => client.received().endsWith(word));
      return performance.now() - startMs;
    };
    await roundTrip('warm');
    delay.parse('100ms')?.(proxy);
    assert.ok((await roundTrip('both')) >= 199);
    heal.parse(undefined)?.(proxy);
    delay.parse('100ms,down')?.(proxy);
    const one = await roundTrip('one');
    assert.ok(one >= 99 && one < 195, `${one} ms`);
    proxy.heal();
    assert.ok((await roundTrip('none')) < 95);
  });

  test('a silent cut holds bytes, new connections and ends, and keeps connections open; healing lets them arrive', async (t) => {
    const proxy = await proxyIn(t);
    const before = clientOf(proxy);
    before.socket.write('before');
    await until(() => before.received() === 'before');
    cut.parse(undefined)?.(proxy);
    const known = accepted.size;
    before.socket.write(' during');
    const fresh = clientOf(proxy);
    fresh.socket.write('fresh');
    await sleep(held);
    assert.equal(before.received(), 'before');
    assert.deepEqual(
      [fresh.received(), before.ended(), fresh.ended(), accepted.size],
      ['', undefined, undefined, known],
    );
    before.socket.end();
    proxy.heal();
    await until(() => before.ended() === 'end' && fresh.received() === 'fresh');
    assert.equal(before.received(), 'before during');
  });

  test('a cut of the way back lets requests arrive whose answers do not', async (t) => {
    const proxy = await proxyIn(t);
    const client = clientOf(proxy);
    cut.parse('down')?.(proxy);
    client.socket.write('arrives');
    await until(() => heard.includes('arrives'));
    await sleep(held);
    assert.equal(client.received(), '');
    proxy.heal();
    await until(() => client.received() === 'arrives');
  });

  test('a cut of the way there keeps requests from arriving', async (t) => {
    const proxy = await proxyIn(t);
    const client = clientOf(proxy);
    client.socket.write('first');
    await until(() => client.received() === 'first');
    cut.parse('up')?.(proxy);
    client.socket.write('second');
    await sleep(held);
    assert.ok(!heard.includes('second'));
    for (const socket of accepted) socket.write('!');
    await until(() => client.received() === 'first!');
    proxy.heal();
    await until(() => client.received() === 'first!second');
  });

  test('a cut with resets ends connections, refuses new ones, and is healed', async (t) => {
    const proxy = await proxyIn(t);
    const client = clientOf(proxy);
    client.socket.write('x');
    await until(() => client.received() === 'x');
    cut.parse('reset')?.(proxy);
    await until(() => client.ended() === 'ECONNRESET');
    const fresh = clientOf(proxy);
    await until(() => fresh.ended() === 'ECONNRESET');
    proxy.heal();
    const healed = clientOf(proxy);
    healed.socket.write('y');
    await until(() => healed.received() === 'y');
  });

  test('a target that is gone shows as a reset, and closing the proxy ends what is held', async (t) => {
    const proxy = await startProxy({ listenPort: 0, targetHost: '127.0.0.1', targetPort: 1 });
    t.after(() => proxy.close());
    const client = clientOf(proxy);
    await until(() => client.ended() === 'ECONNRESET');
    proxy.cut();
    const waiting = clientOf(proxy);
    waiting.socket.write('x');
    await sleep(50);
    await proxy.close();
    await until(() => waiting.ended() === 'ECONNRESET');
  });

  test('a cut stops reading a sender before memory is full', async (t) => {
    const proxy = await proxyIn(t);
    const client = clientOf(proxy);
    proxy.cut();
    const piece = Buffer.alloc(1 << 20, 'a');
    for (let count = 0; count < 64; count++) client.socket.write(piece);
    await sleep(held);
    assert.ok(client.socket.writableLength > 32 << 20, `${client.socket.writableLength} bytes wait at the sender`);
    client.socket.end();
    proxy.heal();
    await until(() => client.ended() === 'end');
    assert.equal(client.received().length, 64 << 20);
  });
});
