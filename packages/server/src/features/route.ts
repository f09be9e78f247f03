/**
 * The words in which a feature describes its routes. Descriptions only: the `http` room mounts them, in one pipeline for all.
 * @module
 */
import type { Readable } from 'node:stream';
import type { SignedToken } from '@catalytic/guard/signature-checks';
import type { Static, TSchema } from 'typebox';
import type { AdminKey, AdminScope } from './admin-keys/store.ts';

/** Who may call a route, and so which steps of the pipeline run before its use case. */
export type Access =
  /** Anybody. */
  | { readonly kind: 'public' }
  /** The bearer of an access token that is accepted now. */
  | { readonly kind: 'bearer' }
  /** The bearer of a genuine, unexpired access token, revoked or not: for signing out, which may be repeated. */
  | { readonly kind: 'bearer-signing-out' }
  /** The holder of an admin key with this scope. */
  | { readonly kind: 'admin'; readonly scope: AdminScope };

/** What a use case is given: parsed, validated, authenticated. */
export interface Call<Body, Query> {
  readonly body: Body;
  readonly query: Query;
  /** The accepted token; present exactly where the access is `bearer` or `bearer-signing-out`. */
  readonly token: SignedToken;
  /** The admin key; present exactly where the access is `admin`. */
  readonly adminKey: AdminKey;
}

/** An answer: status and body, which must match one of the route's `answers`. */
export interface Answer {
  readonly status: number;
  readonly body: unknown;
  /** `Content-Type` of a body that is a text; absent: JSON. */
  readonly contentType?: string;
  /** `Cache-Control`; `no-store` unless given. */
  readonly cacheControl?: string;
}

/** One route, described. */
export interface Route {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly summary: string;
  readonly access: Access;
  readonly body?: TSchema;
  /** Content type of a body that the use case reads itself, as a stream; then `body` is absent. */
  readonly streamType?: string;
  readonly query?: TSchema;
  /** Schemas of the successful answers by status: they serialise, so a field that is not named never leaves the service. */
  readonly answers: Readonly<Record<number, TSchema>>;
  readonly handle: (call: Call<unknown, unknown>) => Answer | Promise<Answer>;
}

interface TypedRoute<BodySchema extends TSchema, QuerySchema extends TSchema>
  extends Omit<Route, 'body' | 'query' | 'streamType' | 'handle'> {
  readonly body?: BodySchema;
  readonly query?: QuerySchema;
  readonly handle: (call: Call<Static<BodySchema>, Static<QuerySchema>>) => Answer | Promise<Answer>;
}

/** Describes a route; the schemas give the use case its types. */
export const route = <BodySchema extends TSchema, QuerySchema extends TSchema>(
  description: TypedRoute<BodySchema, QuerySchema>,
): Route => description as unknown as Route;

interface StreamRoute<QuerySchema extends TSchema> extends Omit<Route, 'body' | 'query' | 'handle' | 'streamType'> {
  readonly streamType: string;
  readonly query?: QuerySchema;
  readonly handle: (call: Call<Readable, Static<QuerySchema>>) => Answer | Promise<Answer>;
}

/** Describes a route whose body is read as a stream. */
export const streamRoute = <QuerySchema extends TSchema>(description: StreamRoute<QuerySchema>): Route =>
  description as unknown as Route;
