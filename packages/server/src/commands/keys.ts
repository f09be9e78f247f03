/**
 * `catalytic keys`: the signing keys.
 * @module
 */

import type { KeyId } from '@catalytic/protocol/ids';
import { Command, Option as Flag } from 'commander';
import { openKeyRing } from '../deployment.ts';
import { cliOrigin } from '../features/audit/origins.ts';
import { createSigningKey } from '../features/signing-keys/create-signing-key.ts';
import { killSigningKey } from '../features/signing-keys/kill-signing-key.ts';
import { operator } from '../features/tenants/administered-tenant.ts';
import { adminCommand, administer, print, propagationFields, propagationText, table } from './administer.ts';
import { addConfigFlags, configFrom } from './config-flags.ts';
import { addHelpExamples } from './help-examples.ts';
import { withStores } from './with-stores.ts';

interface Options {
  readonly json?: boolean;
}

const time = (ms: number | null): string => (ms === null ? '–' : new Date(ms).toISOString());

const list = async ({ json = false }: Options, command: Command): Promise<void> => {
  const keys = await withStores(configFrom(command), ({ signingKeys }) => signingKeys.list());
  const rows = keys.map((key) => ({
    kid: key.kid,
    algorithm: key.algorithm,
    'signs from': time(key.activatesAtMs),
    'forgotten at': time(key.retiresAtMs),
  }));
  if (json) process.stdout.write(`${JSON.stringify(rows, null, 2)}\n`);
  else if (rows.length === 0) process.stdout.write('There are no keys: the first start of the service makes one.\n');
  else
    for (const line of table([Object.keys(rows[0] ?? {}), ...rows.map((row) => Object.values(row))]))
      process.stdout.write(`${line}\n`);
};

const rotate = async ({ json = false }: Options, command: Command): Promise<void> => {
  const config = configFrom(command);
  const now = Date.now();
  const key = await withStores(config, async (stores) => {
    // Opened first: a key sealed under a different master key than the others would stop the next
    // start.
    const { masterKey } = await openKeyRing(config, stores, Date.now);
    const activatesAtMs = now + config.signingKeyLeadSeconds * 1000;
    const successor = createSigningKey(config.signingAlgorithm, masterKey, now, activatesAtMs);
    await stores.signingKeys.addSuccessor({ key: successor, by: cliOrigin });
    return successor;
  });
  process.stdout.write(
    json
      ? `${JSON.stringify({ kid: key.kid, algorithm: key.algorithm, 'signs from': time(key.activatesAtMs) })}\n`
      : `Key ${key.kid} is published now and signs from ${time(key.activatesAtMs)}, ${config.signingKeyLeadSeconds} seconds from now.\n` +
          'The key before it signs until then, and stays published until its last token has expired. No restart is needed.\n',
  );
};

const kill = async (kid: string, { json }: Options, command: Command): Promise<void> => {
  const config = configFrom(command);
  const result = await administer(command, async (context) => {
    // Opened first, as for a rotation: the replacement is sealed under the same master key.
    const { masterKey } = await openKeyRing(config, context, Date.now);
    const makeSigningKey = (nowMs: number) => createSigningKey(config.signingAlgorithm, masterKey, nowMs, nowMs);
    return killSigningKey({ ...context, makeSigningKey }, operator, kid as KeyId, cliOrigin);
  });
  print(json, { kid, revoked: true, ...propagationFields(result) }, [
    `Key ${kid} is killed: no token that it signed is accepted any more. ${propagationText(result)}`,
    'Sessions live on; their clients refresh once. "keys list" shows the key that signs now.',
  ]);
};

/** The commands. */
export const keysCommand = (): Command => {
  const group = new Command('keys').description('The keys that sign access tokens');
  addHelpExamples(group, [
    ['keys list', 'every key, and until when it is published'],
    ['keys rotate', 'replace the key that signs, beside a running service'],
    ['keys kill KID', 'no token that this key has signed is accepted any more'],
  ]);
  const listCommand = group
    .command('list')
    .description('Show the keys')
    .addOption(new Flag('--json', 'as JSON'))
    .action((own: Options, command: Command) => list(own, command));
  addHelpExamples(listCommand, [['keys list --json', 'for a script']]);
  addConfigFlags(listCommand, ['dataDir', 'databaseUrl']);
  const rotateCommand = group
    .command('rotate')
    .description('Replace the signing key: the new one is published first and signs once every verifier can know it.')
    .addOption(new Flag('--json', 'print the new key as JSON'))
    .action((own: Options, command: Command) => rotate(own, command));
  addHelpExamples(rotateCommand, [
    ['keys rotate', 'works beside a running service; no restart, and sessions go on'],
    ['keys rotate --signing-algorithm EdDSA', 'change the algorithm on this occasion'],
    ['keys rotate --signing-key-lead-seconds 900', 'no verifier keeps the keys for more than 15 minutes'],
  ]);
  adminCommand(
    group,
    'kill <kid>',
    'Kill a key that may have leaked. Returns when every process rejects its tokens; another key signs at once.',
    ['dataDir', 'databaseUrl', 'masterKey', 'signingAlgorithm'],
  ).action(kill);
  addConfigFlags(rotateCommand, ['dataDir', 'databaseUrl', 'masterKey', 'signingAlgorithm', 'signingKeyLeadSeconds']);
  return group;
};
