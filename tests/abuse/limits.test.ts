import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { suite, type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { Answer } from '../harness/client.ts';
import { metricsOf } from '../harness/metrics.ts';
import { operateUrlOf } from '../harness/operate-url.ts';
import { assertProblem } from '../harness/problems.ts';
import { exchange, rawRequest, requestBytes } from '../harness/raw.ts';
import { type Service, serviceIn } from '../harness/service.ts';
import { waitUntil } from '../harness/wait-until.ts';

const live = 'GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n';

const cutsOf = async (service: Service, reason: string): Promise<number> =>
  (await metricsOf(service))(`catalytic_connections_cut_total{reason="${reason}"}`);

/** A connection that is open, and closed with the test. */
const open = async (t: TestContext, url: string): Promise<Socket> => {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  t.after(() => socket.destroy());
  socket.on('error', () => {});
  await once(socket, 'connect');
  return socket;
};
const closed = (socket: Socket): Promise<unknown> =>
  socket.closed ? Promise.resolve() : new Promise((resolve) => socket.once('close', resolve));

/** Asks on an open connection and waits for the answer's first bytes. */
const askOn = async (socket: Socket): Promise<string> => {
  socket.write(live);
  return String((await once(socket, 'data'))[0]);
};

/** The process id of a child of the service, by a word of its command line. */
const childOf = ({ process: { pid } }: Service, word: string): number => {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').trim().split(' ').map(Number);
  const found = children.find((child) => readFileSync(`/proc/${child}/cmdline`, 'latin1').includes(word));
  if (found === undefined) throw new Error(`The service has no child ${word}`);
  return found;
};

// Each test starts a service and mostly waits.
suite('limits of the listeners', { concurrency: 3 }, () => {
  test('a connection on which nothing is sent is told so and closed', async (t) => {
    const { url } = await serviceIn(t, { REQUEST_TIMEOUT_MS: 300 });
    const beganMs = performance.now();
    const [answer] = await exchange(url, 1500);
    assertProblem(answer as Answer, 'request_timeout');
    assert.ok(performance.now() - beganMs < 4000);
  });

  test('an idle connection is closed after its time, and each answer says how long that is', async (t) => {
    const { url } = await serviceIn(t, { KEEP_ALIVE_SECONDS: 1 });
    const socket = await open(t, url);
    assert.match(await askOn(socket), /keep-alive: timeout=1\r\n/i);
    const beganMs = performance.now();
    socket.resume();
    await closed(socket);
    const tookMs = performance.now() - beganMs;
    assert.ok(tookMs > 900 && tookMs < 3500, `closed after ${tookMs} ms`);
  });

  test('a client that does not read its answers is cut, and a stop does not wait for it', async (t) => {
    const service = await serviceIn(t, { REQUEST_TIMEOUT_MS: 1500, OPERATE_PORT: 0 });
    const operateUrl = operateUrlOf(service);
    const answered = async (): Promise<number> =>
      (await metricsOf(service))('catalytic_answers_total{route="/metrics",class="2xx"}');
    /** Asks until the buffers of the system are full, so that no answer is given any more. */
    const glut = async (): Promise<void> => {
      const socket = await open(t, operateUrl);
      socket.pause();
      for (let isTaken = true; isTaken; ) {
        const before = await answered();
        socket.write('GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(40));
        isTaken = false;
        for (let looks = 0; looks < 20 && !isTaken; looks++) {
          await delay(20);
          // The looks count too, fewer than that.
          isTaken = (await answered()) > before + 40;
        }
      }
    };
    await glut();
    await waitUntil('the service', 'cut who does not read', 8000, async () => (await cutsOf(service, 'unread')) === 1);
    await glut();
    const beganMs = performance.now();
    assert.equal(await service.end('SIGINT'), 0);
    assert.ok(performance.now() - beganMs < 4000);
  });

  test('a connection with more requests than anybody waits for is cut; others go on', async (t) => {
    const service = await serviceIn(t, { OPERATE_PORT: 0 });
    const socket = await open(t, service.url);
    socket.write(live.repeat(1500));
    await closed(socket.resume());
    assert.equal(await cutsOf(service, 'pipelined'), 1);
    const answers = await exchange(service.url, live.repeat(90) + requestBytes('GET', '/health/live').toString());
    assert.equal(answers.filter(({ status }) => status === 200).length, 91);
  });

  test('a process whose connections all serve a request says so to one more, and answers those', async (t) => {
    const service = await serviceIn(t, {
      ...{ MAX_CONNECTIONS: 20, KEEP_ALIVE_SECONDS: 60, OPERATE_PORT: 0 },
      ...{ HASH_LANES: 20, HASH_QUEUE_MS: 60_000 },
    });
    const hashing = childOf(service, 'lane-process');
    process.kill(hashing, 'SIGSTOP');
    const body = '{"email":"ada@example.com","password":"nine lanterns over the harbour"}';
    const login = `POST /auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    const held = await Promise.all(Array.from({ length: 20 }, () => open(t, service.url)));
    const answers = held.map(async (socket) => {
      socket.write(login);
      return String((await once(socket, 'data'))[0]);
    });
    await waitUntil('the service', 'take the requests', 5000, async () => {
      const figure = await metricsOf(service);
      return figure('catalytic_hash_lanes_busy') === 20;
    });
    const answer = await rawRequest(service.url, 'GET', '/health/live');
    assertProblem(answer, 'overloaded');
    assert.equal(answer.headers.get('retry-after'), '1');
    assert.equal((await metricsOf(service))('catalytic_connections_open'), 21, 'with the scrape itself');

    // Far too many: most are closed without a word, and none is waited for.
    const many = await Promise.all(Array.from({ length: 200 }, () => open(t, service.url)));
    await Promise.all(many.map((socket) => closed(socket.resume())));
    assert.equal(await cutsOf(service, 'full'), 201);
    process.kill(hashing, 'SIGCONT');
    for (const text of await Promise.all(answers)) assert.match(text, /^HTTP\/1\.1 401/);
    assert.match(await askOn(held[0] as Socket), /^HTTP\/1\.1 200/);

    // Each connection is idle now, and the longest idle one makes room.
    assert.equal((await rawRequest(service.url, 'GET', '/health/live')).status, 200);
    assert.equal(await cutsOf(service, 'displaced'), 1);
    assert.equal(await service.end(), 0);
  });

  test('what arrives while the service is frozen and its queue is full waits, and is served when it runs on', async (t) => {
    const service = await serviceIn(t, { BACKLOG: 4 });
    service.process.kill('SIGSTOP');
    let answered = 0;
    const asking = Array.from({ length: 30 }, async () => {
      const answer = await rawRequest(service.url, 'GET', '/health/live');
      answered++;
      return answer.status;
    });
    await delay(300);
    assert.equal(answered, 0);
    service.process.kill('SIGCONT');
    // The client's system repeats a connection that found no place in the queue: after one second,
    // three, seven.
    assert.deepEqual(new Set(await Promise.all(asking)), new Set([200]));
  });

  test('no more connections are held than open files allow', async (t) => {
    const filesMax = 180;
    const limited = ['sh', '-c', `ulimit -n ${filesMax}; exec "$@"`, 'sh'];
    const service = await serviceIn(t, { KEEP_ALIVE_SECONDS: 60 }, limited);
    assert.match(service.output(), /180 open files are allowed.*a process takes 80 connections/);
    const held = await Promise.all(Array.from({ length: 80 }, () => open(t, service.url)));
    await Promise.all(held.map(askOn));
    const first = closed((held[0] as Socket).resume());
    assert.equal((await rawRequest(service.url, 'GET', '/health/live')).status, 200);
    await first;
    assert.equal(held.filter((socket) => socket.destroyed).length, 1, 'one makes room for one');
  });

  const hasPrlimit = spawnSync('prlimit', ['--version']).status === 0;
  test('with no file descriptor left new connections are closed, and everything goes on', {
    skip: !hasPrlimit && 'there is no prlimit here',
  }, async (t) => {
    const service = await serviceIn(t, { KEEP_ALIVE_SECONDS: 60 });
    const kept = await open(t, service.url);
    await askOn(kept);
    const limitFiles = (soft: string) =>
      execFileSync('prlimit', ['--pid', String(service.process.pid), `--nofile=${soft}:`]);
    limitFiles('10');
    const refused = await Promise.all(
      Array.from({ length: 40 }, async () => {
        const socket = connect(Number(new URL(service.url).port), '127.0.0.1');
        socket.on('error', () => {});
        socket.write(live);
        socket.setTimeout(1500, () => socket.destroy());
        let bytes = '';
        socket.on('data', (chunk) => {
          bytes += chunk.toString();
        });
        await closed(socket);
        return bytes;
      }),
    );
    assert.deepEqual(new Set(refused), new Set(['']));
    assert.match(await askOn(kept), /^HTTP\/1\.1 200/);
    limitFiles('1000');
    assert.equal((await rawRequest(service.url, 'GET', '/health/ready')).status, 200);
    assert.equal(await service.end(), 0);
    assert.doesNotMatch(service.output(), /"level":"(error|fatal)"/);
  });
});
