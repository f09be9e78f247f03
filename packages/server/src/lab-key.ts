/**
 * The key of the load lab, for an operator who asks for it: it imports accounts into the tenant
 * `lab`, and does nothing else.
 * @module
 */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigError } from './config/read-config.ts';
import { createAdminKey } from './features/admin-keys/create-admin-key.ts';
import { systemOrigin } from './features/audit/origins.ts';
import { tokenHash } from './features/secrets/random-token.ts';
import type { Stores } from './stores/stores.ts';

const labTenantName = 'lab';

/**
 * Leaves `DATA_DIR/lab.key` (mode 0600): an admin key that may only import accounts into the tenant
 * `lab`, which is made for it. The routes that take it answer on loopback, unless an operator has
 * named another OPERATE_HOST: then the lab may run elsewhere too, and the key opens nothing that
 * `master.key`, beside it, does not. The key of an earlier start is kept while it works.
 * @returns path of the key file
 * @throws {ConfigError} when it cannot be written
 */
export const leaveLabKey = async (dataDir: string, { tenants, adminKeys }: Stores, nowMs: number): Promise<string> => {
  const path = join(dataDir, 'lab.key');
  const tenant = await tenants.ensure({ name: labTenantName, nowMs, by: systemOrigin });
  const known = readKey(path);
  if (known !== undefined && (await adminKeys.findByHash(tokenHash(known))) !== undefined) return path;
  const scope = { scopes: ['accounts:import'], tenantId: tenant.id } as const;
  const key = await createAdminKey(adminKeys, scope, 'load lab', nowMs, systemOrigin);
  try {
    writeFileSync(`${path}.new`, `${key}\n`, { mode: 0o600 });
    renameSync(`${path}.new`, path);
  } catch (error) {
    throw new ConfigError(
      `Cannot leave the key of the load lab: ${(error as Error).message}; make DATA_DIR writable, or set LAB=0`,
      { cause: error },
    );
  }
  return path;
};

const readKey = (path: string): string | undefined => {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return undefined;
  }
};
