/**
 * `catalytic after-restore`: begins a new history after a backup of the database was restored,
 * before the service starts again.
 * @module
 */
import { Command, Option as Flag } from 'commander';
import { ConfigError } from '../config/read-config.ts';
import { beginNewHistory } from '../deployment.ts';
import { addConfigFlags, configFrom } from './config-flags.ts';
import { counted } from './counted.ts';
import { addHelpExamples } from './help-examples.ts';
import { withStores } from './with-stores.ts';

interface Options {
  readonly newMasterKey?: boolean;
}

const afterRestore = async ({ newMasterKey = false }: Options, command: Command): Promise<void> => {
  const config = configFrom(command);
  const { keysKilled, sessionsEnded, formerMasterKey } = await withStores(config, async (stores) => {
    if (await stores.deployment.isServed())
      throw new ConfigError('Cannot begin a new history while the service runs: stop every process of it first');
    return beginNewHistory(config, stores, newMasterKey);
  });
  process.stdout.write(
    `A new history has begun: ${counted(sessionsEnded, 'session')} ended, ${counted(keysKilled, 'signing key')} killed, one new key signs.\n` +
      (formerMasterKey === undefined ? '' : `The former master key is kept as ${formerMasterKey}.\n`) +
      'No token from before is accepted, whatever the backup had forgotten. Everybody signs in once; start the service now.\n',
  );
};

/** The command. */
export const afterRestoreCommand = (): Command => {
  const command = new Command('after-restore')
    .summary('begin anew after PostgreSQL was restored, or replace a lost master key')
    .description(
      'Run it after a backup of the database was restored by other means than "catalytic restore", such as those of PostgreSQL. It makes every token and session from before invalid, because the backup does not know what was revoked after it. Stop the service first.',
    )
    .addOption(
      new Flag(
        '--new-master-key',
        'the master key is lost: make a new one (or take that of CATALYTIC_MASTER_KEY), and a signing key under it',
      ),
    )
    .action((options: Options, self: Command) => afterRestore(options, self));
  addHelpExamples(command, [
    ['after-restore', 'after PostgreSQL was restored, before the service starts'],
    ['after-restore --new-master-key', 'after the master key was lost'],
  ]);
  return addConfigFlags(command, ['dataDir', 'databaseUrl', 'masterKey', 'signingAlgorithm']);
};
