import assert from 'node:assert/strict';
import { chownSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as nodeTest from 'node:test';
import { makeCertificate } from '../../../../../tests/harness/certificates.ts';
import { needsPostgres, type Postgres } from '../../../../../tests/harness/postgres.ts';
import { createDatabase, sharedServer } from '../../../../../tests/harness/postgres-engine.ts';
import { folderIn } from '../../../../../tests/harness/service.ts';
import { Connector } from './connection.ts';

const { suite, test } = nodeTest;

suite('PostgreSQL: TLS', needsPostgres(), () => {
  const server = sharedServer(nodeTest);

  /** Makes the server speak TLS with a certificate for these names. */
  const certify = async ({ dataDir, sql }: Postgres, names: readonly string[]): Promise<string> => {
    const { cert, key } = makeCertificate({ names });
    const { uid, gid } = statSync(dataDir);
    for (const [name, text] of [
      ['server.crt', cert],
      ['server.key', key],
    ] as const) {
      writeFileSync(join(dataDir, name), text, { mode: 0o600 });
      chownSync(join(dataDir, name), uid, gid);
    }
    await sql('alter system set ssl = on');
    await sql('select pg_reload_conf()');
    return cert;
  };

  test('the certificate is checked unless the URL says otherwise, and a refusal says what to do', async (t) => {
    const { url } = await createDatabase(await server());
    const authority = join(folderIn(t), 'ca.pem');
    const warnings: Error[] = [];
    const warned = (warning: Error): void => void warnings.push(warning);
    process.on('warning', warned);
    t.after(() => process.off('warning', warned));
    /** Connects, and says whether the server encrypts. */
    const connect = async (parameters: string): Promise<boolean> => {
      const client = await new Connector({ url: `${url}?${parameters}`, statementMs: 5000 }).connect();
      const { rows } = await client.query('select ssl from pg_stat_ssl where pid = pg_backend_pid()');
      await client.end();
      return rows[0].ssl;
    };
    writeFileSync(authority, await certify(await server(), ['127.0.0.1']));
    assert.equal(await connect('sslmode=no-verify'), true);
    assert.equal(await connect('sslmode=disable'), false);
    for (const mode of ['require', 'verify-ca', 'verify-full']) {
      await assert.rejects(connect(`sslmode=${mode}`), /self-signed.*sslrootcert=FILE.*sslmode=no-verify/);
      assert.equal(await connect(`sslmode=${mode}&sslrootcert=${authority}`), true);
    }
    writeFileSync(authority, await certify(await server(), ['db.example.com']));
    await assert.rejects(connect(`sslmode=require&sslrootcert=${authority}`), /name the host in the URL as its/);
    assert.deepEqual(warnings, []);
  });
});
