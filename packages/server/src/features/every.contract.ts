/**
 * The contract suites of all ports: an engine that passes them can serve.
 * @module
 */
import { accountStoreContract } from './accounts/store.contract.ts';
import { adminKeyStoreContract } from './admin-keys/store.contract.ts';
import { auditStoreContract } from './audit/store.contract.ts';
import { deploymentStoreContract } from './deployment/store.contract.ts';
import type { OpenEngine } from './engine.contract.ts';
import { guardKeyStoreContract } from './guard-keys/store.contract.ts';
import { guardStoreContract } from './guards/store.contract.ts';
import { journalStoreContract } from './revocation/store.contract.ts';
import { sessionStoreContract } from './sessions/store.contract.ts';
import { signingKeyStoreContract } from './signing-keys/store.contract.ts';
import { tenantStoreContract } from './tenants/store.contract.ts';

/** Registers every suite for one engine. */
export const everyContract = (engineName: string, open: OpenEngine): void => {
  tenantStoreContract(engineName, open);
  accountStoreContract(engineName, open);
  sessionStoreContract(engineName, open);
  journalStoreContract(engineName, open);
  signingKeyStoreContract(engineName, open);
  adminKeyStoreContract(engineName, open);
  guardKeyStoreContract(engineName, open);
  guardStoreContract(engineName, open);
  deploymentStoreContract(engineName, open);
  auditStoreContract(engineName, open);
};
