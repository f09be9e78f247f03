/**
 * Imports accounts with hashes made here: thousands of accounts cost one hash.
 * @module
 */
import { argon2Sync, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Argon2idCost, argon2idCost, argon2idPrefix } from '@catalytic/protocol/argon2id-cost';
import { type Answer, goodPassword, request } from './client.ts';

/** An argon2id hash as a PHC string, made with `node:crypto`: another implementation than the service's. */
export const passwordHash = (password: string, cost: Argon2idCost = argon2idCost): string => {
  const nonce = randomBytes(16);
  const tag = argon2Sync('argon2id', {
    message: password,
    nonce,
    parallelism: cost.parallelism,
    tagLength: 32,
    memory: cost.memoryKib,
    passes: cost.passes,
  });
  const encode = (bytes: Buffer): string => bytes.toString('base64').replaceAll('=', '');
  return `${argon2idPrefix(cost)}$${encode(nonce)}$${encode(tag)}`;
};

/** The key that may import accounts into the tenant `lab`. */
export const readLabKey = (dataDir: string): string => readFileSync(join(dataDir, 'lab.key'), 'utf8').trim();

/** Sends lines to the import route. */
export const importLines = (
  url: string,
  key: string | undefined,
  lines: string,
  query = '?tenant=lab',
): Promise<Answer> =>
  request(`${url}/admin/accounts/import${query}`, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-ndjson',
      ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
    },
    body: lines,
  });

/** Makes accounts in the tenant `lab` that all have {@link goodPassword}. */
export const importAccounts = async (url: string, dataDir: string, emails: readonly string[]): Promise<void> => {
  const hash = passwordHash(goodPassword);
  const lines = emails.map((email) => JSON.stringify({ email, password_hash: hash })).join('\n');
  const answer = await importLines(url, readLabKey(dataDir), lines);
  if (answer.status !== 200) throw new Error(`Cannot import: ${answer.status} ${answer.text}`);
};
