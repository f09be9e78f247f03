/**
 * The ways in which a backup of the embedded size is made and restored.
 * @module
 */
import { copyFileSync, cpSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { get } from '../../tests/harness/client.ts';
import { type Session, signOutCrowd } from '../../tests/harness/crowd.ts';
import { rowsOf, withDatabase } from '../../tests/harness/database.ts';
import { inParallel } from '../../tests/harness/in-parallel.ts';
import { removeFolder, runCatalytic, type Service, temporaryFolder } from '../../tests/harness/service.ts';
import { waitUntil } from '../../tests/harness/wait-until.ts';
import { begin, type DrillPlan, type DrillRow, runRestored, secondsOf, serving, tell } from './drill.ts';

type Drill = (run: { readonly accounts: number }) => Promise<readonly DrillRow[]>;

const inFolders = async <Result>(
  { accounts }: { readonly accounts: number },
  work: (plan: DrillPlan, folder: string) => Promise<Result>,
): Promise<Result> => {
  const [folder, dataDir] = [temporaryFolder(), temporaryFolder()];
  const settings = { ISSUER: 'https://auth.example.com', LOGIN_CACHE_SECONDS: 3600, ACCESS_TOKEN_SECONDS: 3600 };
  try {
    return await work({ accounts, dataDir, settings }, folder);
  } finally {
    removeFolder(folder);
    removeFolder(dataDir);
  }
};

const countRows = (dataDir: string): number =>
  Number(
    rowsOf(
      dataDir,
      'select (select count(*) from session) + (select count(*) from refresh_token) + (select count(*) from journal) as rows',
    )[0]?.['rows'],
  );

const runCommand = async ({ dataDir, settings }: DrillPlan, ...words: readonly string[]): Promise<void> => {
  const { code, stderr } = await runCatalytic(words, { ...settings, DATA_DIR: dataDir });
  if (code !== 0) throw new Error(`catalytic ${words[0]} ended with code ${code}: ${stderr}`);
};

const copyFolder = (from: string, to: string): void => {
  rmSync(to, { recursive: true, force: true });
  cpSync(from, to, { recursive: true, preserveTimestamps: true });
};

/** `backup` beside the running service, `restore` after it was stopped. */
const backup: Drill = (run) =>
  inFolders(run, async (plan, folder) => {
    const place = join(folder, 'backup');
    const [crowd, copySeconds, rows] = await serving(plan, async (service) => {
      const gathered = await begin(service, plan);
      const count = countRows(plan.dataDir);
      const seconds = await secondsOf(() => runCommand(plan, 'backup', '--to', place));
      await signOutCrowd(service.url, gathered.second);
      return [gathered, seconds, count] as const;
    });
    const moveSeconds = await secondsOf(() => runCommand(plan, 'restore', place));
    const told = {
      way: 'backup, restore',
      copy: 'older',
      restored: 'inside',
      promised: 'everybody signs in once',
    } as const;
    return [await serving(plan, (service) => tell(service, plan, crowd, { ...told, rows, copySeconds, moveSeconds }))];
  });

/** The folder of a stopped service is copied, and the copy serves, elsewhere or here. */
const coldCopy: Drill = (run) =>
  inFolders(run, async (plan, folder) => {
    const place = join(folder, 'copy');
    const crowd = await serving(plan, async (service) => {
      const gathered = await begin(service, plan);
      await signOutCrowd(service.url, gathered.second);
      return gathered;
    });
    const rows = countRows(plan.dataDir);
    const copySeconds = await secondsOf(() => copyFolder(plan.dataDir, place));
    const there = { ...plan, dataDir: place };
    const told = {
      way: 'cold copy of DATA_DIR',
      copy: 'complete',
      restored: 'no',
      promised: 'everybody stays',
    } as const;
    return [
      await serving(there, (service) => tell(service, there, crowd, { ...told, rows, copySeconds, moveSeconds: 0 })),
    ];
  });

/** A copy of the folder from before: once as if nothing had been lost, once with `catalytic after-restore`. */
const olderCopy: Drill = (run) =>
  inFolders(run, async (plan, folder) => {
    const place = join(folder, 'copy');
    const crowd = await serving(plan, (service) => begin(service, plan));
    const rows = countRows(plan.dataDir);
    const copySeconds = await secondsOf(() => copyFolder(plan.dataDir, place));
    await serving(plan, ({ url }) => signOutCrowd(url, crowd.second));
    const told: DrillRow[] = [];
    for (const restored of ['no', 'yes'] as const) {
      const moveSeconds = await secondsOf(() => copyFolder(place, plan.dataDir));
      if (restored === 'yes') await runRestored(plan);
      const promised = restored === 'yes' ? 'everybody signs in once' : 'nothing';
      const row = {
        way: 'cold copy of DATA_DIR',
        copy: 'older',
        restored,
        promised,
        rows,
        copySeconds,
        moveSeconds,
      } as const;
      told.push(await serving(plan, (service) => tell(service, plan, crowd, row)));
    }
    return told;
  });

/** How a bare copy takes the place of the file of a running service. */
type Putting = (from: string, to: string) => void;

const accepted = async ({ url }: Service, sessions: readonly Session[]): Promise<number> => {
  const answers = await inParallel(sessions, ({ tokens }) => get(`${url}/auth/verify`, tokens.access));
  return answers.filter(({ status }) => status === 200).length;
};

/** Moves the newest state from the log into the file: only then does a copy over the file take anything away. */
const emptyLog = (dataDir: string): void =>
  withDatabase(dataDir, (database) => database.exec('pragma wal_checkpoint(truncate)'));

/** The beginning of both drills below: a backup, sign-outs after it, and the backup over the file of the running service. */
const putOverRunning = async (service: Service, plan: DrillPlan, folder: string, put: Putting) => {
  const crowd = await begin(service, plan);
  const place = join(folder, 'backup');
  const copySeconds = await secondsOf(() => runCommand(plan, 'backup', '--to', place));
  await signOutCrowd(service.url, crowd.second);
  const rows = countRows(plan.dataDir);
  emptyLog(plan.dataDir);
  put(join(place, 'catalytic.db'), join(plan.dataDir, 'catalytic.db'));
  return { crowd, copySeconds, rows };
};

/** The same file with other contents: the service writes back what was lost, and goes on. */
const copyOver: Drill = (run) =>
  inFolders(run, (plan, folder) =>
    serving(plan, async (service) => {
      const { crowd, copySeconds, rows } = await putOverRunning(service, plan, folder, copyFileSync);
      const told = {
        way: 'cp over the running file',
        copy: 'older',
        restored: 'no',
        promised: 'no dead token',
      } as const;
      return [await tell(service, plan, crowd, { ...told, rows, copySeconds, moveSeconds: 0 })];
    }),
  );

/** Longest time until a service whose file is gone refuses every token, milliseconds: its lease, and its wait for the next read. */
const refusedMsMax = 10_000;

/** Another file under the name: the service refuses every token, until it is stopped and `catalytic after-restore` has run. */
const renameOver: Drill = (run) =>
  inFolders(run, async (plan, folder) => {
    let [deadAccepted, moveSeconds] = [0, 0];
    const { crowd, copySeconds, rows } = await serving(plan, async (service) => {
      const put = await putOverRunning(service, plan, folder, (from, to) => {
        copyFileSync(from, `${to}.new`);
        renameSync(`${to}.new`, to);
      });
      const dead = [...put.crowd.first, ...put.crowd.second];
      moveSeconds = await secondsOf(() =>
        waitUntil('The service', 'refuse everybody', refusedMsMax, async () => {
          deadAccepted = Math.max(deadAccepted, await accepted(service, dead));
          return (await accepted(service, put.crowd.kept)) === 0;
        }),
      );
      return put;
    });
    await runRestored(plan);
    const way = 'mv over the running file';
    const told = { way, copy: 'older', restored: 'yes', promised: 'everybody signs in once' } as const;
    const row = await serving(plan, (service) =>
      tell(service, plan, crowd, { ...told, rows, copySeconds, moveSeconds }),
    );
    const missed = deadAccepted === 0 ? [] : [`${way}: ${deadAccepted} dead tokens were accepted before it refused`];
    return [{ ...row, missed: [...row.missed, ...missed] }];
  });

/** Every drill by its name on the command line. */
export const sqliteDrills: Readonly<Record<string, Drill>> = {
  backup,
  'sqlite-cold-copy': coldCopy,
  'sqlite-older-copy': olderCopy,
  'copy-over-running': copyOver,
  'rename-over-running': renameOver,
};
