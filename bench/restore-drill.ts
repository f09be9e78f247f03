/**
 * A backup is restored that does not know the latest revocations: what `catalytic restored` undoes of the damage, and what it costs.
 * @module
 */
import { chmodSync, cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { importAccounts } from '../tests/harness/accounts.ts';
import { get, logOut, refresh, signIn, type Tokens } from '../tests/harness/client.ts';
import { giveAway, serverUser } from '../tests/harness/postgres/server-user.ts';
import { removeFolder, runCatalytic, type Service, startService, temporaryFolder } from '../tests/harness/service.ts';
import { round } from './figures.ts';
import { type BenchDatabase, machine, report, say, spread, startDatabase, timed } from './setting.ts';

const help = `A drill: accounts sign in twice, a backup of PostgreSQL is made, one session of each is signed out, the backup is restored.

  node bench/restore-drill.ts [--accounts 1000]

Counts the tokens that work afterwards, without \`catalytic restored\` and with it, and what it costs until everybody has signed in again.
Each account pays its full hash twice: about 4 minutes with 1,000 accounts on 2 cores.
`;

const { values } = parseArgs({
  options: { help: { type: 'boolean', short: 'h' }, accounts: { type: 'string', default: '1000' } },
});

const hands = 16;
const workers = 2;

/** How many of these access tokens, and then how many of their refresh tokens, work. Any answer but yes or no ends the drill. */
const working = async (url: string, tokens: readonly Tokens[]) => {
  const count = (statuses: readonly number[]): number => {
    const strange = statuses.find((status) => status !== 200 && status !== 401);
    if (strange !== undefined) throw new Error(`Neither accepted nor refused: status ${strange}`);
    return statuses.filter((status) => status === 200).length;
  };
  const accesses = await spread(tokens, hands, async ({ access }) => (await get(`${url}/auth/verify`, access)).status);
  const refreshes = await spread(tokens, hands, async (own) => (await refresh(url, own.refresh)).status);
  return { accessTokens: count(accesses), refreshTokens: count(refreshes) };
};

/** Copies the data of a server that does not run. */
const copyData = (from: string, to: string): void => {
  rmSync(to, { recursive: true, force: true });
  cpSync(from, to, { recursive: true });
  chmodSync(to, 0o700);
  giveAway(to, serverUser());
};

const drill = async ({ server, url: databaseUrl }: BenchDatabase, folder: string): Promise<object> => {
  const settings = {
    DATABASE_URL: databaseUrl,
    DATA_DIR: folder,
    ISSUER: 'https://auth.example.com',
    // The drill must end before what it counts has expired by itself.
    ACCESS_TOKEN_SECONDS: 86_400,
  };
  const serving = async <Result>(use: (service: Service) => Promise<Result>): Promise<Result> => {
    const service = await startService(folder, { ...settings, WORKERS: workers, LOGIN_CACHE_SECONDS: 3600 });
    try {
      return await use(service);
    } finally {
      await service.end();
    }
  };
  const emails = Array.from({ length: Number(values.accounts) }, (_, index) => `drill${index}@example.com`);
  const signInAll = (url: string) =>
    timed(() => spread(emails, hands, (email) => signIn(url, email, undefined, 'lab')));

  say(`Signing in ${emails.length} accounts, twice`);
  const { hashSeconds, revoked, kept } = await serving(async ({ url }) => {
    await importAccounts(url, folder, emails);
    const [seconds, first] = await signInAll(url);
    return { hashSeconds: seconds, revoked: first, kept: (await signInAll(url))[1] };
  });

  say('Backing up, then signing one session of each out');
  const backup = join(server.dataDir, '..', 'backup');
  await server.stop();
  copyData(server.dataDir, backup);
  await server.start();
  await serving(async ({ url }) => {
    const answers = await spread(revoked, hands, ({ access }) => logOut(url, access));
    if (answers.some(({ status }) => status !== 200)) throw new Error('A sign-out was not answered with 200');
    const { accessTokens } = await working(url, revoked);
    if (accessTokens !== 0) throw new Error(`${accessTokens} tokens that were signed out are accepted`);
  });
  const restoreBackup = async (): Promise<void> => {
    await server.stop();
    copyData(backup, server.dataDir);
    await server.start();
  };

  say('Restoring, and starting as if nothing had happened');
  await restoreBackup();
  const without = await serving(async ({ url }) => ({
    revokedLater: await working(url, revoked),
    kept: await working(url, kept),
  }));

  say('Restoring again, and running catalytic restored');
  await restoreBackup();
  const [restoredSeconds, { code, stdout, stderr }] = await timed(() => runCatalytic(['restored'], settings));
  if (code !== 0) throw new Error(`catalytic restored ended with code ${code}: ${stderr}`);
  const withIt = await serving(async ({ url }) => {
    const counted = { revokedLater: await working(url, revoked), kept: await working(url, kept) };
    say('Signing everybody in again');
    const [seconds, fresh] = await signInAll(url);
    const accepted = (await spread(fresh, hands, ({ access }) => get(`${url}/auth/verify`, access))).filter(
      ({ status }) => status === 200,
    ).length;
    return { ...counted, signedInAgain: accepted, signInAgainSeconds: round(seconds) };
  });
  return {
    accounts: emails.length,
    revokedAfterBackup: revoked.length,
    acceptedWithoutRestored: without,
    acceptedAfterRestored: withIt,
    revocationsUndone: withIt.revokedLater.accessTokens + withIt.revokedLater.refreshTokens,
    sessionsEnded: Number(/(\d+) sessions ended/.exec(stdout)?.[1]),
    restoredSeconds: round(restoredSeconds, 2),
    hashesPerSecond: round(emails.length / hashSeconds),
  };
};

const main = async (): Promise<void> => {
  await using database = await startDatabase();
  const folder = temporaryFolder();
  try {
    report({ machine: machine(), postgres: database.server.version, workers, ...(await drill(database, folder)) });
  } finally {
    removeFolder(folder);
  }
};

if (values.help === true) process.stdout.write(help);
else await main();
