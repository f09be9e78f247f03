/**
 * Signals that abort when a session ends, for what outlives its request, such as a WebSocket.
 * @module
 */
import type { AccessTokenClaims } from '@catalytic/protocol/claims';
import type { SignedToken } from './signature-checks.ts';
import type { KeptRevocation } from './view.ts';

/** What signals work with. */
export interface SessionSignalsParts {
  /** Whether the view names this token, its session, its account, its tenant or its key. */
  readonly isRevoked: (token: SignedToken) => boolean;
  /** Wall clock, milliseconds since 1970. */
  readonly wallMs: () => number;
  /** Most tokens whose signals are held. @default 100,000 */
  readonly watchedMax?: number;
}

interface Watched {
  readonly token: SignedToken;
  readonly controller: AbortController;
  timer: NodeJS.Timeout | undefined;
}

/**
 * Most tokens whose signals are held. Each takes about a kilobyte until its token expires. The
 * signal of a further one is aborted from the beginning: what it guards must not outlive a sign-out.
 */
const watchedMaxUsual = 100_000;
/** A timer counts at most this many milliseconds. */
const timerMsMax = 2 ** 31 - 1;

/** What an entry may name of a token. No two of them are ever equal. */
const keysOf = ({ claims, key }: SignedToken): readonly string[] => [
  claims.jti,
  claims.sid,
  claims.sub,
  claims.tid,
  key.kid,
];

/** The signals of one guard: one for each token whose signal was asked for. */
export class SessionSignals {
  readonly #parts: SessionSignalsParts;
  readonly #byToken = new Map<AccessTokenClaims['jti'], Watched>();
  /** By everything that an entry may name, so that an entry costs what it ends. */
  readonly #byKey = new Map<string, Set<Watched>>();
  #isStopped = false;

  constructor(parts: SessionSignalsParts) {
    this.#parts = parts;
  }

  /** Number of signals held. */
  get size(): number {
    return this.#byToken.size;
  }

  /** The signal of a token. It is aborted already if the token died since it was accepted. */
  signalOf(token: SignedToken): AbortSignal {
    const known = this.#byToken.get(token.claims.jti);
    if (known !== undefined) return known.controller.signal;
    const isHeld = !this.#isStopped && this.#byToken.size < (this.#parts.watchedMax ?? watchedMaxUsual);
    if (!isHeld || this.#remainingMs(token) <= 0 || this.#parts.isRevoked(token)) return AbortSignal.abort();
    const watched: Watched = { token, controller: new AbortController(), timer: undefined };
    this.#byToken.set(token.claims.jti, watched);
    for (const key of keysOf(token)) {
      const others = this.#byKey.get(key);
      if (others === undefined) this.#byKey.set(key, new Set([watched]));
      else others.add(watched);
    }
    this.#arm(watched);
    return watched.controller.signal;
  }

  /** Aborts the signals of the tokens that these entries have ended. */
  notice(entries: readonly KeptRevocation[]): void {
    if (this.#byToken.size === 0) return;
    for (const { key } of entries)
      for (const watched of [...(this.#byKey.get(key) ?? [])])
        if (this.#parts.isRevoked(watched.token)) this.#end(watched);
  }

  /** Aborts all: from here on no sign-out would be noticed. */
  stop(): void {
    this.#isStopped = true;
    for (const watched of [...this.#byToken.values()]) this.#end(watched);
  }

  #remainingMs({ claims }: SignedToken): number {
    return claims.exp * 1000 - this.#parts.wallMs();
  }

  #arm(watched: Watched): void {
    const remainingMs = this.#remainingMs(watched.token);
    watched.timer = setTimeout(
      () => (this.#remainingMs(watched.token) > 0 ? this.#arm(watched) : this.#end(watched)),
      Math.min(timerMsMax, Math.max(1, remainingMs)),
    ).unref();
  }

  #end(watched: Watched): void {
    clearTimeout(watched.timer);
    this.#byToken.delete(watched.token.claims.jti);
    for (const key of keysOf(watched.token)) {
      const others = this.#byKey.get(key);
      others?.delete(watched);
      if (others?.size === 0) this.#byKey.delete(key);
    }
    watched.controller.abort();
  }
}
