/**
 * Connections that a load balancer keeps: it must be the first to close one, or a request that is on its way is lost.
 * @module
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { operateUrlOf } from '../harness/operate-url.ts';
import { serviceIn } from '../harness/service.ts';

/** How long nginx and AWS keep an idle connection to a service, unless told otherwise, seconds. */
const balancerSeconds = 60;

test('an idle connection outlives the time for a request, and by default the idle time of a balancer', async (t) => {
  const requestMs = 500;
  const service = await serviceIn(t, { OPERATE_PORT: 0, REQUEST_TIMEOUT_MS: requestMs });
  for (const url of [service.url, operateUrlOf(service)]) {
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    t.after(() => socket.destroy());
    const ask = async (): Promise<string> => {
      socket.write('GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n');
      return String((await once(socket, 'data'))[0]);
    };
    const seconds = Number(/^keep-alive: timeout=(\d+)/im.exec(await ask())?.[1]);
    assert.ok(seconds > balancerSeconds, `${url} keeps a connection for ${seconds} s`);
    // Longer than a header or a request may take: neither has begun.
    await delay(5 * requestMs);
    assert.match(await ask(), /^HTTP\/1\.1 200 /, url);
  }
});
