/**
 * `catalytic restored`: what must be done after a backup of the database was restored, before the service starts again.
 * @module
 */
import { Command } from 'commander';
import { openKeyRing } from '../app.ts';
import { ConfigError } from '../config/read-config.ts';
import { createSigningKey } from '../features/signing-keys/create-signing-key.ts';
import { addConfigFlags, configFrom } from './config-flags.ts';
import { withStores } from './with-stores.ts';

const restored = async (command: Command): Promise<void> => {
  const config = configFrom(command);
  const nowMs = Date.now();
  const { keysKilled, sessionsEnded } = await withStores(config, async (stores) => {
    if (await stores.deployment.isServed())
      throw new ConfigError('Cannot begin a new history while the service runs: stop every process of it first');
    const { masterKey } = await openKeyRing(config, stores, Date.now);
    return stores.deployment.beginNewHistory(createSigningKey(config.signingAlgorithm, masterKey, nowMs, nowMs), nowMs);
  });
  process.stdout.write(
    `A new history has begun: ${sessionsEnded} sessions ended, ${keysKilled} signing keys killed, one new key signs.\n` +
      'No token from before is accepted, whatever the backup had forgotten. Everybody signs in once; start the service now.\n',
  );
};

/** The command. */
export const restoredCommand = (): Command =>
  addConfigFlags(
    new Command('restored').description(
      'After a backup of the database was restored: makes every token and session from before invalid, because the backup does not know what was revoked after it. Stop the service first.',
    ),
    ['dataDir', 'signingAlgorithm'],
  ).action((_options, command: Command) => restored(command));
