/**
 * `catalytic keys`: the signing keys.
 * @module
 */
import { Command } from 'commander';
import { openKeyRing } from '../app.ts';
import { createSigningKey } from '../features/signing-keys/create-signing-key.ts';
import { publishLeadSeconds } from '../features/signing-keys/rules.ts';
import { addConfigFlags, configFrom } from './config-flags.ts';
import { withStores } from './with-stores.ts';

const time = (ms: number | null): string => (ms === null ? '–' : new Date(ms).toISOString());

const list = async (command: Command): Promise<void> => {
  const keys = await withStores(configFrom(command), ({ signingKeys }) => signingKeys.list());
  const rows = keys.map((key) => ({
    kid: key.kid,
    algorithm: key.algorithm,
    'signs from': time(key.activatesAtMs),
    'forgotten at': time(key.retiresAtMs),
  }));
  process.stdout.write(`${JSON.stringify(rows, null, 2)}\n`);
};

const rotate = async (command: Command): Promise<void> => {
  const config = configFrom(command);
  const now = Date.now();
  const key = await withStores(config, async (stores) => {
    // Opened first: a key sealed under another master key than the others would stop the next start.
    const { masterKey } = await openKeyRing(config, stores, Date.now);
    const successor = createSigningKey(config.signingAlgorithm, masterKey, now, now + publishLeadSeconds * 1000);
    await stores.signingKeys.addSuccessor(successor);
    return successor;
  });
  process.stdout.write(
    `Key ${key.kid} is published now and signs from ${time(key.activatesAtMs)}.\n` +
      'The key before it stays published until the last token it signed has expired. No restart is needed.\n',
  );
};

/** The commands. */
export const keysCommand = (): Command => {
  const group = new Command('keys').description('The keys that sign access tokens');
  const listCommand = group.command('list').description('Show the keys as JSON');
  addConfigFlags(listCommand, ['dataDir']).action((_options, command: Command) => list(command));
  const rotateCommand = group
    .command('rotate')
    .description('Replace the signing key: the new one is published first and signs once every verifier can know it.');
  addConfigFlags(rotateCommand, ['dataDir', 'signingAlgorithm']).action((_options, command: Command) =>
    rotate(command),
  );
  return group;
};
