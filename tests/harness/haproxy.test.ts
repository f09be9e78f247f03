/**
 * The balancer of the tests itself: it spreads what it should, leaves out what is gone, and nothing of it survives the tests.
 * @module
 */
import assert from 'node:assert/strict';
import { Agent, get } from 'node:http';
import { suite, type TestContext, test } from 'node:test';
import { listProcesses } from '@catalytic/lab/process-tree';
import { findProgram } from './find-program.ts';
import { needsHaproxy, startHaproxy, wantedHaproxy } from './haproxy.ts';
import { startHttpServer } from './http-server.ts';
import { startOwner } from './owner.ts';
import { waitUntil } from './wait-until.ts';

const goneMsMax = 10_000;
const suiteMsMax = 60_000;

/** A service that answers its name, and 200 to health checks. */
const startNamed = async (name: string, port = 0) => {
  const server = await startHttpServer(
    (request, response) => void response.end(request.url === '/health/ready' ? 'ready' : name),
    { port },
  );
  return { listener: { host: '127.0.0.1', port: server.port }, end: server.close };
};

/** One user: requests one after another on one connection. */
const user = (t: TestContext, url: string): (() => Promise<string>) => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  t.after(() => agent.destroy());
  return () =>
    new Promise((resolve, reject) => {
      get(url, { agent }, (response) => {
        let body = '';
        response.on('data', (chunk: Buffer) => {
          body += chunk.toString();
        });
        response.once('end', () => resolve(`${response.statusCode} ${body}`));
      }).once('error', reject);
    });
};

const start = async (t: TestContext, mode: 'connection' | 'request') => {
  const [first, second] = [await startNamed('first'), await startNamed('second')];
  t.after(() => {
    first.end();
    second.end();
  });
  const balancer = await startHaproxy({ servers: [first.listener, second.listener], mode });
  t.after(() => balancer.close());
  return { first, second, balancer };
};

suite('a balancer for tests', { ...needsHaproxy(), timeout: suiteMsMax }, () => {
  test('gives each request to the next server, and leaves out one that is gone until it is back', async (t) => {
    const { first, second, balancer } = await start(t, 'request');
    assert.ok(balancer.usersMax > 100);
    const ask = user(t, balancer.url);
    const answers = async (): Promise<readonly string[]> =>
      [await ask(), await ask(), await ask(), await ask()].toSorted();
    assert.deepEqual(await answers(), ['200 first', '200 first', '200 second', '200 second']);
    // On a busy machine a check may have been late: "UP 1/2" until the next one.
    await waitUntil('The balancer', 'find both up', goneMsMax, async () => `${await balancer.states()}` === 'UP,UP');

    second.end();
    const isKnown = async (state: string): Promise<boolean> => (await balancer.states())[1] === state;
    await waitUntil('The balancer', 'see that a server is gone', goneMsMax, () => isKnown('DOWN'));
    assert.deepEqual(await answers(), Array(4).fill('200 first'));

    const again = await startNamed('second', second.listener.port);
    t.after(() => again.end());
    await waitUntil('The balancer', 'see that a server is back', goneMsMax, () => isKnown('UP'));
    first.end();
    assert.deepEqual(await answers(), Array(4).fill('200 second'), 'a refused connection is tried elsewhere');
  });

  test('gives all requests of a connection to one server, and to the other when that one is gone', async (t) => {
    const { first, balancer } = await start(t, 'connection');
    const users = Array.from({ length: 4 }, () => user(t, balancer.url));
    const round = async (): Promise<readonly string[]> => {
      const answers: string[] = [];
      for (const ask of users) answers.push(await ask());
      return answers;
    };
    const answers = await round();
    assert.deepEqual(answers.toSorted(), ['200 first', '200 first', '200 second', '200 second']);
    assert.deepEqual(await round(), answers);
    assert.deepEqual(await round(), answers);
    first.end();
    await waitUntil(
      'The balancer',
      'leave a server out',
      goneMsMax,
      async () => (await balancer.states())[0] === 'DOWN',
    );
    assert.deepEqual(await round(), Array(4).fill('200 second'));
  });

  test('is gone when the process that started it is killed', async (t) => {
    const owner = await startOwner(
      t,
      'haproxy.ts',
      `const balancer = await harness.startHaproxy({ servers: [{ host: '127.0.0.1', port: 9 }] });
       console.log(balancer.pid)`,
    );
    const isRunning = (): boolean => listProcesses().some(({ pid }) => pid === owner.said);
    assert.ok(isRunning());
    owner.kill();
    await waitUntil('HAProxy', 'go', goneMsMax, () => !isRunning());
  });
});

test('where no HAProxy can be had, one sentence says which command helps', () => {
  assert.throws(
    () => findProgram(wantedHaproxy, { path: '/nothing-here', cache: '/dev/null/nothing-here' }),
    /^Error: No HAProxy 2\.4 or newer is here .*"apt-get install haproxy"$/,
  );
});
