/**
 * Options of tokens, keys and sessions, part of the one schema in `options.ts`.
 * @module
 */
import { type AlgorithmName, algorithmNames } from '@catalytic/guard/algorithms';
import type { Option } from './option.ts';

/** Every option of tokens, by the name of its field in the configuration. */
export const tokenOptions = {
  issuer: {
    kind: 'text',
    name: 'ISSUER',
    default: undefined,
    defaultText: 'http(s)://HOST:PORT while HOST is loopback',
    pattern: /^(?=.{1,255}$)https?:\/\/[^?#\s]+$/,
    patternText: 'an http or https URL of at most 255 characters without query or fragment (RFC 8414 section 2)',
    description: 'Claim `iss` of every token; a change refuses all tokens issued before it.',
  },
  audience: {
    kind: 'text',
    name: 'AUDIENCE',
    default: undefined,
    defaultText: 'the issuer',
    pattern: /^\S{1,255}$/,
    patternText: '1 to 255 characters without spaces',
    description: 'Claim `aud` of every token; a change refuses all tokens issued before it.',
  },
  masterKey: {
    kind: 'text',
    name: 'CATALYTIC_MASTER_KEY',
    default: undefined,
    defaultText: 'read from DATA_DIR/master.key, which is created at the first start',
    pattern: /^[A-Za-z0-9+/_-]{43}=?$/,
    patternText: '32 random bytes in base64 ("openssl rand -base64 32" prints such a key)',
    secret: true,
    description: 'Key that encrypts the signing keys at rest; if it is lost, everybody must sign in again.',
  },
  signingAlgorithm: {
    kind: 'choice',
    name: 'SIGNING_ALGORITHM',
    choices: algorithmNames,
    default: 'ES256',
    description:
      'Algorithm of signing keys made from now on; existing keys keep theirs. `EdDSA` and `Ed25519` are two names of one algorithm, and most verifiers know only the first. RSA keys have 3072 bits.',
  },
  signingKeyLeadSeconds: {
    kind: 'number',
    name: 'SIGNING_KEY_LEAD_SECONDS',
    unit: 'seconds',
    // Caches that keep to the `max-age` of the JWKS, 60 seconds, have been refreshed twice by then.
    minimum: 130,
    maximum: 604_800,
    // Many caches ask at times of their own and not for an unknown key: jwk.Cache of Go after 15
    // minutes, Istio after 20, gateways of clouds after up to two hours.
    default: 10_800,
    description:
      'How long "keys rotate" publishes a new signing key before it signs: longer than any verifier keeps the JWKS without asking again.',
  },
  accessTokenSeconds: {
    kind: 'number',
    name: 'ACCESS_TOKEN_SECONDS',
    unit: 'seconds',
    minimum: 10,
    maximum: 86_400,
    default: 900,
    description: 'Lifetime of access tokens; revocations are remembered a little longer than this.',
  },
  refreshTokenSeconds: {
    kind: 'number',
    name: 'REFRESH_TOKEN_SECONDS',
    unit: 'seconds',
    minimum: 60,
    maximum: 31_536_000,
    default: 604_800,
    description: 'Lifetime of a refresh token, counted anew at each rotation.',
  },
  refreshGraceSeconds: {
    kind: 'number',
    name: 'REFRESH_GRACE_SECONDS',
    unit: 'seconds',
    minimum: 0,
    maximum: 60,
    default: 10,
    description:
      'How long a used refresh token still yields its one successor, for lost answers and parallel tabs. A later replay gets another successor while the first is unused; else it ends the session.',
  },
  maxSessionsPerAccount: {
    kind: 'number',
    name: 'MAX_SESSIONS_PER_ACCOUNT',
    unit: 'sessions',
    minimum: 1,
    maximum: 100_000,
    default: 1000,
    description:
      'Most live sessions of one account: a further sign-in ends the oldest one. A sign-in of an account at this limit reads all its sessions.',
  },
} as const satisfies Record<string, Option>;

/** The part of the configuration about tokens. */
export interface TokenConfig {
  readonly issuer: string;
  readonly audience: string;
  readonly masterKey: string | undefined;
  readonly signingAlgorithm: AlgorithmName;
  readonly signingKeyLeadSeconds: number;
  readonly accessTokenSeconds: number;
  readonly refreshTokenSeconds: number;
  readonly refreshGraceSeconds: number;
  readonly maxSessionsPerAccount: number;
}
