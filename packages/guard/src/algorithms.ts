/**
 * The signature algorithms a key may have (RFC 7518 section 3.1, RFC 8037, RFC 9864). The algorithm
 * belongs to the key, never to the token.
 *
 * `EdDSA` and `Ed25519` are two names of one algorithm. A key has one of them, and its tokens carry
 * that one: most verifiers know only the older name, `EdDSA`.
 *
 * `node:crypto` is called directly and synchronously. On this hot path it costs about half as much
 * as asynchronous WebCrypto, and the verdict that follows must run in the same turn of the event
 * loop. `docs/decisions/0003-tokens-with-node-crypto.md` has the figures.
 * @module
 */
import { constants, type KeyObject, sign, verify } from 'node:crypto';

/** Names of the algorithms, as they stand in `alg`. */
export const algorithmNames = ['ES256', 'EdDSA', 'Ed25519', 'RS256', 'PS256'] as const;

/** One of {@link algorithmNames}. */
export type AlgorithmName = (typeof algorithmNames)[number];

interface Algorithm {
  /** Members of a JWK that can have the algorithm. */
  readonly key: { readonly kty: 'EC' | 'OKP' | 'RSA'; readonly crv?: 'P-256' | 'Ed25519' };
  /** Digest for `node:crypto`; `null` where the algorithm fixes its own. */
  readonly digest: 'sha256' | null;
  readonly options: (key: KeyObject) => Parameters<typeof verify>[2];
  /** Makes the one accepted spelling of a signature. */
  readonly normalize?: (signature: Buffer) => Buffer;
  /** Whether a signature has the one accepted spelling. */
  readonly isNormal?: (signature: Buffer, publicKey: KeyObject) => boolean;
}

/** Order of the P-256 group (FIPS 186-5, SP 800-186 section 3.2.1.3). */
export const p256Order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
const p256HalfOrder = Buffer.from((p256Order >> 1n).toString(16).padStart(64, '0'), 'hex');

// For every ECDSA signature (r, s), (r, n - s) verifies as well. Our signatures carry the lower s,
// and only the lower s is accepted, so that no second spelling of a token can be made.
const isLowS = (signature: Buffer): boolean =>
  signature.length === 64 && signature.compare(p256HalfOrder, 0, 32, 32, 64) <= 0;

const toLowS = (signature: Buffer): Buffer => {
  if (isLowS(signature)) return signature;
  const s = p256Order - BigInt(`0x${signature.toString('hex', 32)}`);
  signature.write(s.toString(16).padStart(64, '0'), 32, 'hex');
  return signature;
};

// A signature is exactly as long as the modulus (RFC 8017 sections 8.1.2 and 8.2.2, step 1). For
// PSS, OpenSSL leaves that check to its caller: one signature in 256 begins with a zero byte, and
// OpenSSL also accepts it without that byte.
const isWholeModulus = (signature: Buffer, publicKey: KeyObject): boolean =>
  signature.length === Math.ceil((publicKey.asymmetricKeyDetails?.modulusLength ?? Number.NaN) / 8);

const ed25519: Algorithm = { key: { kty: 'OKP', crv: 'Ed25519' }, digest: null, options: (key) => key };

const algorithms: Record<AlgorithmName, Algorithm> = {
  ES256: {
    key: { kty: 'EC', crv: 'P-256' },
    digest: 'sha256',
    options: (key) => ({ key, dsaEncoding: 'ieee-p1363' }),
    normalize: toLowS,
    isNormal: isLowS,
  },
  EdDSA: ed25519,
  Ed25519: ed25519,
  RS256: {
    key: { kty: 'RSA' },
    digest: 'sha256',
    options: (key) => ({ key, padding: constants.RSA_PKCS1_PADDING }),
    isNormal: isWholeModulus,
  },
  PS256: {
    key: { kty: 'RSA' },
    digest: 'sha256',
    options: (key) => ({ key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }),
    isNormal: isWholeModulus,
  },
};

/** Whether a key of this type and curve can have the algorithm. */
export const suitsKey = (
  name: AlgorithmName,
  { kty, crv }: { readonly kty?: string; readonly crv?: string },
): boolean => kty === algorithms[name].key.kty && crv === algorithms[name].key.crv;

/**
 * Signs bytes (a JWS signing input, RFC 7515 section 5.1) with a private key; returns the one
 * accepted spelling.
 */
export const signBytes = (name: AlgorithmName, privateKey: KeyObject, bytes: Buffer): Buffer => {
  const algorithm = algorithms[name];
  const signature = sign(algorithm.digest, bytes, algorithm.options(privateKey) as KeyObject);
  return algorithm.normalize?.(signature) ?? signature;
};

/**
 * Whether `signature` is the one accepted spelling of a signature of `bytes` by the owner of
 * `publicKey`.
 */
export const signatureHolds = (
  name: AlgorithmName,
  publicKey: KeyObject,
  bytes: Buffer,
  signature: Buffer,
): boolean => {
  const algorithm = algorithms[name];
  if (algorithm.isNormal?.(signature, publicKey) === false) return false;
  return verify(algorithm.digest, bytes, algorithm.options(publicKey), signature);
};
