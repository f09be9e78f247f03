/**
 * Whose request it is, and what a route asks of them.
 * @module
 */
import type { AccessTokenClaims } from '@catalytic/protocol/claims';
import { type Refusal, refuse } from './refusals.ts';
import { type Accepted, type Mode, staleChoices, type WhenStale } from './verdicts.ts';

/** The accepted access token of a request. */
export interface Auth {
  /** The account, `sub`. */
  readonly subject: string;
  /** The tenant, `tid`. */
  readonly tenant: string;
  /** The session, `sid`. */
  readonly session: string;
  /** The token, `jti`. */
  readonly tokenId: string;
  /** Roles of the account when the token was issued. */
  readonly roles: readonly string[];
  readonly scopes: readonly string[];
  /** When the token expires, seconds since 1970. */
  readonly expiresAt: number;
  /** When the password was last checked, seconds since 1970. */
  readonly signedInAt: number;
  /** All claims of the token. */
  readonly claims: Readonly<AccessTokenClaims>;
  /**
   * Aborts when the token expires, and in the modes `strict` and `follow` as soon as its session has
   * ended: end with it what outlives the request, such as a WebSocket. Requests with the same token
   * share one.
   */
  readonly signal: AbortSignal;
}

/** What a route asks of a caller, besides a token that is alive. */
export interface Needs {
  /** A role, or all of several. */
  readonly role?: string | readonly string[];
  /** A scope, or all of several. */
  readonly scope?: string | readonly string[];
  /** The tenant that the token must belong to. */
  readonly tenant?: string;
  /** Longest time since the password was checked, such as `'5m'`, or milliseconds (RFC 9470). */
  readonly freshSignIn?: string | number;
  /**
   * What to do while the guard is not current: `deny` waits a quarter of a second for it and answers
   * 503, `ask` asks the service about this token, `allow` lets every genuine token in that has not
   * expired, signed out or not. @default the guard's
   */
  readonly whenStale?: WhenStale;
}

const unitMs = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/**
 * Reads a length of time.
 * @throws {TypeError} for anything else than `5m`, `30s`, `2h`, `1d`, `500ms` or a positive number of milliseconds
 */
export const durationMs = (value: string | number): number => {
  const [, number = '', unit = ''] = /^(\d{1,9})(ms|s|m|h|d)$/.exec(String(value)) ?? [];
  const ms = typeof value === 'number' ? value : Number(number) * unitMs[unit as keyof typeof unitMs];
  if (Number.isFinite(ms) && ms > 0) return ms;
  throw new TypeError(`Cannot read the time ${JSON.stringify(value)}: write it like 5m, 30s, 2h, or as milliseconds`);
};

const listOf = (value: string | readonly string[] | undefined): readonly string[] =>
  value === undefined ? [] : typeof value === 'string' ? [value] : value;

/** Needs that have been read once, so that a wrong setting is noticed at the start and not at a request. */
export interface ReadNeeds {
  readonly roles: readonly string[];
  readonly scopes: readonly string[];
  readonly tenant: string | undefined;
  readonly freshMs: number | undefined;
  readonly whenStale: WhenStale | undefined;
}

const known = new Set(['role', 'scope', 'tenant', 'freshSignIn', 'whenStale']);

/**
 * Reads what to do while the guard is not current.
 * @throws {TypeError} for an unknown choice, and for one that the mode does not allow
 */
export const readWhenStale = (mode: Mode, choice: WhenStale | undefined): WhenStale | undefined => {
  if (choice === undefined) return undefined;
  if (!staleChoices.includes(choice))
    throw new TypeError(`There is no whenStale ${JSON.stringify(choice)}; there are ${staleChoices.join(', ')}`);
  if (choice === 'allow' && mode !== 'follow')
    throw new TypeError(
      `Cannot guard with whenStale: 'allow' in mode '${mode}': ${
        mode === 'strict' ? 'a sign-out that has answered 200 would be void' : 'it checks no signatures'
      }. Take mode 'follow' for it`,
    );
  return choice;
};

/** A scope (RFC 6749 section 3.3); a challenge repeats it, so it must hold no quote and no line end. */
const scopePattern = /^[\x21\x23-\x5b\x5d-\x7e]+$/;

/**
 * Reads needs for a guard of this mode.
 * @throws {TypeError} for a need that does not exist, because a misspelled one must not let
 *   everybody in, and for a scope that no token can have
 */
export const readNeeds = (mode: Mode, needs: Needs = {}): ReadNeeds => {
  for (const name of Object.keys(needs))
    if (!known.has(name)) throw new TypeError(`There is no need "${name}"; there are ${[...known].join(', ')}`);
  const scopes = listOf(needs.scope);
  if (!scopes.every((scope) => scopePattern.test(scope)))
    throw new TypeError(
      'Cannot need such a scope: give one of ASCII without spaces, quotes and backslashes, or a list',
    );
  return {
    roles: listOf(needs.role),
    scopes,
    tenant: needs.tenant,
    freshMs: needs.freshSignIn === undefined ? undefined : durationMs(needs.freshSignIn),
    whenStale: readWhenStale(mode, needs.whenStale),
  };
};

/** Whether the caller has what a route asks for. @returns the refusal, or `undefined` */
export const lacking = (auth: Auth, needs: ReadNeeds, nowMs: number): Refusal | undefined => {
  const { roles, scopes, tenant, freshMs } = needs;
  if (tenant !== undefined && auth.tenant !== tenant) return refuse('tenant_wrong');
  if (!roles.every((role) => auth.roles.includes(role))) return refuse('role_missing');
  if (!scopes.every((scope) => auth.scopes.includes(scope)))
    return refuse('scope_missing', [`scope="${scopes.join(' ')}"`]);
  if (freshMs !== undefined && !(nowMs - auth.signedInAt * 1000 < freshMs))
    return refuse('sign_in_too_old', [`max_age="${Math.floor(freshMs / 1000)}"`]);
  return undefined;
};

/**
 * A class, because an object literal with a getter takes twenty times as long to make (650 against
 * 30 ns, Node 26.10, 30 November 2026).
 */
class Caller implements Auth {
  readonly subject: string;
  readonly tenant: string;
  readonly session: string;
  readonly tokenId: string;
  readonly roles: readonly string[];
  readonly scopes: readonly string[];
  readonly expiresAt: number;
  readonly signedInAt: number;
  readonly claims: Readonly<AccessTokenClaims>;
  readonly #makeSignal: () => AbortSignal;
  #signal: AbortSignal | undefined;

  constructor({ claims, signal }: Accepted) {
    this.subject = claims.sub;
    this.tenant = claims.tid;
    this.session = claims.sid;
    this.tokenId = claims.jti;
    this.roles = claims.roles;
    this.scopes = claims.scope === '' ? [] : claims.scope.split(' ').filter((scope) => scope !== '');
    this.expiresAt = claims.exp;
    this.signedInAt = claims.auth_time;
    this.claims = claims;
    this.#makeSignal = signal;
  }

  /** Made for those who ask for it: most requests end long before their token. */
  get signal(): AbortSignal {
    this.#signal ??= this.#makeSignal();
    return this.#signal;
  }
}

/** The caller of an accepted token. */
export const callerOf = (accepted: Accepted): Auth => new Caller(accepted);

/** The verdict on a request. */
export type Verdict =
  | { readonly accepted: true; readonly auth: Auth }
  | { readonly accepted: false; readonly refusal: Refusal };
