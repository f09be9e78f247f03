/**
 * Standbys: one that is missing while a commit waits for it, and one to which the address of the database leads.
 * @module
 */
import { setTimeout as delay } from 'node:timers/promises';
import { everybody, type Fault, healAll, undoAfter, unprepared } from './fault.ts';

/** Cancels every commit that waits, as tools do that look for long queries. */
const cancelWaits = `select pg_cancel_backend(pid) from pg_stat_activity where wait_event = 'SyncRep'`;
const cancelEveryMs = 50;

/** The commit of the sign-out waits for a standby that is not there, and its wait is cancelled. */
const cancelledWait: Fault['prepare'] = async ({ deployment: { postgres } }) => {
  const waitFor = async (name: string): Promise<void> => {
    await postgres.sql(`alter system set synchronous_standby_names = '${name}'`);
    await postgres.sql('select pg_reload_conf()');
  };
  await waitFor('absent');
  return async () => {
    let isOver = false;
    const cancelling = (async () => {
      for (; !isOver; await delay(cancelEveryMs)) await postgres.sql(cancelWaits);
    })();
    return async () => {
      // The sign-out has to come to its commit.
      await delay(10 * cancelEveryMs);
      isOver = true;
      await cancelling;
      await waitFor('');
    };
  };
};

/** Longest time from the end of the fault until every worker serves again, milliseconds. */
const recoveryMsMax = 10_000;

/** Connections lead to a standby, for longer than a lease, and then to the primary again. */
const ledAstray = unprepared(async (scene) => {
  const { deployment, leaseMs, random } = scene;
  for (const machine of deployment.machines)
    machine.way('database').redirect({ host: '127.0.0.1', port: deployment.standby.port });
  return undoAfter(leaseMs * (2 + random()), async () => {
    for (const worker of everybody(scene))
      scene.expect(
        !(await scene.accepts(worker)),
        `worker ${worker.label} accepts a token that it checks at a standby`,
      );
    healAll(deployment);
  });
});

/** These faults, by name. */
export const standbyFaults: Readonly<Record<string, Fault>> = {
  "commit's wait for its standby cancelled": {
    setting: 'three workers',
    moments: ['before the commit', 'between commit and hint', 'before the acknowledgement'],
    answers: [503],
    prepare: cancelledWait,
  },
  'address of the database leads to a standby': {
    setting: 'a database with a standby',
    says: /The database that answered is a replica/,
    readyMsMax: recoveryMsMax,
    prepare: ledAstray,
  },
};
