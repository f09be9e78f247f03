import * as nodeTest from 'node:test';
import { needsPostgres } from '../../../../../tests/harness/postgres.ts';
import { createDatabase, openEngine, sharedServer } from '../../../../../tests/harness/postgres-engine.ts';
import { everyContract } from '../../features/every.contract.ts';

nodeTest.suite('PostgreSQL', needsPostgres(), () => {
  const server = sharedServer(nodeTest);
  const open = async () => openEngine(await createDatabase(await server()));
  everyContract('PostgreSQL', open);
});
