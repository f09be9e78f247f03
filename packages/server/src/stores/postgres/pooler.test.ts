import assert from 'node:assert/strict';
import * as nodeTest from 'node:test';
import { Client } from 'pg';
import { needsPostgres } from '../../../../../tests/harness/postgres.ts';
import { createDatabase, sharedServer } from '../../../../../tests/harness/postgres-engine.ts';
import { refusePooledTransactions } from './pooler.ts';

const { suite, test } = nodeTest;

suite('PostgreSQL: what stands in front of it', needsPostgres(), () => {
  const server = sharedServer(nodeTest);

  /** Opens connections to the server itself. */
  const direct = async (t: nodeTest.TestContext): Promise<() => Promise<Client>> => {
    const { url } = await createDatabase(await server());
    return async () => {
      const client = new Client({ connectionString: url });
      client.on('error', () => {});
      await client.connect();
      t.after(() => client.end().catch(() => {}));
      return client;
    };
  };

  /** Opens connections as a pooler hands them out: for a transaction, the connection of the server that was used last and is free. */
  const pooled = (open: () => Promise<Client>, mode: 'transaction' | 'statement'): (() => Promise<Client>) => {
    const free: Client[] = [];
    return async () => {
      let held: Client | undefined;
      const query = async (text: string) => {
        if (text === 'begin' && mode === 'statement')
          throw new Error('transaction blocks not allowed in statement pooling mode');
        const at = held ?? free.pop() ?? (await open());
        held = text === 'begin' ? at : held;
        const result = await at.query(text);
        if (held === undefined) free.push(at);
        return result;
      };
      const end = async () => {
        await held?.query('rollback');
        if (held !== undefined) free.push(held);
      };
      return { query, end } as unknown as Client;
    };
  };

  test('a connection to the server itself is taken', async (t) => {
    const open = await direct(t);
    await refusePooledTransactions(await open(), open);
  });

  test('a pooler that gives each transaction another connection is refused, with what to do', async (t) => {
    const open = pooled(await direct(t), 'transaction');
    await assert.rejects(refusePooledTransactions(await open(), open), /gives each transaction another.*session mode/);
  });

  test('a pooler that forbids transactions is refused', async (t) => {
    const open = pooled(await direct(t), 'statement');
    await assert.rejects(refusePooledTransactions(await open(), open), /it forbids transactions.*session mode/);
  });
});
