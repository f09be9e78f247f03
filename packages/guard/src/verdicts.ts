/**
 * What the modes of a guard have in common: a verdict about an access token, without what a route
 * asks for besides.
 * @module
 */
import type { AccessTokenClaims } from '@catalytic/protocol/claims';
import type { RefusalCode } from './refusals.ts';

/** The modes. The README of the package says which to take. */
export const modes = ['strict', 'follow', 'ask'] as const;

/** One of {@link modes}. */
export type Mode = (typeof modes)[number];

/** What to do with a request while the guard is not current. */
export const staleChoices = ['deny', 'ask', 'allow'] as const;

/** One of {@link staleChoices}. */
export type WhenStale = (typeof staleChoices)[number];

/** An accepted token. */
export interface Accepted {
  readonly claims: AccessTokenClaims;
  /** Makes the signal that aborts when the token is accepted no more. */
  readonly signal: () => AbortSignal;
}

/** What a guard knows, apart from its counts. */
export interface Knowledge {
  /** Whether verdicts are to be had at this moment. */
  readonly current: boolean;
  /** Time since the last poll that renewed the lease was sent, milliseconds; infinite before the first. */
  readonly staleMs: number;
  /** How long verdicts are to be had without another word of the service, milliseconds. */
  readonly remainingMs: number;
  /** Revocations held. */
  readonly entries: number;
  /** Whether sign-outs wait for this guard. */
  readonly registered: boolean;
}

/** How a guard reaches its verdicts. */
export interface Verdicts {
  /** The verdict that is to be had at once. Never throws. */
  now(token: string): Accepted | RefusalCode;
  /** The verdict on a request; it may take time. Never rejects. */
  of(token: string, whenStale: WhenStale): Promise<Accepted | RefusalCode>;
  readonly knowledge: Knowledge;
  /** Ends it: from here on nothing is accepted. */
  stop(): Promise<void>;
}
