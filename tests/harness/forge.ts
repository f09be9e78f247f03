/**
 * Makes tokens that an attacker could not make: they are signed with the service's own key from its data folder, so that any claim can be
 * wrong while the signature is right.
 * @module
 */
import { createPrivateKey, type KeyObject, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { unseal } from '../../packages/server/src/features/secrets/seal.ts';
import { rowsOf } from './database.ts';

/** A signing key of a service, opened. */
export interface OpenedKey {
  readonly kid: string;
  readonly algorithm: string;
  readonly privateKey: KeyObject;
  readonly publicJwk: Readonly<Record<string, string>>;
}

/** Opens the signing keys in a data folder, oldest first. */
export const openSigningKeys = (dataDir: string, masterKeyBase64?: string): readonly OpenedKey[] => {
  const masterKey = Buffer.from(masterKeyBase64 ?? readFileSync(join(dataDir, 'master.key'), 'utf8'), 'base64');
  const rows = rowsOf(dataDir, 'select kid, algorithm, public_jwk, private_box from signing_key order by created_at');
  return rows.map((row) => {
    const kid = String(row['kid']);
    const der = unseal(masterKey, row['private_box'] as Uint8Array, kid);
    return {
      kid,
      algorithm: String(row['algorithm']),
      privateKey: createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }),
      publicJwk: JSON.parse(String(row['public_jwk'])) as Record<string, string>,
    };
  });
};

/** Encodes a JWS segment. */
export const segment = (value: unknown): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

/** Decodes a JWS segment. */
export const decodeSegment = (token: string, index: 0 | 1): Record<string, unknown> =>
  JSON.parse(Buffer.from(token.split('.')[index] ?? '', 'base64url').toString()) as Record<string, unknown>;

const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

/** The other signature that verifies as well: (r, n − s) for (r, s). */
export const twinSignature = (signature: Buffer): Buffer => {
  const s = BigInt(`0x${signature.subarray(32).toString('hex')}`);
  return Buffer.concat([signature.subarray(0, 32), Buffer.from((order - s).toString(16).padStart(64, '0'), 'hex')]);
};

/**
 * Signs any payload with an ES256 key, in the one spelling the service accepts (low s).
 * @param payload claims, or a text in place of claims
 * @param header replaces the header that the service gives its tokens
 */
export const forge = (key: OpenedKey, payload: unknown, header?: unknown): string => {
  const input = `${segment(header ?? { alg: key.algorithm, typ: 'at+jwt', kid: key.kid })}.${segment(payload)}`;
  const signature = sign('sha256', Buffer.from(input), { key: key.privateKey, dsaEncoding: 'ieee-p1363' });
  const twin = twinSignature(signature);
  const low = signature.compare(twin) <= 0 ? signature : twin;
  return `${input}.${low.toString('base64url')}`;
};
