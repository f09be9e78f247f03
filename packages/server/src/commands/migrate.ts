/**
 * `catalytic migrate`: moves a deployment from SQLite to PostgreSQL.
 * @module
 */
import { Command, Option as Flag } from 'commander';
import { options } from '../config/options.ts';
import { ConfigError, readStandardInput } from '../config/read-config.ts';
import { moveDeployment } from '../deployment.ts';
import { addConfigFlags, configFrom } from './config-flags.ts';
import { addHelpExamples } from './help-examples.ts';

/** Rows moved between two progress lines of a table. */
const rowsPerLine = 50_000;

const targetOf = (to: string | undefined, databaseUrl: string | undefined): string => {
  const url = to === '-' ? readStandardInput() : (to ?? databaseUrl);
  if (url === undefined)
    throw new ConfigError('Cannot migrate: name the PostgreSQL database with DATABASE_URL, or with --to');
  const { pattern, patternText } = options.databaseUrl;
  if (!pattern.test(url)) throw new ConfigError(`Cannot migrate: what --to gives is not ${patternText}`);
  return url;
};

const migrate = async (to: string | undefined, command: Command): Promise<void> => {
  const config = configFrom(command);
  const url = targetOf(to, config.databaseUrl);
  const say = (line: string): void => void process.stderr.write(`${line}\n`);
  await moveDeployment(
    config,
    url,
    (problem) => say(`catalytic: ${problem}`),
    (table, moved, total) => {
      if (moved === total || moved % rowsPerLine === 0) say(`${table}: ${moved} of ${total} rows`);
    },
  );
  process.stdout.write(
    [
      'Everything is in PostgreSQL now, and the old file is called catalytic.db.moved.',
      'Start the service with DATABASE_URL set to the new database and the same DATA_DIR, which holds the master key, and ISSUER.',
      'Nobody has to sign in again; what was revoked stays revoked.',
      '',
    ].join('\n'),
  );
};

/** The command. */
export const migrateCommand = (): Command => {
  const command = new Command('migrate')
    .summary('move from SQLite to PostgreSQL')
    .description(
      'Move everything from the SQLite database in DATA_DIR to an empty PostgreSQL database. Stop the service first. Tokens and sessions go on, and what was revoked stays revoked.',
    )
    .addOption(
      new Flag(
        '--to <url>',
        'the PostgreSQL database; "-" reads the URL from standard input, because every user of a machine can read the flags of a process [default DATABASE_URL]',
      ),
    )
    .action(({ to }: { to?: string }, self: Command) => migrate(to, self));
  addHelpExamples(command, [
    ['migrate', 'to the database that DATABASE_URL names'],
    ['migrate --to - < url.txt', 'the URL, with its password, from a file'],
  ]);
  return addConfigFlags(command, ['dataDir', 'databaseUrl']);
};
