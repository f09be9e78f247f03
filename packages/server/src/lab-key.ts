/**
 * The key of the load lab, for an operator who asks for it: it imports accounts into the tenant
 * `lab`, and does nothing else.
 * @module
 */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { ConfigError } from './config/read-config.ts';
import { createAdminKey } from './features/admin-keys/create-admin-key.ts';
import { keyId } from './features/admin-keys/rules.ts';
import { systemOrigin } from './features/audit/origins.ts';
import { tokenHash } from './features/secrets/random-token.ts';
import type { Stores } from './stores/stores.ts';

const labTenantName = 'lab';

/** Most keys that are looked through for former lab keys: the tenant `lab` has few. */
const keysMax = 1000;

/** Path of the key file in a data folder. */
export const labKeyPath = (dataDir: string): string => join(dataDir, 'lab.key');

/**
 * Leaves `DATA_DIR/lab.key` (mode 0600): an admin key that may only import accounts into the tenant
 * `lab`, which is made for it. The routes that take it answer on loopback, unless an operator has
 * named another OPERATE_HOST: then the lab may run elsewhere too, and the key opens nothing that
 * `master.key`, beside it, does not. The key of an earlier start is kept while it works. Every other
 * key that was left in this place is revoked, because replacing or deleting the file is meant to
 * revoke its key.
 * Only one process of a machine may call it at a time.
 * @throws {ConfigError} when the file cannot be written
 */
export const leaveLabKey = async (dataDir: string, { tenants, adminKeys }: Stores, nowMs: number): Promise<void> => {
  const path = labKeyPath(dataDir);
  const { id: tenantId } = await tenants.ensure({
    ...{ name: labTenantName, registration: 'closed', nowMs, by: systemOrigin },
  });
  const known = readKey(path);
  const isGood = known !== undefined && (await adminKeys.findByHash(tokenHash(known))) !== undefined;
  // Several machines may share the database, each with its own data folder.
  const description = `load lab, ${hostname()}:${resolve(path)}`;
  const made = { description, expiresAtMs: null, nowMs, by: systemOrigin };
  const key = isGood ? known : await createAdminKey(adminKeys, { scopes: ['accounts:import'], tenantId }, made);
  if (!isGood) {
    try {
      writeFileSync(`${path}.new`, `${key}\n`, { mode: 0o600 });
      renameSync(`${path}.new`, path);
    } catch (error) {
      throw new ConfigError(
        `Cannot leave the key of the load lab: ${(error as Error).message}; make DATA_DIR writable, or set LAB=0`,
        { cause: error },
      );
    }
  }
  const own = keyId(tokenHash(key));
  for (const { id, description: place } of await adminKeys.list({ tenantId, after: undefined, rowsMax: keysMax }))
    if (id !== own && (place === description || place === formerDescription))
      await adminKeys.revoke({ id, tenantId, nowMs, by: systemOrigin });
};

/** The version before did not say where it had left a key. */
const formerDescription = 'load lab';

const readKey = (path: string): string | undefined => {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return undefined;
  }
};
