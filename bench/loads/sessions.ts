/**
 * Sessions to sign out, on a deployment of the fault matrix.
 * @module
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Deployment } from '../../tests/faults/deployment.ts';
import type { PinnedWorker } from '../../tests/faults/pinned-worker.ts';
import { goodPassword } from '../../tests/harness/client.ts';
import { inParallel } from '../../tests/harness/in-parallel.ts';

const loginsAtOnce = 32;

/** Signs sessions in, on all workers in turn. @returns their access tokens */
export const signInOn = (
  deployment: Deployment,
  workers: readonly PinnedWorker[],
  count: number,
): Promise<readonly string[]> => {
  const one = async (_: unknown, index: number): Promise<string> => {
    for (;;) {
      const { status, body } = await (workers[index % workers.length] as PinnedWorker).send('POST', '/auth/login', {
        body: { email: deployment.email(index), password: goodPassword, tenant: 'lab' },
      });
      if (status === 200) return String(body['access_token']);
      if (status !== 503) throw new Error(`Cannot sign in: ${status} ${JSON.stringify(body)}`);
      await delay(20);
    }
  };
  return inParallel(Array.from({ length: count }), one, loginsAtOnce);
};
