/**
 * The form in which a feature describes its routes. These are descriptions only: the `http` room
 * mounts them, in one pipeline for all.
 * @module
 */
import type { SignedToken } from '@catalytic/guard/signature-checks';
import type { CatalyticError, ErrorCode } from '@catalytic/protocol/errors';
import type { AdminScope, KnownAdminKey } from './admin-keys/store.ts';
import type { Origin } from './audit/store.ts';
import type { KnownGuardKey } from './guard-keys/store.ts';
import { type Schema, type Static, Type } from './schema.ts';

/** The access to a route: the stage "authenticate" judges the caller. */
export type Access =
  /** Every client. */
  | { readonly kind: 'public' }
  /** The bearer of an access token that is accepted now. */
  | { readonly kind: 'bearer' }
  /**
   * The bearer of a genuine, unexpired access token, revoked or not: for signing out, which may be
   * repeated.
   */
  | { readonly kind: 'bearer-signing-out' }
  /**
   * The bearer of a genuine access token of any age, or a caller without one, who then proves in the
   * body which session is theirs.
   */
  | { readonly kind: 'signing-out' }
  /** The holder of an admin key with this scope. */
  | { readonly kind: 'admin'; readonly scope: AdminScope }
  /** The holder of a guard key. */
  | { readonly kind: 'guard' }
  /**
   * A client of OAuth, which may authenticate in the body as well (RFC 6749 section 2.3): the use
   * case judges it.
   */
  | { readonly kind: 'client' };

/** The input of a use case: parsed, validated, authenticated. */
export interface Call<Body, Query, Params> {
  readonly body: Body;
  readonly query: Query;
  /** Segments of the path that its description leaves open. */
  readonly params: Params;
  /** The accepted token; present exactly where the access is `bearer` or `bearer-signing-out`. */
  readonly token: SignedToken;
  /** The genuine token of any age; present only where the access is `signing-out`, if one was sent. */
  readonly genuineToken?: SignedToken;
  /** The admin key; present exactly where the access is `admin`. */
  readonly adminKey: KnownAdminKey;
  /** The guard key; present exactly where the access is `guard`. */
  readonly guardKey: KnownGuardKey;
  /** The header `Authorization`, not judged; present only where the access is `client`, if one was sent. */
  readonly authorization?: string;
  /** The origin of the request: every change takes it along, for the audit trail. */
  readonly origin: () => Origin;
  /** Calls a listener once when the answer was sent, or when the client has gone. */
  readonly onClosed: (listener: () => void) => void;
  /** The media types that the client prefers, as it sent them (RFC 9110 section 12.5.1). */
  readonly accept: string | undefined;
}

/** An answer: status and body, which must match one of the route's `answers`. */
export interface Answer {
  readonly status: number;
  readonly body: unknown;
  /** `Content-Type` of a body that is a text; absent: JSON. */
  readonly contentType?: string;
  /** `Cache-Control`; `no-store` unless given. */
  readonly cacheControl?: string;
  /** Further headers, by names in lower case. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** How a route's body is read. */
export interface BodyFormat {
  /**
   * `json`, `form`: parsed whole, and judged by the route's schema; the fields of a form are texts.
   * `stream`: handed to the use case unread.
   */
  readonly kind: 'json' | 'form' | 'stream';
  readonly mediaType: string;
}

/** The format of every route that names no other. */
export const jsonBody: BodyFormat = { kind: 'json', mediaType: 'application/json' };

/** The format of the requests of OAuth (RFC 6749 appendix B). */
export const formBody: BodyFormat = { kind: 'form', mediaType: 'application/x-www-form-urlencoded' };

/**
 * How the refusals of a route are written. A protocol that defines another form, such as RFC 6749
 * section 5.2, brings its own format.
 */
export interface ProblemFormat {
  readonly mediaType: string;
  /** The challenge of a 401. @default the Bearer challenge of the code (RFC 6750 section 3) */
  readonly challenge?: string;
  /** HTTP status of the answer. @default that of the error table */
  readonly statusOf?: (code: ErrorCode) => number;
  /**
   * The body of the answer.
   * @param requestId absent where there is no request to name
   */
  readonly bodyOf: (error: CatalyticError, requestId?: string) => object;
  /** JSON Schema of a body with one of these codes, for the API's description. */
  readonly schemaOf: (codes: readonly ErrorCode[]) => object;
}

/** One route, described. */
export interface Route {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** `:name` stands for one segment, described in `params`. */
  readonly path: string;
  readonly summary: string;
  /** Further text for the API's description; names of fields and codes in backticks. */
  readonly description?: string;
  /** Whether the API's description lists it. @default true */
  readonly isListed?: boolean;
  readonly access: Access;
  /** Where it answers: to clients, to operators, or to both. @default 'public' */
  readonly listener?: 'public' | 'operate' | 'both';
  /** Schema of the body; absent where the route takes none, or reads a stream. */
  readonly body?: Schema;
  /** Whether the body may be left out: it is then read as `{}`. @default false */
  readonly isBodyOptional?: boolean;
  /** How the body is read. @default jsonBody */
  readonly bodyFormat?: BodyFormat;
  /** How refusals are written. @default problem details (RFC 9457) */
  readonly problemFormat?: ProblemFormat;
  readonly query?: Schema;
  /** Schema of the segments that the path leaves open; given exactly where it has some. */
  readonly params?: Schema;
  /**
   * Codes that the use case refuses with, for the API's description. The stages of the pipeline
   * name their own.
   */
  readonly refuses?: readonly ErrorCode[];
  /** Media type of answers that are a text. @default JSON */
  readonly textType?: string;
  /** Media type of a page that clients get instead if they prefer it, for the API's description. */
  readonly pageType?: string;
  /**
   * Schemas of the successful answers by status. They serialise, so a field without a schema never
   * leaves the service.
   */
  readonly answers: Readonly<Record<number, Schema>>;
  readonly handle: (call: Call<unknown, unknown, unknown>) => Answer | Promise<Answer>;
}

interface TypedRoute<BodySchema extends Schema, QuerySchema extends Schema, ParamsSchema extends Schema>
  extends Omit<Route, 'body' | 'query' | 'params' | 'handle'> {
  readonly body?: BodySchema;
  readonly query?: QuerySchema;
  readonly params?: ParamsSchema;
  readonly handle: (
    call: Call<Static<BodySchema>, Static<QuerySchema>, Static<ParamsSchema>>,
  ) => Answer | Promise<Answer>;
}

/** Describes a route; the schemas give the use case its types. */
export const route = <BodySchema extends Schema, QuerySchema extends Schema, ParamsSchema extends Schema>(
  description: TypedRoute<BodySchema, QuerySchema, ParamsSchema>,
): Route => description as unknown as Route;

interface StreamRoute<QuerySchema extends Schema> extends Omit<Route, 'body' | 'query' | 'params' | 'handle'> {
  readonly bodyFormat: BodyFormat & { readonly kind: 'stream' };
  readonly query?: QuerySchema;
  readonly handle: (call: Call<AsyncIterable<Buffer>, Static<QuerySchema>, unknown>) => Answer | Promise<Answer>;
}

/** Describes a route whose body is read as a stream. */
export const streamRoute = <QuerySchema extends Schema>(description: StreamRoute<QuerySchema>): Route =>
  description as unknown as Route;

/** The key of a schema that stands in the API's description for the one that has it. */
export const describedAs = Symbol('schema in the description');

/**
 * A whole number in a query. Everything in a query is text, and nothing is coerced: a pattern judges
 * it. The description calls it a number, as generated clients should.
 * @param pattern matches the numbers from `minimum` to `maximum`, each in one spelling
 */
export const numberInQuery = (
  pattern: string,
  { description, ...facts }: { minimum: number; maximum: number; description: string; examples: readonly number[] },
): Schema<string> =>
  Object.assign(Type.String({ pattern, description }), { [describedAs]: { type: 'integer', ...facts } });

/** A UUID in lower case, so that one id has one spelling. */
const idPattern = '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$';

/** An id as this service writes it: the list goes on after it. */
export const CursorId = Type.String({ pattern: idPattern, description: '`next_cursor` of the page before.' });

/** Where a list goes on, in its answer. */
export const NextCursor = Type.String({ description: 'Asks for the next page; absent on the last one.' });

/** The field of it; none on the last page. */
export const nextCursorOf = (cursor: string | undefined): { readonly next_cursor?: string } =>
  cursor === undefined ? {} : { next_cursor: cursor };

/** The open segment of a path that names one account, session or tenant. */
export const IdParams = Type.Object(
  { id: Type.String({ pattern: idPattern, description: 'Its id.' }) },
  { additionalProperties: false },
);
