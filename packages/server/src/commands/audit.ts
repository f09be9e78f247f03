/**
 * `catalytic audit`: the audit trail, read beside a running server.
 * @module
 */
import type { AccountId, SessionId, TenantId } from '@catalytic/protocol/ids';
import { Command, Option as Flag, InvalidArgumentError } from 'commander';
import { ConfigError } from '../config/read-config.ts';
import { findByEmail } from '../features/accounts/find-by-email.ts';
import { type AuditEvent, auditEvents } from '../features/audit/events.ts';
import { collectRows, explainAccount, explainOneSession } from '../features/audit/explain-sessions.ts';
import { showRow } from '../features/audit/list-rows.ts';
import { isId, parseSince } from '../features/audit/rules.ts';
import type { AuditRow } from '../features/audit/store.ts';
import { defaultTenantName } from '../features/tenants/store.ts';
import type { Stores } from '../stores/stores.ts';
import { addConfigFlags, configFrom } from './config-flags.ts';
import { addHelpExamples } from './help-examples.ts';
import { withStores } from './with-stores.ts';

interface Whose {
  readonly tenant?: string;
  readonly account?: string;
  readonly session?: SessionId;
}

interface ListOptions extends Whose {
  readonly event?: AuditEvent;
  readonly since?: number;
  readonly limit: number;
  readonly json?: true;
}

/** Most rows of one listing: all of them are held in memory until they are printed. */
const rowsMax = 100_000;

const sinceOf = (text: string): number => {
  const ms = parseSince(text, Date.now());
  if (ms === undefined)
    throw new InvalidArgumentError('Give 90s, 15m, 1h, 7d, or a UTC date like 2026-01-31T12:00:00Z.');
  return ms;
};

const sessionOf = (text: string): SessionId => {
  if (!isId(text)) throw new InvalidArgumentError('Give the id of a session, as a login answers it.');
  return text as SessionId;
};

const limitOf = (text: string): number => {
  if (!/^[1-9]\d*$/.test(text) || Number(text) > rowsMax)
    throw new InvalidArgumentError(`Give a number from 1 to ${rowsMax}.`);
  return Number(text);
};

/**
 * Resolves names given on the command line to ids.
 * @throws {ConfigError} when there is no such tenant or account
 */
const resolve = async (
  { tenants, accounts }: Stores,
  { tenant, account }: Whose,
): Promise<{ readonly tenantId?: TenantId; readonly accountId?: AccountId }> => {
  if (tenant === undefined && account === undefined) return {};
  const name = tenant ?? defaultTenantName;
  // The id of an account is unique across tenants.
  if (tenant === undefined && account !== undefined && isId(account)) return { accountId: account as AccountId };
  const found = await tenants.findByName(name);
  if (found === undefined) throw new ConfigError(`Cannot read the audit trail: there is no tenant ${name}`);
  if (account === undefined) return { tenantId: found.id };
  if (isId(account)) return { tenantId: found.id, accountId: account as AccountId };
  const known = await findByEmail(accounts, found.id, account);
  if (known === undefined)
    throw new ConfigError(
      `Cannot read the audit trail: the tenant ${name} has no account with this email; name another with --tenant`,
    );
  return { tenantId: found.id, accountId: known.account.id };
};

const named = (name: string, value: string | null): string => (value === null ? '' : ` ${name}=${value}`);

const line = (row: AuditRow): string => {
  const shown = showRow(row);
  const reason = shown.reason === null ? '' : `:${shown.reason}`;
  return (
    `${shown.at} ${shown.event}${reason}${named('actor', shown.actor)}${named('subject', shown.subject)}` +
    `${named('account', shown.account_id)}${named('session', shown.session_id)}${named('tenant', shown.tenant_id)}` +
    `${named('address', shown.address)}${named('request', shown.request_id)}` +
    `${shown.count === 1 ? '' : ` count=${shown.count}`}\n`
  );
};

const list = async (options: ListOptions, command: Command): Promise<void> => {
  const { session: sessionId, event, since: sinceMs, limit, json } = options;
  const rows = await withStores(configFrom(command), async (stores) =>
    collectRows(stores.audit, { ...(await resolve(stores, options)), sessionId, event, sinceMs }, limit),
  );
  const write = json === true ? (row: AuditRow): string => `${JSON.stringify(showRow(row))}\n` : line;
  process.stdout.write(rows.map(write).join(''));
};

const why = async (options: Whose, command: Command): Promise<void> => {
  const { session, account } = options;
  if ((session === undefined) === (account === undefined))
    throw new ConfigError('Cannot explain: give either --session ID or --account EMAIL');
  const explanations = await withStores(configFrom(command), async (stores) => {
    const parts = { audit: stores.audit, nowMs: Date.now };
    if (session !== undefined) return [await explainOneSession(parts, session)];
    const { accountId } = await resolve(stores, options);
    return accountId === undefined ? [] : explainAccount(parts, accountId);
  });
  if (explanations.length === 0) process.stdout.write('The audit trail knows no session of this account.\n');
  for (const { sessionId, words } of explanations) process.stdout.write(`Session ${sessionId}: ${words}.\n`);
};

const tenantFlag = (): Flag => new Flag('--tenant <name>', 'the tenant; with an email: default "default"');
const sessionFlag = (): Flag => new Flag('--session <id>', 'the session').argParser(sessionOf);

/** The commands. */
export const auditCommand = (): Command => {
  const group = new Command('audit').description('The audit trail: who did what, when and from where');
  addHelpExamples(group, [
    ['audit why --account ada@example.com', 'why was she logged out?'],
    ['audit list --since 1h', 'what happened in the last hour'],
  ]);
  const listCommand = group
    .command('list')
    .description('Show rows, newest first. Works beside a running server.')
    .addOption(tenantFlag())
    .addOption(new Flag('--account <email or id>', 'the account'))
    .addOption(sessionFlag())
    .addOption(new Flag('--event <event>', 'the event').choices(Object.keys(auditEvents)))
    .addOption(new Flag('--since <time>', 'not older: 90s, 15m, 1h, 7d, or a UTC date of ISO 8601').argParser(sinceOf))
    .addOption(new Flag('--limit <rows>', 'most rows').argParser(limitOf).default(50))
    .addOption(new Flag('--json', 'one JSON object a line'))
    .action((options: ListOptions, command: Command) => list(options, command));
  addHelpExamples(listCommand, [
    ['audit list --since 1h --event authn_login_fail', 'sign-ins refused in the last hour'],
    ['audit list --account ada@example.com --json', 'what one account did, for a script'],
  ]);
  addConfigFlags(listCommand, ['dataDir', 'databaseUrl']);
  const whyCommand = group
    .command('why')
    .description('Explain why a session ended, or why the newest sessions of an account did.')
    .addOption(tenantFlag())
    .addOption(new Flag('--account <email or id>', 'the account'))
    .addOption(sessionFlag())
    .action((options: Whose, command: Command) => why(options, command));
  addHelpExamples(whyCommand, [
    ['audit why --account ada@example.com', 'how her ten newest sessions ended'],
    ['audit why --session 01a2119f-2c03-7a51-8f7e-6f0a3c1d9e42', 'how one session ended, by its id'],
  ]);
  addConfigFlags(whyCommand, ['dataDir', 'databaseUrl']);
  return group;
};
