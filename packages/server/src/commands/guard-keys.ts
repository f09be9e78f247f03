/**
 * `catalytic guard-keys`: keys with which APIs follow revocations.
 * @module
 */
import { type Command, Option as Flag, InvalidArgumentError } from 'commander';
import { pageOfKeys } from '../features/admin-keys/page-of-keys.ts';
import { cliOrigin } from '../features/audit/origins.ts';
import { createGuardKey } from '../features/guard-keys/create-guard-key.ts';
import { guardKeyAnswer, revokeGuardKey } from '../features/guard-keys/revoke-guard-key.ts';
import { guardsMaxMost, usualGuardsMax } from '../features/guard-keys/rules.ts';
import { nextCursorOf } from '../features/route.ts';
import { operator } from '../features/tenants/administered-tenant.ts';
import { adminCommand, adminGroup, administer, expiryFlag, print, table, tenantName, timeText } from './administer.ts';
import { addHelpExamples } from './help-examples.ts';

interface Options {
  readonly json?: boolean;
}

interface CreateOptions extends Options {
  readonly tenant?: string;
  readonly description: string;
  readonly expires?: number;
  readonly guardsMax: number;
}

interface ListOptions extends Options {
  readonly cursor?: string;
}

const guardsMaxOf = (text: string): number => {
  if (/^\d{1,4}$/.test(text) && Number(text) <= guardsMaxMost) return Number(text);
  throw new InvalidArgumentError(`Give a whole number from 0 to ${guardsMaxMost}.`);
};

const create = async (options: CreateOptions, command: Command): Promise<void> => {
  const { secret, key } = await administer(command, async (context) => {
    const { tenant: name, description, expires = null, guardsMax } = options;
    const tenant =
      name === undefined ? null : await context.tenants.ensure({ name, nowMs: context.nowMs(), by: cliOrigin });
    const wanted = { tenantId: tenant?.id ?? null, guardsMax, description, expiresAtMs: expires };
    return createGuardKey(context, wanted, cliOrigin);
  });
  if (options.json !== true)
    process.stderr.write(
      `Guard key ${key.id}, as the audit trail calls it. It is shown once and stored only as a hash:\n`,
    );
  // For people standard output holds the key and nothing else, so that a script can take it as well.
  print(options.json, { key: secret, ...guardKeyAnswer(key) }, [secret]);
};

const list = async (options: ListOptions, command: Command): Promise<void> => {
  const { keys, nextCursor } = await administer(command, ({ guardKeys }) =>
    pageOfKeys(guardKeys, operator, options.cursor),
  );
  const rows = keys.map(({ id, expiresAtMs, lastUsedAtMs, guardsMax, tenantId, description }) => [
    ...[id, timeText(expiresAtMs), timeText(lastUsedAtMs), String(guardsMax), tenantId ?? 'all', description],
  ]);
  print(options.json, { guard_keys: keys.map(guardKeyAnswer), ...nextCursorOf(nextCursor) }, [
    ...table([['id', 'expires', 'last used', 'guards', 'tenant', 'description'], ...rows]),
    ...(nextCursor === undefined ? [] : [`There are more: --cursor ${nextCursor}`]),
  ]);
};

const revoke = async (id: string, options: Options, command: Command): Promise<void> => {
  await administer(command, (context) => revokeGuardKey(context, operator, id, cliOrigin));
  print(options.json, { id, revoked: true }, [
    `Guard key ${id} is revoked: its guards accept tokens until their leases are over, at most half a minute.`,
  ]);
};

/** The commands. */
export const guardKeysCommand = (): Command => {
  const group = adminGroup('guard-keys', 'Keys with which APIs follow revocations.', [
    ['guard-keys create --description "todo API"', 'make a key for guards of all tenants'],
    ['guard-keys list', 'every key, when it ends and when it was last used'],
    ['guard-keys revoke 9f86d081884c', 'its guards are told of no revocation any more'],
  ]);
  const createCommand = adminCommand(
    group,
    'create',
    'Make a guard key and print it. A running server accepts it at once.',
  )
    .addOption(
      new Flag(
        '--tenant <name>',
        'the only tenant whose revocations it is given, created if missing; default: all',
      ).argParser(tenantName),
    )
    .addOption(new Flag('--description <text>', 'what it is for').default('made on the command line'))
    .addOption(expiryFlag())
    .addOption(
      new Flag('--guards-max <count>', 'most guards that may be registered with it at once; 0: its guards only follow')
        .argParser(guardsMaxOf)
        .default(usualGuardsMax),
    )
    .action(create);
  addHelpExamples(createCommand, [
    ['guard-keys create', 'a key for guards of all tenants'],
    ['guard-keys create --tenant acme --expires 90d', 'a key for the API of one tenant, for 90 days'],
    ['guard-keys create --guards-max 0', 'a key for guards that follow, so that no sign-out waits for them'],
  ]);
  adminCommand(group, 'list', 'Show the keys, their end and their last use, a page at a time.')
    .addOption(new Flag('--cursor <id>', 'continue after this key'))
    .action(list);
  adminCommand(
    group,
    'revoke <id>',
    'Revoke a key, given by the id that "list" and the audit trail show. Its guards are given no lease any more.',
  ).action(revoke);
  return group;
};
