import * as nodeTest from 'node:test';
import { needsPostgres } from '../../../../../tests/harness/postgres.ts';
import { createDatabase, openEngine, sharedServer } from '../../../../../tests/harness/postgres-engine.ts';
import { accountStoreContract } from '../../features/accounts/store.contract.ts';
import { adminKeyStoreContract } from '../../features/admin-keys/store.contract.ts';
import { deploymentStoreContract } from '../../features/deployment/store.contract.ts';
import { journalStoreContract } from '../../features/revocation/store.contract.ts';
import { sessionStoreContract } from '../../features/sessions/store.contract.ts';
import { signingKeyStoreContract } from '../../features/signing-keys/store.contract.ts';
import { tenantStoreContract } from '../../features/tenants/store.contract.ts';

nodeTest.suite('PostgreSQL', needsPostgres(), () => {
  const server = sharedServer(nodeTest);
  const open = async () => openEngine(await createDatabase(await server()));
  for (const contract of [
    tenantStoreContract,
    accountStoreContract,
    sessionStoreContract,
    journalStoreContract,
    signingKeyStoreContract,
    adminKeyStoreContract,
    deploymentStoreContract,
  ])
    contract('PostgreSQL', open);
});
