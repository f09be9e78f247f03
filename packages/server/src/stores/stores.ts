/**
 * The interface of an engine: every port over one database.
 * @module
 */
import type { AccountStore } from '../features/accounts/store.ts';
import type { AdminKeyStore } from '../features/admin-keys/store.ts';
import type { AuditStore } from '../features/audit/store.ts';
import type { DeploymentStore } from '../features/deployment/store.ts';
import type { GuardKeyStore } from '../features/guard-keys/store.ts';
import type { GuardStore } from '../features/guards/store.ts';
import type { JournalStore, MemberStore } from '../features/revocation/store.ts';
import type { SessionStore } from '../features/sessions/store.ts';
import type { SigningKeyStore } from '../features/signing-keys/store.ts';
import type { TenantStore } from '../features/tenants/store.ts';

/** Connections of a pool. */
export interface ConnectionCounts {
  readonly total: number;
  readonly idle: number;
  /** Operations that wait for a connection. */
  readonly waiting: number;
}

/** All ports of one engine. */
export interface Stores {
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
  /** Takes the path of a write without changing anything. */
  probe(): Promise<void>;
  /** Connections to the primary; `undefined` where the engine has no pool. */
  connections(): ConnectionCounts | undefined;
  /** Size of the write-ahead log, bytes; `undefined` where a database server looks after it. */
  walBytes(): number | undefined;
  /** Finishes the operations that were sent, and closes the connections. */
  close(): Promise<void>;
}
