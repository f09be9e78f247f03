/**
 * The ways in which a backup of PostgreSQL is made and restored, or its data is moved to another cluster.
 * @module
 */
import { join } from 'node:path';
import { startProxy } from '@catalytic/lab/proxy';
import { get } from '../../tests/harness/client.ts';
import { signOutCrowd } from '../../tests/harness/crowd.ts';
import { inParallel } from '../../tests/harness/in-parallel.ts';
import {
  archivingTo,
  copyData,
  cutOver,
  dump,
  type Home,
  makeArchive,
  makeServerFolder,
  recoverBaseBackup,
  restoreDump,
  startFresh,
  startHome,
  subscribe,
  takeBaseBackup,
  upgradeCluster,
} from '../../tests/harness/postgres/moves.ts';
import { removeFolder, temporaryFolder } from '../../tests/harness/service.ts';
import { waitUntil } from '../../tests/harness/wait-until.ts';
import { begin, type DrillPlan, type DrillRow, type Promised, runRestored, secondsOf, serving, tell } from './drill.ts';

/** What the drills of a run share. */
export interface PostgresRun {
  readonly accounts: number;
  readonly workers: number;
}

type Drill = (run: PostgresRun) => Promise<readonly DrillRow[]>;

/** Gives a drill its folders and removes them after it. */
const inFolders = async <Result>(work: (folder: string, dataDir: string) => Promise<Result>): Promise<Result> => {
  const [folder, dataDir] = [makeServerFolder(), temporaryFolder()];
  try {
    return await work(folder, dataDir);
  } finally {
    removeFolder(folder);
    removeFolder(dataDir);
  }
};

const planFor = (run: PostgresRun, dataDir: string, databaseUrl: string): DrillPlan => ({
  accounts: run.accounts,
  dataDir,
  settings: {
    DATABASE_URL: databaseUrl,
    ISSUER: 'https://auth.example.com',
    WORKERS: run.workers,
    LOGIN_CACHE_SECONDS: 3600,
    // The drill must end before the tokens that it counts expire.
    ACCESS_TOKEN_SECONDS: 3600,
  },
});

const countRows = async (home: Home): Promise<number> => {
  const [[rows] = []] = await home.sql(
    'select (select count(*) from session) + (select count(*) from refresh_token) + (select count(*) from journal)',
  );
  return Number(rows);
};

/** How a way copies the data of a stopped service completely, and moves it. */
interface CompleteWay {
  readonly settings?: Readonly<Record<string, string | number>>;
  /** The part that runs before the service is stopped. */
  prepare?(from: Home, to: Home, folder: string): Promise<void>;
  copy(from: Home, folder: string): Promise<void>;
  move(from: Home, to: Home, folder: string): Promise<void>;
}

/** Another cluster serves afterwards, and every session stays as it was. */
const complete =
  (way: string, { settings = {}, prepare, copy, move }: CompleteWay): Drill =>
  (run) =>
    inFolders(async (folder, dataDir) => {
      const from = await startHome(settings);
      await using _from = from.server;
      const to = await startFresh(settings);
      await using _to = to.server;
      const before = planFor(run, dataDir, from.url);
      const crowd = await serving(before, async (service) => {
        const gathered = await begin(service, before);
        await prepare?.(from, to, folder);
        await signOutCrowd(service.url, gathered.second);
        return gathered;
      });
      const rows = await countRows(from);
      const copySeconds = await secondsOf(() => copy(from, folder));
      const moveSeconds = await secondsOf(() => move(from, to, folder));
      const plan = planFor(run, dataDir, to.url);
      const told = { way, copy: 'complete', restored: 'no', promised: 'everybody stays' } as const;
      return [
        await serving(plan, (service) => tell(service, plan, crowd, { ...told, rows, copySeconds, moveSeconds })),
      ];
    });

/** How a way copies the data beside a running service, and puts the copy in the place of lost data. */
interface OlderWay {
  readonly settings?: (folder: string) => Readonly<Record<string, string | number>>;
  copy(home: Home, folder: string): Promise<void>;
  /** Runs after everything that will be lost. */
  finish?(home: Home): Promise<void>;
  /** The server runs before and afterwards. */
  restore(home: Home, folder: string): Promise<void>;
}

/** All changes after the copy are lost: once without `catalytic after-restore`, to show why it is needed, once with it. */
const older =
  (way: string, { settings, copy, finish, restore }: OlderWay): Drill =>
  (run) =>
    inFolders(async (folder, dataDir) => {
      const home = await startHome(settings?.(folder));
      await using _home = home.server;
      const plan = planFor(run, dataDir, home.url);
      const [crowd, copySeconds, rows] = await serving(plan, async (service) => {
        const gathered = await begin(service, plan);
        const count = await countRows(home);
        const seconds = await secondsOf(() => copy(home, folder));
        await signOutCrowd(service.url, gathered.second);
        return [gathered, seconds, count] as const;
      });
      await finish?.(home);
      const told: DrillRow[] = [];
      for (const [restored, promised] of [
        ['no', 'nothing'],
        ['yes', 'everybody signs in once'],
      ] as const satisfies readonly (readonly [DrillRow['restored'], Promised])[]) {
        const moveSeconds = await secondsOf(() => restore(home, folder));
        if (restored === 'yes') await runRestored(plan);
        const row = { way, copy: 'older', restored, promised, rows, copySeconds, moveSeconds } as const;
        told.push(await serving(plan, (service) => tell(service, plan, crowd, row)));
      }
      return told;
    });

const inPlace = (format: 'plain' | 'custom') => async (home: Home, folder: string) => {
  await home.outside('drop database catalytic');
  await home.outside('drop role catalytic');
  await restoreDump(home, folder, format);
};

const coldCopy = (folder: string): string => join(folder, 'cold');

const takeColdCopy = async ({ server }: Home, folder: string): Promise<void> => {
  await server.stop();
  copyData(server.dataDir, coldCopy(folder));
};

const putColdCopy = async ({ server }: Home, folder: string): Promise<void> => {
  await server.stop();
  copyData(coldCopy(folder), server.dataDir);
  await server.start();
};

const upgrade = (mode: 'copy' | 'link'): CompleteWay => ({
  copy: ({ server }) => server.stop(),
  move: async (from, to, folder) => {
    await to.server.stop();
    await upgradeCluster(from, to, folder, mode);
    await to.server.start();
  },
});

const pointInTime = (): OlderWay => {
  /** The moment to which the write-ahead log is played back. */
  let target: string | null | undefined;
  return {
    settings: (folder) => archivingTo(makeArchive(folder)),
    copy: async (home, folder) => {
      await takeBaseBackup(home, folder);
      target = (await home.sql('select clock_timestamp()'))[0]?.[0];
    },
    finish: async (home) => void (await home.sql('select pg_switch_wal()')),
    restore: async (home, folder) => {
      await home.server.stop();
      recoverBaseBackup(home, folder, join(folder, 'archive'), target ?? '');
      await home.server.start();
    },
  };
};

/** Longest time until a service that ran on is current again, milliseconds. */
const currentMsMax = 30_000;

/** The service runs on while the database behind the same address is replaced. */
const ranOn =
  (copy: 'complete' | 'older'): Drill =>
  (run) =>
    inFolders(async (folder, dataDir) => {
      const from = await startHome();
      await using _from = from.server;
      const to = await startFresh();
      await using _to = to.server;
      const address = { host: '127.0.0.1', port: from.server.port };
      const proxy = await startProxy({ listenPort: 0, targetHost: address.host, targetPort: address.port });
      const url = new URL(from.url);
      url.port = String(proxy.port);
      const plan = planFor(run, dataDir, url.href);
      try {
        return await serving(plan, async (service) => {
          const crowd = await begin(service, plan);
          if (copy === 'complete') await signOutCrowd(service.url, crowd.second);
          const rows = await countRows(from);
          const copySeconds = await secondsOf(() => dump(from, folder, 'plain'));
          if (copy === 'older') await signOutCrowd(service.url, crowd.second);
          await from.server.stop();
          await restoreDump(to, folder, 'plain');
          const probe = crowd.kept[0]?.tokens.access ?? '';
          const moveSeconds = await secondsOf(async () => {
            proxy.redirect({ host: address.host, port: to.server.port });
            // The drill shows whether the service comes back by itself, so the old lease has to be over first.
            await waitUntil('The service', 'notice', currentMsMax, () => service.output().includes('another history'));
            // Each worker becomes current for itself, and this many requests reach all of them.
            await waitUntil('Every worker', 'be current', currentMsMax, async () => {
              const answers = await inParallel(Array<string>(20).fill(probe), (token) =>
                get(`${service.url}/auth/verify`, token),
              );
              return answers.every(({ status }) => status === 200);
            });
          });
          const promised = copy === 'complete' ? 'everybody stays' : 'no dead token';
          const row = {
            way: 'dump, service ran on',
            copy,
            restored: 'no',
            promised,
            rows,
            copySeconds,
            moveSeconds,
          } as const;
          return [await tell(service, plan, crowd, row)];
        });
      } finally {
        await proxy.close();
      }
    });

/** Every drill by its name on the command line. */
export const postgresDrills: Readonly<Record<string, Drill>> = {
  'dump-psql': complete('pg_dump, psql', {
    copy: async (from, folder) => void (await dump(from, folder, 'plain')),
    move: (_from, to, folder) => restoreDump(to, folder, 'plain'),
  }),
  'dump-pg_restore': complete('pg_dump, pg_restore', {
    copy: async (from, folder) => void (await dump(from, folder, 'custom')),
    move: (_from, to, folder) => restoreDump(to, folder, 'custom'),
  }),
  'older-dump': older('pg_dump, pg_restore', {
    copy: async (home, folder) => void (await dump(home, folder, 'custom')),
    restore: inPlace('custom'),
  }),
  'point-in-time': older('base backup and archive', pointInTime()),
  'cold-copy': complete('cold copy of the data folder', {
    copy: takeColdCopy,
    move: async (_from, to, folder) => putColdCopy(to, folder),
  }),
  'older-snapshot': older('snapshot of the data folder', {
    copy: async (home, folder) => {
      await takeColdCopy(home, folder);
      await home.server.start();
    },
    restore: putColdCopy,
  }),
  'pg_upgrade-copy': complete('pg_upgrade --copy', upgrade('copy')),
  'pg_upgrade-link': complete('pg_upgrade --link', upgrade('link')),
  logical: complete('publication and subscription', {
    settings: { wal_level: 'logical' },
    prepare: subscribe,
    copy: async () => {},
    move: (from, to) => cutOver(from, to),
  }),
  'ran-on': ranOn('complete'),
  'ran-on-older': ranOn('older'),
};
