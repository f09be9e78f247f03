/**
 * An API behind a guard, in a process of its own.
 * @module
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { createGuard, type GuardOptions } from '@catalytic/guard';
import { serveTasks } from '../harness/child.ts';

/** Longest time until the guard accepts tokens, milliseconds. */
const currentMsMax = 30_000;

const tasks = {
  /** Serves one route. @returns its URL, once the guard accepts tokens */
  serve: async (options: GuardOptions): Promise<string> => {
    const guard = await createGuard(options);
    const handler = guard.node((request, response) => response.end(JSON.stringify({ subject: request.auth.subject })));
    const server = createServer(handler);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const beganMs = performance.now();
    while (guard.state.mode !== 'ask' && !guard.state.current) {
      if (performance.now() - beganMs > currentMsMax) throw new Error(`No lease: ${guard.state.problem}`);
      await delay(20);
    }
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  },
};

/** What this child does. */
export type GuardedApiTasks = typeof tasks;

serveTasks(tasks);
