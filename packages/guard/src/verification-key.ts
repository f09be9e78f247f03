/**
 * A public key that access tokens may be signed with.
 * @module
 */
import { createPublicKey, type KeyObject, type webcrypto } from 'node:crypto';
import { accessTokenType } from '@catalytic/protocol/claims';
import type { KeyId } from '@catalytic/protocol/ids';
import { type AlgorithmName, algorithmNames, suitsKey } from './algorithms.ts';

/** A JWK as the service publishes it (RFC 7517), public members only. */
export interface PublishedKey extends webcrypto.JsonWebKey {
  readonly kid: string;
  readonly alg: string;
  readonly use: 'sig';
}

/** A key ready for checking signatures. */
export interface VerificationKey {
  readonly kid: KeyId;
  readonly algorithm: AlgorithmName;
  readonly publicKey: KeyObject;
  /**
   * The protected header of every token signed with this key, encoded. Only this exact header is
   * accepted for it.
   */
  readonly header: string;
}

/**
 * The protected header of a token signed with the key `kid`, encoded (RFC 7515 section 4, RFC 9068
 * section 2.1).
 */
export const encodedHeader = (algorithm: AlgorithmName, kid: string): string =>
  Buffer.from(JSON.stringify({ alg: algorithm, typ: accessTokenType, kid })).toString('base64url');

/** Whether a key may check signatures: what it says of its use must allow it (RFC 7517 sections 4.2 and 4.3). */
const mayVerify = ({ use, key_ops: operations }: PublishedKey): boolean =>
  use === 'sig' && (operations === undefined || operations.includes('verify'));

/**
 * Reads a published key.
 * @returns `undefined` for an algorithm this version does not know, a key of another type or curve
 *   than its algorithm's, and one that is not for signatures: such a key is skipped, not fatal.
 */
export const importKey = (published: PublishedKey): VerificationKey | undefined => {
  const algorithm = algorithmNames.find((name) => name === published.alg);
  if (algorithm === undefined || !suitsKey(algorithm, published) || !mayVerify(published)) return undefined;
  return {
    kid: published.kid as KeyId,
    algorithm,
    publicKey: createPublicKey({ key: published, format: 'jwk' }),
    header: encodedHeader(algorithm, published.kid),
  };
};
