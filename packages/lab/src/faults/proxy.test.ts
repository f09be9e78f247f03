import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { after, suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { cut } from './cut.ts';
import { delay } from './delay.ts';
import { heal } from './heal.ts';
import { bothDirections, type FaultProxy, startProxy } from './proxy.ts';

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
  for (const deadline = performance.now() + 20_000; !isSo(); await sleep(5))
    assert.ok(performance.now() < deadline, 'not within 20 s');
};

const held = 200;
/** Elsewhere nobody can say whose a connection is. */
const onlyWithProc = { skip: existsSync('/proc/self/net/tcp') ? false : 'there is no /proc' };

/** A process of its own that connects, writes what it is told to, and prints what it hears. */
class Worker {
  readonly #child: ChildProcess;
  #said = '';

  constructor(scope: { after(clean: () => void): void }) {
    this.#child = spawn(process.execPath, ['--eval', program], { stdio: ['pipe', 'pipe', 'inherit'] });
    scope.after(() => void this.#child.kill('SIGKILL'));
    this.#child.stdout?.on('data', (chunk: Buffer) => {
      this.#said += chunk.toString();
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  connect(port: number): void {
    this.#child.stdin?.write(`connect ${port}\n`);
  }

  write(text: string): void {
    this.#child.stdin?.write(`write ${text}\n`);
  }

  said(): string {
    return this.#said;
  }
}

const program = `
let socket;
require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
  const [, verb, rest] = /^(\\w+) (.*)$/.exec(line);
  if (verb === 'write') return socket.write(rest);
  socket = require('node:net').connect({ host: '127.0.0.1', port: Number(rest), noDelay: true });
  socket.on('data', (chunk) => process.stdout.write(chunk));
  socket.on('end', () => process.stdout.write('[end]'));
  socket.on('error', ({ code }) => process.stdout.write('[' + code + ']'));
});`;

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
    for (let count = 0; count < 32; count++) client.socket.write(piece);
    await sleep(held);
    assert.ok(client.socket.writableLength > 16 << 20, `${client.socket.writableLength} bytes wait at the sender`);
    client.socket.end();
    proxy.heal();
    await until(() => client.ended() === 'end');
    assert.equal(client.received().length, 32 << 20);
  });

  test('some processes are cut, delayed, reset and sent elsewhere, the others are not', onlyWithProc, async (t) => {
    const elsewhere = createServer((socket) => {
      socket.on('error', () => {});
      socket.end('elsewhere');
    });
    await new Promise<void>((resolve) => elsewhere.listen(0, '127.0.0.1', resolve));
    const other = new Worker(t);
    const proxy = await startProxy({
      listenPort: 0,
      targetHost: '127.0.0.1',
      targetPort: portOf(target),
      pids: () => [process.pid, other.pid],
    });
    t.after(async () => {
      await proxy.close();
      elsewhere.close();
    });
    const mine = clientOf(proxy);
    other.connect(proxy.port);
    mine.socket.write('mine');
    other.write('hers');
    await until(() => mine.received() === 'mine' && other.said() === 'hers');

    proxy.cut(bothDirections, [other.pid]);
    other.write(' held');
    mine.socket.write(' passes');
    await until(() => mine.received() === 'mine passes');
    await sleep(held);
    assert.equal(other.said(), 'hers');
    proxy.heal();
    await until(() => other.said() === 'hers held');

    proxy.delay(held, ['up'], [other.pid]);
    proxy.delay(held, ['up']);
    const sentMs = performance.now();
    other.write(' late');
    await until(() => other.said() === 'hers held late');
    assert.ok(performance.now() - sentMs >= 2 * held - 1, 'the two delays add up');
    proxy.heal();

    proxy.redirect({ host: '127.0.0.1', port: portOf(elsewhere) }, [other.pid]);
    await until(() => other.said().endsWith('[ECONNRESET]'));
    other.connect(proxy.port);
    await until(() => other.said().endsWith('elsewhere[end]'));
    mine.socket.write(' stays');
    await until(() => mine.received() === 'mine passes stays');

    proxy.heal();
    proxy.reset([other.pid]);
    other.connect(proxy.port);
    await until(() => other.said().endsWith('[end][ECONNRESET]'));
    mine.socket.write(' here');
    await until(() => mine.received() === 'mine passes stays here');
    assert.equal(mine.ended(), undefined);
  });

  test('everybody is sent elsewhere and back: connections that led to the other target are reset', async (t) => {
    const other = await proxyIn(t);
    const proxy = await proxyIn(t);
    const before = clientOf(proxy);
    before.socket.write('before');
    await until(() => before.received() === 'before');
    proxy.redirect({ host: '127.0.0.1', port: other.port });
    await until(() => before.ended() === 'ECONNRESET');
    other.cut();
    const during = clientOf(proxy);
    during.socket.write('during');
    await sleep(held);
    assert.equal(during.received(), '');
    proxy.heal();
    await until(() => during.ended() === 'ECONNRESET');
    const healed = clientOf(proxy);
    healed.socket.write('healed');
    await until(() => healed.received() === 'healed');
  });
});
