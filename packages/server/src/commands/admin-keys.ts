/**
 * `catalytic admin-keys`: keys for the admin API.
 * @module
 */
import { type Command, Option as Flag } from 'commander';
import { createAdminKey } from '../features/admin-keys/create-admin-key.ts';
import { pageOfKeys } from '../features/admin-keys/page-of-keys.ts';
import { adminKeyAnswer, revokeAdminKey } from '../features/admin-keys/revoke-admin-key.ts';
import { type AdminScope, adminScopes } from '../features/admin-keys/store.ts';
import { cliOrigin } from '../features/audit/origins.ts';
import { nextCursorOf } from '../features/route.ts';
import { tokenHash } from '../features/secrets/random-token.ts';
import { operator } from '../features/tenants/administered-tenant.ts';
import { adminCommand, adminGroup, administer, expiryFlag, print, table, tenantName, timeText } from './administer.ts';
import { addConfigFlags, configFrom } from './config-flags.ts';
import { addHelpExamples } from './help-examples.ts';
import { withStores } from './with-stores.ts';

interface CreateOptions {
  readonly scope: readonly AdminScope[];
  readonly tenant?: string;
  readonly description: string;
  readonly expires?: number;
}

interface Options {
  readonly json?: boolean;
}

interface ListOptions extends Options {
  readonly cursor?: string;
}

const create = async (options: CreateOptions, command: Command): Promise<void> => {
  const { secret, id } = await withStores(configFrom(command), async ({ tenants, adminKeys }) => {
    const tenant =
      options.tenant === undefined
        ? undefined
        : await tenants.ensure({ name: options.tenant, nowMs: Date.now(), by: cliOrigin });
    const key = { scopes: options.scope, tenantId: tenant?.id ?? null };
    const made = await createAdminKey(adminKeys, key, {
      description: options.description,
      expiresAtMs: options.expires ?? null,
      nowMs: Date.now(),
      by: cliOrigin,
    });
    return { secret: made, id: (await adminKeys.findByHash(tokenHash(made)))?.id };
  });
  // Standard output holds the key and nothing else, so that a script can take it: KEY=$(catalytic
  // admin-keys create …).
  process.stderr.write(`Admin key ${id}, as the audit trail calls it. It is shown once and stored only as a hash:\n`);
  process.stdout.write(`${secret}\n`);
};

const list = async (options: ListOptions, command: Command): Promise<void> => {
  const { keys, nextCursor } = await administer(command, ({ adminKeys }) =>
    pageOfKeys(adminKeys, operator, options.cursor),
  );
  const rows = keys.map(({ id, expiresAtMs, lastUsedAtMs, scopes, description }) => [
    ...[id, timeText(expiresAtMs), timeText(lastUsedAtMs), scopes.join(' '), description],
  ]);
  print(options.json, { admin_keys: keys.map(adminKeyAnswer), ...nextCursorOf(nextCursor) }, [
    ...table([['id', 'expires', 'last used', 'scopes', 'description'], ...rows]),
    ...(nextCursor === undefined ? [] : [`There are more: --cursor ${nextCursor}`]),
  ]);
};

const revoke = async (id: string, options: Options, command: Command): Promise<void> => {
  await administer(command, (context) => revokeAdminKey(context, operator, id, cliOrigin));
  print(options.json, { id, revoked: true }, [`Admin key ${id} is revoked: every process refuses it from now on.`]);
};

/** The commands. */
export const adminKeysCommand = (): Command => {
  const group = adminGroup('admin-keys', 'Keys for the admin API.', [
    ['admin-keys create', `make a key that imports accounts (${adminScopes[0]})`],
    ['admin-keys list', 'every key, when it ends and when it was last used'],
    ['admin-keys revoke 9f86d081884c', 'every process refuses that key from now on'],
  ]);
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
    .addOption(expiryFlag())
    .action((options: CreateOptions, command: Command) => create(options, command));
  addHelpExamples(createCommand, [
    ['admin-keys create', `a key that imports accounts into any tenant (${adminScopes[0]})`],
    ['admin-keys create --tenant acme', 'a key that imports accounts into one tenant only'],
    ['admin-keys create --expires 90d', 'a key that works for 90 days'],
    [
      'admin-keys create --scope accounts:read accounts:write',
      'a key that finds, makes, disables and signs out accounts',
    ],
  ]);
  addConfigFlags(createCommand, ['dataDir', 'databaseUrl']);
  adminCommand(group, 'list', 'Show the keys, their end and their last use, a page at a time.')
    .addOption(new Flag('--cursor <id>', 'continue after this key'))
    .action(list);
  adminCommand(
    group,
    'revoke <id>',
    'Revoke a key, given by the id that "list" and the audit trail show. Every process refuses it at once.',
  ).action(revoke);
  return group;
};
