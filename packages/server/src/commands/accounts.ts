/**
 * `catalytic accounts`: accounts of a tenant.
 * @module
 */
import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { CatalyticError } from '@catalytic/protocol/errors';
import type { AccountId } from '@catalytic/protocol/ids';
import { type Command, Option as Flag } from 'commander';
import { ConfigError } from '../config/read-config.ts';
import { accountAnswer } from '../features/accounts/account-answer.ts';
import type { AccountPlace } from '../features/accounts/administered-account.ts';
import { changeEmail, changeRoles, deleteAccount, resetPassword } from '../features/accounts/change-account.ts';
import { createAccount } from '../features/accounts/create-account.ts';
import { disableAccount, enableAccount } from '../features/accounts/disable-account.ts';
import { importAccounts } from '../features/accounts/import-accounts.ts';
import { listAccounts } from '../features/accounts/list-accounts.ts';
import { listSharedMailboxes } from '../features/accounts/list-shared-mailboxes.ts';
import { cliOrigin } from '../features/audit/origins.ts';
import type { Origin } from '../features/audit/store.ts';
import type { Propagation } from '../features/revocation/barrier.ts';
import { nextCursorOf } from '../features/route.ts';
import { signOutAccount } from '../features/sessions/sign-out-account.ts';
import { administeredTenant, operator } from '../features/tenants/administered-tenant.ts';
import { invite } from '../features/tenants/invite.ts';
import { defaultTenantName, type Tenant } from '../features/tenants/store.ts';
import { HashLanes } from '../hashing/hash-lanes.ts';
import {
  type AdminContext,
  adminCommand,
  adminGroup,
  administer,
  print,
  propagationFields,
  propagationText,
  table,
  tenantName,
} from './administer.ts';
import { counted } from './counted.ts';
import { readNewPassword } from './read-password.ts';

interface Options {
  readonly tenant: string;
  readonly json?: boolean;
}

interface CreateOptions extends Options {
  readonly email: string;
  readonly role: readonly string[];
}

interface ListOptions extends Options {
  readonly email?: string;
  readonly cursor?: string;
}

const tenantOf = (context: AdminContext, { tenant }: Options): Promise<Tenant> =>
  administeredTenant(context.tenants, operator, tenant);

/**
 * Finds the account that an operator names by email or id.
 * @throws {CatalyticError} `account_not_found`
 */
const placeOf = async (context: AdminContext, text: string, options: Options): Promise<AccountPlace> => {
  const { id: tenantId } = await tenantOf(context, options);
  if (!text.includes('@')) {
    if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text)) return { tenantId, accountId: text as AccountId };
    throw new ConfigError(`Cannot find the account "${text}": it is neither an email nor an id`);
  }
  const [account] = (await listAccounts(context.accounts, tenantId, { email: text })).accounts;
  if (account === undefined) throw new CatalyticError('account_not_found');
  return { tenantId, accountId: account.id };
};

/** Hashes in a separate process, as the service does. */
const withHasher = async <Result>(work: (hasher: HashLanes) => Promise<Result>): Promise<Result> => {
  const onProblem = (message: string): void => void process.stderr.write(`catalytic: ${message}\n`);
  const hasher = new HashLanes({ lanes: 1, queueMs: 60_000, onProblem });
  try {
    return await work(hasher);
  } finally {
    await hasher.close();
  }
};

const create = async (options: CreateOptions, command: Command): Promise<void> => {
  const { email, role: roles } = options;
  const account = await administer(command, async (context) => {
    const tenant = await tenantOf(context, options);
    const password = await readNewPassword();
    return withHasher((hasher) => createAccount({ ...context, hasher }, tenant, { email, password, roles }, cliOrigin));
  });
  print(options.json, accountAnswer(account), [`Account ${account.id} of ${account.email} is made.`]);
};

const open = (file: string): Readable => {
  if (file === '-') return process.stdin;
  const stream = createReadStream(file);
  stream.once('error', (error) => stream.destroy(error));
  return stream;
};

const importFrom = async (file: string, options: Options, command: Command): Promise<void> => {
  const counts = await administer(command, async (context) => {
    try {
      return await importAccounts(context, operator, options.tenant, open(file), cliOrigin);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT' || code === 'EACCES' || code === 'EISDIR')
        throw new ConfigError(`Cannot read ${file}: ${(error as Error).message}`);
      throw error;
    }
  });
  print(options.json, counts, [
    `${counted(counts.imported, 'account')} imported, ${counts.existing} ${counts.existing === 1 ? 'was' : 'were'} there already.`,
  ]);
};

const list = async (options: ListOptions, command: Command): Promise<void> => {
  const { accounts, nextCursor } = await administer(command, async (context) =>
    listAccounts(context.accounts, (await tenantOf(context, options)).id, options),
  );
  const rows = accounts.map(({ id, email, status, roles }) => [id, status, email, roles.join(',')]);
  print(
    options.json,
    {
      accounts: accounts.map(accountAnswer),
      ...nextCursorOf(nextCursor),
    },
    [
      ...table([['id', 'status', 'email', 'roles'], ...rows]),
      ...(nextCursor === undefined ? [] : [`There are more: --cursor ${nextCursor}`]),
    ],
  );
};

const sharedMailboxes = async (options: Options, command: Command): Promise<void> => {
  const groups = await administer(command, async (context) =>
    listSharedMailboxes(context.accounts, (await tenantOf(context, options)).id),
  );
  print(
    options.json,
    { mailboxes: groups.map((accounts) => ({ accounts: accounts.map(accountAnswer) })) },
    groups.length === 0
      ? ['Every account has a mailbox to itself.']
      : groups.flatMap((accounts) => [
          ...table(accounts.map(({ id, status, email }) => [id, status, email])),
          'These accounts have one mailbox. Ask its owner which one is used, and disable the others.',
        ]),
  );
};

/** The action of a command that revokes. @param done what has become of the account, in the sentence that the command prints */
const revoking =
  (act: (context: AdminContext, place: AccountPlace, by: Origin) => Promise<Propagation>, done: string) =>
  async (text: string, options: Options, command: Command): Promise<void> => {
    const { accountId, result } = await administer(command, async (context) => {
      const place = await placeOf(context, text, options);
      return { ...place, result: await act(context, place, cliOrigin) };
    });
    print(options.json, { id: accountId, revoked: true, ...propagationFields(result) }, [
      `Account ${accountId} ${done}. ${propagationText(result)}`,
    ]);
  };

const enable = async (text: string, options: Options, command: Command): Promise<void> => {
  const account = await administer(command, async (context) =>
    enableAccount(context, await placeOf(context, text, options), cliOrigin),
  );
  print(options.json, accountAnswer(account), [
    `Account ${account.id} of ${account.email} is active; it may sign in again.`,
  ]);
};

const inviteOne = async (options: Options, command: Command): Promise<void> => {
  const { invitation, expiresAtMs } = await administer(command, async (context) =>
    invite(context, await tenantOf(context, options), cliOrigin),
  );
  const until = new Date(expiresAtMs).toISOString();
  if (options.json === true) return print(true, { invitation, expires_at: until }, []);
  // Standard output holds the code and nothing else, so that a script can take it.
  process.stderr.write(`An invitation to register once, good until ${until}. It is shown once:\n`);
  process.stdout.write(`${invitation}\n`);
};

const setEmail = async (text: string, email: string, options: Options, command: Command): Promise<void> => {
  const account = await administer(command, async (context) =>
    changeEmail(context, await placeOf(context, text, options), email, cliOrigin),
  );
  print(options.json, accountAnswer(account), [`Account ${account.id} has the email ${account.email}.`]);
};

const setRoles = (text: string, roles: readonly string[], options: Options, command: Command): Promise<void> =>
  revoking((context, place, by) => changeRoles(context, place, roles, by), 'has other roles; its sessions go on')(
    text,
    options,
    command,
  );

const setPassword = revoking(async (context, place, by) => {
  const password = await readNewPassword();
  return withHasher((hasher) => resetPassword({ ...context, hasher }, place, { password }, by));
}, 'has another password, and is signed out everywhere');

/** The commands. */
export const accountsCommand = (): Command => {
  const group = adminGroup('accounts', 'Accounts of a tenant.', [
    ['accounts create --email ada@example.com', 'asks for the password without showing it'],
    ['accounts create --email ada@example.com --role editor < password.txt', 'takes it from a file'],
    ['accounts invite --tenant acme', 'a code with which one person registers'],
    ['accounts import users.ndjson --tenant acme', 'lines of {"email", "password_hash", "roles"?}'],
    ['accounts list --json', 'a page of accounts, for scripts'],
    ['accounts disable ada@example.com', 'every process rejects its tokens from now on, and its sign-ins'],
    ['accounts sign-out ada@example.com', 'every process rejects its tokens from now on; it may sign in again'],
    ['accounts set-roles ada@example.com editor reviewer', 'its next refresh yields these roles, and none before'],
    ['accounts reset-password ada@example.com', 'asks for the new password, and ends every session'],
    ['accounts delete ada@example.com', 'for good; its email is free'],
  ]);
  const inTenant = (command: Command): Command =>
    command.addOption(
      new Flag('--tenant <name>', 'tenant of the account').argParser(tenantName).default(defaultTenantName),
    );

  inTenant(
    adminCommand(
      group,
      'create',
      'Make an account. The command asks for the password on a terminal, or reads it from standard input; it is never a flag.',
    ),
  )
    .requiredOption('--email <email>', 'its email address')
    .option('--role <roles...>', 'roles to put into its tokens', [])
    .action(create);
  inTenant(
    adminCommand(
      group,
      'import <file>',
      'Import accounts with ready argon2id, bcrypt, scrypt or PBKDF2 hashes, one JSON object a line, {"email", "password_hash", "roles"?}; "-" reads standard input. Accounts that exist stay as they are, so an import can be repeated.',
    ),
  ).action(importFrom);
  inTenant(adminCommand(group, 'list', 'Show accounts by email, a page at a time.'))
    .option('--email <email>', 'only the account with this one')
    .option('--cursor <id>', 'continue after this account')
    .action(list);
  inTenant(
    adminCommand(
      group,
      'shared-mailboxes',
      'Report accounts whose addresses are one mailbox in two spellings, which earlier versions took for two. Nothing is changed.',
    ),
  ).action(sharedMailboxes);
  inTenant(
    adminCommand(
      group,
      'disable <account>',
      'Disable an account, given by email or id. Returns when every process rejects its tokens.',
    ),
  ).action(revoking(disableAccount, 'is disabled'));
  inTenant(adminCommand(group, 'enable <account>', 'Make a disabled account active, given by email or id.')).action(
    enable,
  );
  inTenant(
    adminCommand(
      group,
      'sign-out <account>',
      'End every session of an account, given by email or id. Returns when every process rejects its tokens.',
    ),
  ).action(revoking(signOutAccount, 'is signed out everywhere'));
  inTenant(
    adminCommand(group, 'invite', 'Make a code for one registration in a tenant that invites, good for a week.'),
  ).action(inviteOne);
  inTenant(
    adminCommand(group, 'set-email <account> <email>', 'Change the email of an account, given by email or id.'),
  ).action(setEmail);
  inTenant(
    adminCommand(
      group,
      'set-roles <account> [roles...]',
      'Replace the roles of an account, given by email or id; without any, it has none. Returns when every process rejects tokens with the former roles. Sessions go on.',
    ),
  ).action(setRoles);
  inTenant(
    adminCommand(
      group,
      'reset-password <account>',
      'Set another password of an account, given by email or id, and end its sessions. The command asks for the password on a terminal, or reads it from standard input; it is never a flag.',
    ),
  ).action(setPassword);
  inTenant(
    adminCommand(
      group,
      'delete <account>',
      'Delete an account, given by email or id, for good. Returns when every process rejects its tokens. The audit trail keeps its rows.',
    ),
  ).action(revoking(deleteAccount, 'is deleted'));
  return group;
};
