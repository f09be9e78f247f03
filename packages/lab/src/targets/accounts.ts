/**
 * Accounts for virtual users: a pool imported with ready hashes, or, without an admin key, one
 * registered by each user.
 * @module
 */
import { argon2Sync, randomBytes } from 'node:crypto';
import { argon2idCost, argon2idPrefix } from '@catalytic/protocol/argon2id-cost';
import { paths } from '@catalytic/protocol/paths';
import type { Connection, Reply } from './connection.ts';
import { doubtCatalytic } from './identify.ts';
import { problemCodeOf } from './problem-code.ts';

/** How a virtual user signs in. */
export interface Credentials {
  readonly email: string;
  readonly password: string;
  readonly tenant?: string;
}

/** All that it takes to know the accounts of a run; it can be told to another process. */
export interface AccountFacts {
  readonly kind: 'imported' | 'registered';
  /** Why it is not the better kind. */
  readonly reason?: string;
  readonly runTag: string;
  readonly tenant: string;
  readonly password: string;
}

/** Where the accounts of a run come from. */
export interface AccountSource extends AccountFacts {
  readonly credentialsOf: (index: number) => Credentials;
}

const emailOf = (runTag: string, index: number): string => `vu-${runTag}-${index}@lab.example`;

/** The accounts by their facts. */
export const accountSource = (facts: AccountFacts): AccountSource => {
  const { kind, runTag, tenant, password } = facts;
  return {
    ...facts,
    credentialsOf: (index) => ({
      email: emailOf(runTag, index),
      password,
      ...(kind === 'imported' ? { tenant } : {}),
    }),
  };
};

/** Accounts that a run needs. */
export interface AccountPlan {
  /** Admin key that may import accounts, or the reason why there is none. */
  readonly key: { readonly value: string } | { readonly missing: string };
  readonly tenant: string;
  readonly users: number;
  /** Password of all accounts. */
  readonly password: string;
  /**
   * Makes the emails of this run different from those of any earlier one, whose accounts keep their
   * own password.
   */
  readonly runTag: string;
}

/** Accounts per request: few enough to show progress and to stop in between. */
const accountsPerImport = 2000;

/**
 * PHC string of the pool's one password; all accounts share it, because the cost of a login does
 * not depend on the salt.
 */
const poolHash = (password: string): string => {
  const { memoryKib: memory, passes, parallelism } = argon2idCost;
  const nonce = randomBytes(16);
  const tag = argon2Sync('argon2id', { message: password, nonce, parallelism, tagLength: 32, memory, passes });
  const unpadded = (bytes: Buffer): string => bytes.toString('base64').replace(/=+$/, '');
  return `${argon2idPrefix(argon2idCost)}$${unpadded(nonce)}$${unpadded(tag)}`;
};

/**
 * The fault of the answer to an import of `count` accounts, in words; `undefined` when all of them
 * were made.
 */
const importFailure = (reply: Reply, count: number): string | undefined => {
  if ('failure' in reply) return reply.failure;
  try {
    if (reply.status !== 200) return `the target answered ${reply.status} ${problemCodeOf(reply.text) ?? ''}`.trim();
    const { imported } = JSON.parse(reply.text) as { imported?: unknown };
    return imported === count ? undefined : `the target imported ${String(imported)} of ${count} accounts`;
  } catch {
    return `the target answered ${reply.status}`;
  }
};

const importPool = async (
  connection: Connection,
  key: string,
  { tenant, users, password, runTag }: AccountPlan,
  onProgress: (done: number) => void,
): Promise<string | undefined> => {
  const password_hash = poolHash(password);
  for (let from = 0; from < users; from += accountsPerImport) {
    const count = Math.min(accountsPerImport, users - from);
    const lines = Array.from({ length: count }, (_, index) =>
      JSON.stringify({ email: emailOf(runTag, from + index), password_hash }),
    );
    const reply = await connection.send({
      method: 'POST',
      path: `${paths.accountsImport}?tenant=${encodeURIComponent(tenant)}`,
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/x-ndjson' },
      body: lines.join('\n'),
    });
    const failure = importFailure(reply, count);
    if (failure !== undefined) return failure;
    onProgress(from + count);
  }
  return undefined;
};

/** The accounts of a scenario that asks for none: nothing is prepared. */
export const unpreparedAccounts = (facts: Pick<AccountFacts, 'runTag' | 'tenant' | 'password'>): AccountSource =>
  accountSource({
    ...facts,
    kind: 'registered',
    reason:
      'the scenario does not say "accounts: true", so none were prepared; a user that calls login() registers itself',
  });

/**
 * Prepares accounts for all users. The admin key goes only to a service that says it is Catalytic.
 * @param onProgress called with the number of accounts imported so far
 */
export const prepareAccounts = async (
  connection: Connection,
  plan: AccountPlan,
  onProgress: (done: number) => void,
): Promise<AccountSource> => {
  const { key, tenant, password, runTag } = plan;
  const facts = { runTag, tenant, password };
  const registered = (reason: string): AccountSource => accountSource({ ...facts, kind: 'registered', reason });
  if ('missing' in key) return registered(key.missing);
  const doubt = await doubtCatalytic(connection);
  if (doubt !== undefined)
    return registered(`the target does not say that it is Catalytic, so it gets no key: ${doubt}`);
  const refusal = await importPool(connection, key.value, plan, onProgress);
  if (refusal !== undefined) return registered(`the import was refused: ${refusal}`);
  return accountSource({ ...facts, kind: 'imported' });
};
