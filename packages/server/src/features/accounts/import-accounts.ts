/**
 * Use case: import accounts of another system, with their password hashes.
 * @module
 */
import { CatalyticError, type ErrorCode } from '@catalytic/protocol/errors';
import type { Origin } from '../audit/store.ts';
import { storingRefusal } from '../passwords/hash-cost.ts';
import { readJson } from '../read-json.ts';
import { isStorableText } from '../storable-text.ts';
import { type Administrator, administeredTenant } from '../tenants/administered-tenant.ts';
import type { TenantStore } from '../tenants/store.ts';
import { areRoles, areRolesTooLarge, rolesTooLarge } from './roles.ts';
import { emailFields, isEmail } from './rules.ts';
import type { AccountStore, NewAccount } from './store.ts';

/** What this use case works with. */
export interface ImportAccountsParts {
  readonly tenants: TenantStore;
  readonly accounts: AccountStore;
  readonly nowMs: () => number;
}

/**
 * Accounts stored in one transaction: enough to make the cost of the commit small, few enough that
 * other writers wait briefly.
 */
const batchAccounts = 500;
/**
 * Longest line and largest import, bytes: about 300,000 accounts. A larger import takes several
 * requests.
 */
const lineBytesMax = 4096;
const importBytesMax = 64 * 1024 * 1024;
/** Lines without an account cost time all the same: an import of nothing else would take half a minute. */
const blankLinesMax = 10_000;

/** A line, before its fields are judged. */
interface Line {
  readonly email: string;
  readonly password_hash: string;
  readonly roles?: readonly string[];
}

const lineFields: ReadonlySet<string> = new Set<keyof Line>(['email', 'password_hash', 'roles']);

/** Whether a value has the form of a line. Judged by hand: the framework's schemas judge whole bodies. */
const isLine = (value: unknown): value is Line => {
  if (typeof value !== 'object' || value === null) return false;
  const { email, password_hash: hash, roles = [] } = value as Partial<Record<keyof Line, unknown>>;
  return (
    Object.keys(value).every((name) => lineFields.has(name)) &&
    typeof email === 'string' &&
    typeof hash === 'string' &&
    areRoles(roles)
  );
};

const parseLine = (bytes: Buffer): NewAccount | string | undefined => {
  if (bytes.length > lineBytesMax) return `it is longer than ${lineBytesMax} bytes`;
  const read = readJson(bytes);
  if ('fault' in read) {
    if (bytes.toString('utf8').trim() === '') return undefined;
    return read.fault === 'doubled member' ? 'it has two members of one name' : 'it is not JSON in UTF-8';
  }
  const { value } = read;
  if (!isLine(value)) return 'it is not {"email", "password_hash", "roles"?}';
  const roles = value.roles ?? [];
  if (!roles.every(isStorableText)) return 'one of its roles holds NUL or half of a surrogate pair';
  if (!isEmail(value.email)) return 'its email is not valid';
  const refusal = storingRefusal(value.password_hash);
  if (refusal !== undefined) return `its password_hash ${refusal}`;
  if (areRolesTooLarge(roles)) return `its roles ${rolesTooLarge}`;
  return {
    ...emailFields(value.email),
    passwordHash: value.password_hash,
    roles,
  };
};

/** Refuses a stream beyond the limit, so that one request cannot fill the disk. */
const bounded = async function* (stream: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let bytes = 0;
  for await (const chunk of stream) {
    bytes += chunk.length;
    if (bytes > importBytesMax)
      throw new CatalyticError('body_too_large', { detail: `An import may have at most ${importBytesMax} bytes` });
    yield chunk;
  }
};

/**
 * Lines of a stream. Reading stops at a line that is too long, so that an endless line is not
 * collected.
 */
const lines = async function* (stream: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let rest = Buffer.alloc(0);
  for await (const chunk of bounded(stream)) {
    rest = Buffer.concat([rest, chunk]);
    let start = 0;
    for (let end = rest.indexOf('\n'); end >= 0; end = rest.indexOf('\n', start)) {
      yield rest.subarray(start, end);
      start = end + 1;
    }
    rest = rest.subarray(start);
    if (rest.length > lineBytesMax) break;
  }
  yield rest;
};

/** Refusals that cut an import off. The whole lines that came before are stored. */
const cuts: ReadonlySet<ErrorCode> = new Set(['request_timeout', 'shutting_down', 'body_too_large']);

/** The refusal of an import that has stored accounts, and says how many. */
const unfinished = (error: CatalyticError, { imported, existing }: { imported: number; existing: number }) =>
  new CatalyticError(error.code, {
    detail: `${error.message}; ${imported} accounts were imported, ${existing} existed: send the import again, or the rest of it`,
    ...(error.retryAfterSeconds === undefined ? {} : { retryAfterSeconds: error.retryAfterSeconds }),
    cause: error,
  });

/**
 * Imports accounts in batches, as they arrive. A stored batch stays stored when a later line is
 * refused: repair the line and repeat the import, because existing accounts stay as they are.
 * @param stream lines of JSON
 * @throws {CatalyticError} `admin_scope_insufficient`, `tenant_*`, `import_line_invalid` with the
 *   number of the line; `body_too_large`, `request_timeout` and others with the number of accounts imported
 */
export const importAccounts = async (
  { tenants, accounts, nowMs }: ImportAccountsParts,
  administrator: Administrator,
  tenantName: string | undefined,
  stream: AsyncIterable<Buffer>,
  by: Origin,
): Promise<{ imported: number; existing: number }> => {
  const tenant = await administeredTenant(tenants, administrator, tenantName);
  if (tenant.status !== 'active') throw new CatalyticError('tenant_suspended');
  const total = { imported: 0, existing: 0 };
  let batch: NewAccount[] = [];
  const store = async () => {
    const stored = await accounts.importMany({ tenantId: tenant.id, accounts: batch, nowMs: nowMs(), by });
    if (stored === 'tenant_suspended') throw new CatalyticError('tenant_suspended');
    total.imported += stored.imported;
    total.existing += stored.existing;
    batch = [];
  };
  let [lineNumber, blankLines] = [0, 0];
  try {
    for await (const line of lines(stream)) {
      lineNumber += 1;
      const account = parseLine(line);
      if (account === undefined) {
        blankLines += 1;
        if (blankLines > blankLinesMax)
          throw new CatalyticError('import_line_invalid', {
            detail: `Cannot import line ${lineNumber}: it is the blank line number ${blankLines}`,
          });
        continue;
      }
      if (typeof account === 'string')
        throw new CatalyticError('import_line_invalid', {
          detail: `Cannot import line ${lineNumber}: ${account}; ${total.imported} accounts were imported before it`,
        });
      batch.push(account);
      if (batch.length === batchAccounts) await store();
    }
    if (batch.length > 0) await store();
    return total;
  } catch (error) {
    if (!(error instanceof CatalyticError)) throw error;
    if (cuts.has(error.code) && batch.length > 0) await store();
    throw cuts.has(error.code) || error.code === 'store_unavailable' ? unfinished(error, total) : error;
  }
};
