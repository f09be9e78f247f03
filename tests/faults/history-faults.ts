/**
 * Another history of the database: under running processes, its data is put back to an earlier state or moved to another cluster.
 * @module
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { makeServerFolder } from '../harness/postgres/moves.ts';
import { findServerWithPrograms, runProgram } from '../harness/postgres/programs.ts';
import { createServiceDatabase, serviceDatabase, serviceDatabaseUrl } from '../harness/postgres/service-database.ts';
import { copyDataFolder } from '../harness/postgres/template.ts';
import { type Postgres, startPostgres } from '../harness/postgres.ts';
import type { Deployment } from './deployment.ts';
import { type Fault, healAll, nothing, type Scene } from './fault.ts';

const isNoticed = /The database has another history than before/;

/** Time in which every running worker reads earlier commits: three intervals between two reads, milliseconds. */
const readMs = 300;

/** Copies the data of a stopped database to a folder beside it, which is removed with the database. Returns the folder. */
const copyCold = async (postgres: Postgres): Promise<string> => {
  const folder = join(mkdtempSync(join(dirname(postgres.dataDir), 'copy-')), 'data');
  await postgres.stop();
  copyDataFolder(postgres.dataDir, folder);
  await postgres.start();
  return folder;
};

/** Waits until the workers have found the database again. */
const untilServing = async (deployment: Deployment): Promise<void> => {
  for (const worker of await deployment.healthy()) await worker.close();
};

/** Replaces the data of the database. It is stopped long enough for every lease to end. */
const replaceData = async ({ deployment: { postgres }, leaseMs }: Scene, folder: string): Promise<void> => {
  await postgres.stop('immediate');
  const over = delay(1.2 * leaseMs);
  rmSync(postgres.dataDir, { recursive: true });
  copyDataFolder(folder, postgres.dataDir);
  await over;
  await postgres.start();
};

/** The copy lacks the sign-out. @param waitMs between the moment and the end of the database */
const putBackBefore =
  (waitMs: number): Fault['prepare'] =>
  async (scene) => {
    const copy = await copyCold(scene.deployment.postgres);
    await untilServing(scene.deployment);
    return async () => {
      await delay(waitMs);
      await replaceData(scene, copy);
      return async () => rmSync(dirname(copy), { recursive: true });
    };
  };

/** The copy holds the sign-out, and lacks what other users did after it. */
const putBackAfter: Fault['prepare'] = async (scene) => async () => {
  const { postgres } = scene.deployment;
  const copy = await copyCold(postgres);
  await delay(readMs);
  await scene.deployment.query("update account set status = status where email like 'fault1%'");
  await replaceData(scene, copy);
  return async () => rmSync(dirname(copy), { recursive: true });
};

/** Number of transactions of the old cluster: its transaction ids are far ahead of those of a new cluster. */
const transactions = 5000;

/** Fills an empty database from another one. @param from URL of a superuser @param to URL of its owner */
const moveDatabase = async (from: string, to: string): Promise<void> => {
  const server = findServerWithPrograms();
  const folder = makeServerFolder();
  const file = join(folder, 'dump.sql');
  try {
    await runProgram(server, 'pg_dump', ['--no-owner', '--file', file, from], folder);
    const strictly = ['--quiet', '--no-psqlrc', '--set=ON_ERROR_STOP=1'];
    await runProgram(server, 'psql', [...strictly, '--file', file, to], folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
};

/** `pg_dump` and `psql` move the data to a new cluster at the same address while the processes run. */
const moveToNewCluster: Fault['prepare'] = async ({ deployment }) => {
  const { postgres, machines } = deployment;
  await postgres.sql(`do $$ begin
    for count in 1..${transactions} loop perform pg_current_xact_id(); commit; end loop;
  end $$`);
  const next = await startPostgres({ isOwnCluster: true });
  const source = new URL(postgres.url);
  source.pathname = serviceDatabase;
  const { password } = source;
  await createServiceDatabase(next.sql);
  return async () => {
    // No commit is acknowledged from here on.
    for (const machine of machines) machine.way('database').reset();
    await moveDatabase(source.href, serviceDatabaseUrl(next.port));
    await next.sql(`alter role postgres password '${password}'`);
    await next.stop();
    await postgres.stop('immediate');
    rmSync(postgres.dataDir, { recursive: true });
    copyDataFolder(next.dataDir, postgres.dataDir);
    await next.close();
    await postgres.start();
    healAll(deployment);
    return nothing;
  };
};

const committed = ['between commit and hint', 'before the acknowledgement', 'after the answer'];

/** These faults, by name. */
export const historyFaults: Readonly<Record<string, Fault>> = {
  'database put back to before a sign-out that was read': {
    setting: 'three workers',
    moments: committed,
    breaks: 'A1',
    says: isNoticed,
    prepare: putBackBefore(readMs),
  },
  'database put back to before the sign-out': {
    setting: 'three workers',
    breaks: 'A1',
    prepare: putBackBefore(0),
  },
  'database put back to after the sign-out': {
    setting: 'three workers',
    moments: committed,
    prepare: putBackAfter,
  },
  'database moved to a new cluster': {
    setting: 'three workers',
    says: isNoticed,
    prepare: moveToNewCluster,
  },
};
