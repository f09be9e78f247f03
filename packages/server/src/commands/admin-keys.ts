/**
 * `catalytic admin-keys`: keys for the admin API.
 * @module
 */
import { Command, Option as Flag } from 'commander';
import { createAdminKey } from '../features/admin-keys/create-admin-key.ts';
import { type AdminScope, adminScopes } from '../features/admin-keys/store.ts';
import { cliOrigin } from '../features/audit/origins.ts';
import { tokenHash } from '../features/secrets/random-token.ts';
import { tenantName } from './administer.ts';
import { addConfigFlags, configFrom } from './config-flags.ts';
import { addHelpExamples } from './help-examples.ts';
import { withStores } from './with-stores.ts';

interface CreateOptions {
  readonly scope: readonly AdminScope[];
  readonly tenant?: string;
  readonly description: string;
}

const create = async (options: CreateOptions, command: Command): Promise<void> => {
  const { secret, id } = await withStores(configFrom(command), async ({ tenants, adminKeys }) => {
    const tenant =
      options.tenant === undefined
        ? undefined
        : await tenants.ensure({ name: options.tenant, nowMs: Date.now(), by: cliOrigin });
    const key = { scopes: options.scope, tenantId: tenant?.id ?? null };
    const made = await createAdminKey(adminKeys, key, options.description, Date.now(), cliOrigin);
    return { secret: made, id: (await adminKeys.findByHash(tokenHash(made)))?.id };
  });
  // Standard output holds the key and nothing else, so that a script can take it: KEY=$(catalytic
  // admin-keys create …).
  process.stderr.write(`Admin key ${id}, as the audit trail calls it. It is shown once and stored only as a hash:\n`);
  process.stdout.write(`${secret}\n`);
};

/** The commands. */
export const adminKeysCommand = (): Command => {
  const group = new Command('admin-keys').description('Keys for the admin API');
  const createCommand = group
    .command('create')
    .description('Make an admin key and print it. A running server accepts it at once.')
    .addOption(new Flag('--scope <scopes...>', 'what the key may do').choices(adminScopes).default([adminScopes[0]]))
    .addOption(
      new Flag('--tenant <name>', 'the only tenant it may act on, created if missing; default: all tenants').argParser(
        tenantName,
      ),
    )
    .addOption(new Flag('--description <text>', 'what it is for').default('made on the command line'))
    .action((options: CreateOptions, command: Command) => create(options, command));
  addHelpExamples(createCommand, [
    ['admin-keys create', `a key that imports accounts into any tenant (${adminScopes[0]})`],
    ['admin-keys create --tenant acme', 'a key that imports accounts into one tenant only'],
    [
      'admin-keys create --scope accounts:read accounts:write',
      'a key that finds, makes, disables and signs out accounts',
    ],
  ]);
  addConfigFlags(createCommand, ['dataDir', 'databaseUrl']);
  return group;
};
