/**
 * Which codes a route can refuse with, as the steps of the pipeline decide it (the table in `server.ts`), and what such an answer is in the
 * API's description.
 * @module
 */
import { CatalyticError, type ErrorCode, errorKind, errorTable } from '@catalytic/protocol/errors';
import type { Route } from '../../features/route.ts';
import { problemOf, problemType } from '../problem.ts';

/** Part of an OpenAPI document. */
export type Json = Readonly<Record<string, unknown>>;

/** Every code, in the order of the table. */
export const errorCodes = Object.keys(errorTable) as readonly ErrorCode[];

const ofEveryRoute: readonly ErrorCode[] = [
  'request_malformed',
  'request_timeout',
  'headers_too_large',
  'header_duplicated',
  'header_invalid',
  'body_invalid',
  'overloaded',
  'shutting_down',
  'internal_error',
];

/** Of every method that may have a body, whether the route takes one or not. */
const ofBodies: readonly ErrorCode[] = ['body_malformed', 'body_too_large', 'content_type_unsupported'];

const ofTokens = errorCodes.filter((code) => code.startsWith('token_'));

const ofAccess = ({ kind }: Route['access']): readonly ErrorCode[] => {
  switch (kind) {
    case 'public':
      return [];
    case 'bearer':
      return [...ofTokens, 'revocation_state_unavailable'];
    case 'bearer-signing-out':
      return ofTokens.filter((code) => code !== 'token_revoked');
    case 'admin':
      return ['admin_key_missing', 'admin_key_invalid', 'admin_scope_insufficient', 'store_unavailable'];
  }
};

/** The codes that a route can refuse with, in the order of the table. */
export const refusalsOf = ({ access, method, refuses = [] }: Route): readonly ErrorCode[] => {
  const found = new Set([...ofEveryRoute, ...(method === 'GET' ? [] : ofBodies), ...ofAccess(access), ...refuses]);
  return errorCodes.filter((code) => found.has(code));
};

const headersOf = (status: number, codes: readonly ErrorCode[]): Json => {
  const names = [
    ...(codes.some((code) => errorKind(code).challenge !== undefined) ? ['WWW-Authenticate'] : []),
    ...(status === 429 || status === 503 ? ['Retry-After'] : []),
    ...(status === 429 ? ['RateLimit', 'RateLimit-Policy'] : []),
  ];
  return Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));
};

/** What the headers of refusals say. */
export const refusalHeaders: Json = {
  'Retry-After': {
    description: 'Seconds to wait before the same request is sent again (RFC 9110 section 10.2.3).',
    schema: { type: 'integer', minimum: 0 },
    example: 1,
  },
  'WWW-Authenticate': {
    description: 'The challenge (RFC 6750 section 3).',
    schema: { type: 'string' },
    example: 'Bearer error="invalid_token", error_description="The access token has been revoked"',
  },
  RateLimit: { description: 'What is left of the limit, and for how long.', schema: { type: 'string' } },
  'RateLimit-Policy': { description: 'The limit.', schema: { type: 'string' } },
};

/** The answers of these codes, by status. */
export const refusalAnswers = (codes: readonly ErrorCode[]): Json => {
  const answers = Map.groupBy(codes, (code) => errorKind(code).status);
  return Object.fromEntries(
    [...answers].map(([status, own]) => [
      String(status),
      {
        description: own.map((code) => `\`${code}\`: ${errorKind(code).title}`).join('. '),
        headers: headersOf(status, own),
        content: {
          [problemType]: {
            schema: { allOf: [{ $ref: '#/components/schemas/Problem' }, { properties: { code: { enum: own } } }] },
            examples: Object.fromEntries(own.map((code) => [code, { $ref: `#/components/examples/${code}` }])),
          },
        },
      },
    ]),
  );
};

/** One real answer for each code. */
export const refusalExamples = (): Json =>
  Object.fromEntries(
    errorCodes.map((code) => [
      code,
      { summary: errorKind(code).title, value: problemOf(new CatalyticError(code), 'pOk3Xb2q-1f') },
    ]),
  );

/** The schema of every refusal. */
export const problemSchema: Json = {
  title: 'Problem',
  description: 'What was refused and why (RFC 9457).',
  type: 'object',
  required: ['type', 'title', 'status', 'code'],
  properties: {
    type: { type: 'string', description: 'A name of the code that is unique everywhere.' },
    title: { type: 'string', description: 'One sentence for a person; it may be reworded.' },
    status: { type: 'integer', description: 'The status of the answer.' },
    code: { enum: errorCodes, description: 'What to decide by: it never changes its meaning.' },
    detail: { type: 'string', description: 'What failed, and the present state.' },
    request_id: { type: 'string', description: 'The request in the log of the service.' },
    errors: {
      type: 'array',
      description: 'The fields that were refused.',
      items: {
        type: 'object',
        required: ['field', 'message'],
        properties: {
          field: { type: 'string', description: 'Its place, a JSON pointer.' },
          message: { type: 'string', description: 'What is wrong with it.' },
        },
      },
    },
  },
};

/** The table, for a page that explains codes. */
export const explainedCodes = (): readonly Json[] =>
  errorCodes.map((code) => {
    const { status, title, retryable } = errorKind(code);
    return { code, status, title, retryable };
  });
