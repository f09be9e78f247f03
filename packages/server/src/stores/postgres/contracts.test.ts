import * as nodeTest from 'node:test';
import { needsPostgres } from '../../../../../tests/harness/postgres.ts';
import { createMigratedDatabase, openEngine, sharedServer } from '../../../../../tests/harness/postgres-engine.ts';
import { everyContract } from '../../features/every.contract.ts';

nodeTest.suite('PostgreSQL', needsPostgres(), () => {
  const server = sharedServer(nodeTest);
  const open = async () => openEngine(await createMigratedDatabase(await server()));
  everyContract('PostgreSQL', open);
});
