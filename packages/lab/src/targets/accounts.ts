/**
 * Accounts for virtual users: a pool imported with ready hashes, or, without an admin key, one registered by each user.
 * @module
 */
import { argon2Sync, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { paths } from '@catalytic/protocol/paths';
import type { Connection } from './connection.ts';

/** How a virtual user signs in. */
export interface Credentials {
  readonly email: string;
  readonly password: string;
  readonly tenant?: string;
}

/** Where the accounts of a run come from. */
export interface AccountSource {
  readonly kind: 'imported' | 'registered';
  /** Why it is not the better kind. */
  readonly reason?: string;
  readonly credentialsOf: (index: number) => Credentials;
}

const password = 'a load test is not a secret';
const linesPerImport = 10_000;

/** PHC string of the pool's one password; all accounts share it, because what a login costs does not depend on the salt. */
const poolHash = (): string => {
  const [memory, passes, parallelism] = [19_456, 2, 1];
  const nonce = randomBytes(16);
  const tag = argon2Sync('argon2id', { message: password, nonce, parallelism, tagLength: 32, memory, passes });
  const unpadded = (bytes: Buffer): string => bytes.toString('base64').replace(/=+$/, '');
  return `$argon2id$v=19$m=${memory},t=${passes},p=${parallelism}$${unpadded(nonce)}$${unpadded(tag)}`;
};

/** Reads the admin key; `undefined` when the file is not there. */
export const readAdminKey = (file: string): string | undefined => {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    return undefined;
  }
};

const importPool = async (
  connection: Connection,
  key: string,
  tenant: string,
  users: number,
  emailOf: (index: number) => string,
): Promise<string | undefined> => {
  const password_hash = poolHash();
  for (let from = 0; from < users; from += linesPerImport) {
    const count = Math.min(linesPerImport, users - from);
    const lines = Array.from({ length: count }, (_, index) =>
      JSON.stringify({ email: emailOf(from + index), password_hash }),
    );
    const reply = await connection.send({
      method: 'POST',
      path: `${paths.accountsImport}?tenant=${encodeURIComponent(tenant)}`,
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/x-ndjson' },
      body: lines.join('\n'),
    });
    if ('failure' in reply) return reply.failure;
    if (reply.status !== 200) return `the target answered ${reply.status}`;
  }
  return undefined;
};

/**
 * Prepares accounts for all users.
 * @param keyFile file of an admin key that may import accounts
 * @param runTag makes the emails of this run different from those of any earlier one
 */
export const prepareAccounts = async (
  connection: Connection,
  options: { readonly keyFile: string; readonly tenant: string; readonly users: number; readonly runTag: string },
): Promise<AccountSource> => {
  const { keyFile, tenant, users, runTag } = options;
  const emailOf = (index: number): string => `vu-${runTag}-${index}@lab.example`;
  const registered = (reason: string): AccountSource => ({
    kind: 'registered',
    reason,
    credentialsOf: (index) => ({ email: emailOf(index), password }),
  });
  const key = readAdminKey(keyFile);
  if (key === undefined) return registered(`there is no admin key at ${keyFile}`);
  const refusal = await importPool(connection, key, tenant, users, emailOf);
  if (refusal !== undefined) return registered(`the import was refused: ${refusal}`);
  return { kind: 'imported', credentialsOf: (index) => ({ email: emailOf(index), password, tenant }) };
};
