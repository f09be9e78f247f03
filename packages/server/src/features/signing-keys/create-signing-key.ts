/**
 * Use case: create a signing key.
 * @module
 */
import { createPublicKey, generateKeyPairSync, hash, type KeyObject, type webcrypto } from 'node:crypto';
import type { AlgorithmName } from '@catalytic/guard/algorithms';
import type { KeyId } from '@catalytic/protocol/ids';
import { seal } from '../secrets/seal.ts';
import type { Secret } from '../secrets/secret.ts';
import type { StoredSigningKey } from './store.ts';

/** RSA-2048 is below the 128-bit strength that OWASP ASVS 11.2.3 asks for. */
const rsaModulusBits = 3072;

const generate = (algorithm: AlgorithmName): KeyObject => {
  switch (algorithm) {
    case 'ES256':
      return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
    case 'EdDSA':
    case 'Ed25519':
      return generateKeyPairSync('ed25519').privateKey;
    case 'RS256':
    case 'PS256':
      return generateKeyPairSync('rsa', { modulusLength: rsaModulusBits }).privateKey;
  }
};

/**
 * Members of a JWK that its thumbprint covers, by key type, in lexicographic order (RFC 7638
 * section 3.2, RFC 8037 section 2).
 */
const thumbprintMembers: Record<string, readonly (keyof webcrypto.JsonWebKey)[]> = {
  EC: ['crv', 'kty', 'x', 'y'],
  OKP: ['crv', 'kty', 'x'],
  RSA: ['e', 'kty', 'n'],
};

const thumbprint = (jwk: webcrypto.JsonWebKey): KeyId => {
  const members = thumbprintMembers[String(jwk.kty)] ?? [];
  const json = JSON.stringify(Object.fromEntries(members.map((member) => [member, jwk[member]])));
  return hash('sha256', json, 'base64url') as KeyId;
};

/**
 * Creates a key pair and seals its private part.
 * @param masterKey 32 bytes
 * @param activatesAtMs when it starts to sign, milliseconds since 1970
 */
export const createSigningKey = (
  algorithm: AlgorithmName,
  masterKey: Secret<Buffer>,
  nowMs: number,
  activatesAtMs: number,
): StoredSigningKey => {
  const privateKey = generate(algorithm);
  const jwk = createPublicKey(privateKey).export({ format: 'jwk' });
  const kid = thumbprint(jwk);
  return {
    kid,
    algorithm,
    publicJwk: JSON.stringify({ ...jwk, kid, alg: algorithm, use: 'sig' }),
    privateBox: seal(masterKey.reveal(), privateKey.export({ format: 'der', type: 'pkcs8' }), kid),
    createdAtMs: nowMs,
    activatesAtMs,
    retiresAtMs: null,
  };
};
