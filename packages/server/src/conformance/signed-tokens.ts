/**
 * Makes access tokens as Catalytic issues them, and others that it never would.
 * @module
 */
import { generateKeyPairSync, type KeyObject, randomUUID } from 'node:crypto';
import { type AlgorithmName, signBytes } from '@catalytic/guard/algorithms';
import { encodedHeader, type PublishedKey } from '@catalytic/guard/verification-key';

/** A signing key, and how it is published. */
export interface SigningPair {
  readonly kid: string;
  readonly algorithm: AlgorithmName;
  readonly privateKey: KeyObject;
  readonly published: PublishedKey;
}

/** Claims of any value, so that each of them can be wrong. */
export type LooseClaims = Readonly<Record<string, unknown>>;

const generate = (algorithm: AlgorithmName): { privateKey: KeyObject; publicKey: KeyObject } => {
  switch (algorithm) {
    case 'ES256':
      return generateKeyPairSync('ec', { namedCurve: 'P-256' });
    case 'EdDSA':
    case 'Ed25519':
      return generateKeyPairSync('ed25519');
    case 'RS256':
    case 'PS256':
      return generateKeyPairSync('rsa', { modulusLength: 2048 });
  }
};

/** Makes a signing key. */
export const newSigningPair = (kid: string, algorithm: AlgorithmName = 'ES256'): SigningPair => {
  const { privateKey, publicKey } = generate(algorithm);
  const published = { ...publicKey.export({ format: 'jwk' }), kid, alg: algorithm, use: 'sig' } as PublishedKey;
  return { kid, algorithm, privateKey, published };
};

/** Encodes a segment of a token: text as it is, anything else as JSON. */
export const segmentOf = (value: unknown): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

/**
 * The claims of a usual token.
 * @param nowSeconds when it is issued, seconds since 1970; it lives for 15 minutes
 */
export const usualClaims = (
  place: { readonly issuer: string; readonly audience: string; readonly nowSeconds: number },
  newId: () => string = randomUUID,
): LooseClaims => {
  const { issuer, audience, nowSeconds } = place;
  return {
    ...{ iss: issuer, sub: newId(), aud: audience, iat: nowSeconds, nbf: nowSeconds - 60, exp: nowSeconds + 900 },
    ...{ jti: newId(), sid: newId(), tid: newId(), client_id: 'catalytic', scope: '', roles: [], amr: ['pwd'] },
    ...{ auth_time: nowSeconds, aep: 1, tep: 1 },
  };
};

/**
 * Signs a token.
 * @param header its encoded protected header @default the one that Catalytic writes
 */
export const signToken = (
  { kid, algorithm, privateKey }: SigningPair,
  claims: LooseClaims | string,
  header: string = encodedHeader(algorithm, kid),
): string => {
  const signed = `${header}.${segmentOf(claims)}`;
  return `${signed}.${signBytes(algorithm, privateKey, Buffer.from(signed)).toString('base64url')}`;
};
