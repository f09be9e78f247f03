/**
 * What the contract suites of the ports need of an engine. Every engine runs every suite,
 * unchanged.
 * @module
 */
import { randomUUIDv7 } from 'node:crypto';
import type { PlacedEntry } from '@catalytic/guard/journal-source';
import type { AccountId, MemberId, SessionId, TenantId } from '@catalytic/protocol/ids';
import type { JournalEntry } from '@catalytic/protocol/journal';
import type { AccountStore, NewAccount } from './accounts/store.ts';
import type { AdminKeyStore } from './admin-keys/store.ts';
import type { AuditStore, Origin } from './audit/store.ts';
import type { DeploymentStore } from './deployment/store.ts';
import type { GuardKey, GuardKeyStore } from './guard-keys/store.ts';
import type { GuardStore } from './guards/store.ts';
import type { JournalStore, MemberStore } from './revocation/store.ts';
import type { SessionStore } from './sessions/store.ts';
import type { SigningKeyStore } from './signing-keys/store.ts';
import type { TenantStore } from './tenants/store.ts';

/** An engine under test, over an empty database of its own. */
export interface Engine {
  readonly tenants: TenantStore;
  readonly accounts: AccountStore;
  readonly sessions: SessionStore;
  readonly journal: JournalStore;
  readonly members: MemberStore;
  readonly guards: GuardStore;
  readonly signingKeys: SigningKeyStore;
  readonly adminKeys: AdminKeyStore;
  readonly guardKeys: GuardKeyStore;
  readonly deployment: DeploymentStore;
  readonly audit: AuditStore;
  /** Changes that no port offers yet, made in the database directly. */
  readonly force: {
    accountStatus(id: AccountId, status: 'active' | 'disabled'): Promise<void>;
    tenantStatus(id: TenantId, status: 'active' | 'suspended'): Promise<void>;
    /** Registers a member as the version before does. */
    olderMember(id: MemberId): Promise<void>;
    auditEvents(sessionId: SessionId): Promise<readonly string[]>;
  };
  close(): Promise<void>;
}

/** Opens an engine over a new, empty database. */
export type OpenEngine = () => Promise<Engine>;

/** The origin of acts in suites that do not check it. */
export const by: Origin = { actor: 'system', address: null, requestId: null };

/** A tenant with one account in it. */
export const seedAccount = async (
  { tenants, accounts }: Engine,
  name = 'ada',
): Promise<{ tenantId: TenantId; accountId: AccountId; account: NewAccount }> => {
  const { id: tenantId } = await tenants.ensure({ name: 'default', nowMs: 1000, by });
  const account: NewAccount = {
    email: `${name}@example.com`,
    emailKey: `${name}@example.com`,
    passwordHash: `hash of ${name}`,
    roles: ['reader'],
  };
  const accountId = await accounts.create({ tenantId, account, nowMs: 1000, by });
  if (accountId === 'email_taken') throw new Error(`There is an account ${name} already`);
  if (accountId === 'tenant_suspended' || accountId === 'registration_refused')
    throw new Error(`The tenant refuses ${name}: ${accountId}`);
  return { tenantId, accountId, account };
};

/** The id of a guard key. @param hash its hash, as a text */
export const guardKeyIdOf = (hash: string): string => Buffer.from(hash).subarray(0, 6).toString('hex');

/** Adds a guard key. @param hash its hash, as a text */
export const addGuardKey = (
  { guardKeys }: Engine,
  hash: string,
  { tenantId = null, guardsMax = 10, expiresAtMs = null }: Partial<GuardKey & { expiresAtMs: number | null }> = {},
): Promise<void> =>
  guardKeys.add({
    hash: Buffer.from(hash),
    key: { tenantId, guardsMax },
    description: `for ${hash}`,
    expiresAtMs,
    nowMs: 1000,
    by,
  });

/** The entry alone, as whoever has written it knows it. */
export const unplaced = ({ place: _place, tenantId: _tenantId, ...entry }: PlacedEntry): JournalEntry =>
  entry as JournalEntry;

/** All entries of the journal, as the first read of a new member shows them. */
export const readJournal = async ({ journal }: Engine): Promise<readonly JournalEntry[]> => {
  const source = journal.openSource();
  try {
    return (await source.read(randomUUIDv7() as MemberId, undefined)).entries.map(unplaced);
  } finally {
    await source.close();
  }
};
