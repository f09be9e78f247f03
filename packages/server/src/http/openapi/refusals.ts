/**
 * The refusals of a route in the API's description. The stages of the pipeline say which codes they
 * are.
 * @module
 */
import { CatalyticError, type ErrorCode, errorKind, errorTable } from '@catalytic/protocol/errors';
import type { ProblemFormat, Route } from '../../features/route.ts';
import { refusalsOf } from '../pipeline.ts';
import { hasChallenge, problemDetails, statusIn } from '../problem.ts';

/** Part of an OpenAPI document. */
export type Json = Readonly<Record<string, unknown>>;

/** Every code, in the order of the table. */
export const errorCodes = Object.keys(errorTable) as readonly ErrorCode[];

/** The codes that a route can refuse with, in the order of the error table. */
export const codesOf = (route: Route): readonly ErrorCode[] => {
  const found = new Set(refusalsOf(route));
  return errorCodes.filter((code) => found.has(code));
};

const headersOf = (status: number, codes: readonly ErrorCode[]): Json => {
  const names = [
    ...(codes.some((code) => hasChallenge(code, status)) ? ['WWW-Authenticate'] : []),
    ...(status === 429 || status === 503 ? ['Retry-After'] : []),
    ...(status === 429 ? ['RateLimit', 'RateLimit-Policy'] : []),
  ];
  return Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));
};

/** The headers of refusals. */
export const refusalHeaders: Json = {
  'Retry-After': {
    description: 'Seconds to wait before the same request is sent again (RFC 9110 section 10.2.3).',
    schema: { type: 'integer', minimum: 0 },
    example: 1,
  },
  'WWW-Authenticate': {
    description: 'The challenge (RFC 6750 section 3), one on each 401.',
    schema: { type: 'string' },
    example: 'Bearer realm="catalytic", error="invalid_token", error_description="The access token has been revoked"',
  },
  RateLimit: { description: 'The rest of the limit, and the seconds until it is renewed.', schema: { type: 'string' } },
  'RateLimit-Policy': { description: 'The limit.', schema: { type: 'string' } },
};

/** A real answer with this code. */
const exampleOf = (code: ErrorCode, { bodyOf }: ProblemFormat): Json => ({
  summary: errorKind(code).title,
  value: bodyOf(new CatalyticError(code), '5c1f3d5e-2f0b-4c1e-9a53-9a7c0b8f4d21'),
});

/** The refusals of a route, by status. */
export const refusalAnswers = (route: Route): Json => {
  const { problemFormat = problemDetails } = route;
  const answers = Map.groupBy(codesOf(route), (code) => statusIn(problemFormat, code));
  const example = (code: ErrorCode): Json =>
    problemFormat === problemDetails ? { $ref: `#/components/examples/${code}` } : exampleOf(code, problemFormat);
  return Object.fromEntries(
    [...answers].map(([status, own]) => [
      String(status),
      {
        description: own.map((code) => `\`${code}\`: ${errorKind(code).title}`).join('. '),
        headers: headersOf(status, own),
        content: {
          [problemFormat.mediaType]: {
            schema: problemFormat.schemaOf(own),
            examples: Object.fromEntries(own.map((code) => [code, example(code)])),
          },
        },
      },
    ]),
  );
};

/** One problem detail for each code. */
export const refusalExamples = (): Json =>
  Object.fromEntries(errorCodes.map((code) => [code, exampleOf(code, problemDetails)]));

/** The schema of every refusal. */
export const problemSchema: Json = {
  title: 'Problem',
  description: 'A refusal and its reason (RFC 9457).',
  type: 'object',
  required: ['type', 'title', 'status', 'code'],
  properties: {
    type: { type: 'string', description: 'The code as a URN.' },
    title: { type: 'string', description: 'One sentence for a person; it may be reworded.' },
    status: { type: 'integer', description: 'The status of the answer.' },
    code: { type: 'string', enum: errorCodes, description: 'Decide by it: it never changes its meaning.' },
    detail: { type: 'string', description: 'The action that failed, and the present state.' },
    request_id: { type: 'string', description: 'The id of the request, as in the log of the service.' },
    errors: {
      type: 'array',
      description: 'The fields that were refused.',
      items: {
        type: 'object',
        required: ['field', 'message'],
        properties: {
          field: { type: 'string', description: 'The field, as a JSON pointer.' },
          message: { type: 'string', description: 'Why it was refused.' },
        },
      },
    },
  },
};

/** The error table, for a page that explains the codes. */
export const explainedCodes = (): readonly Json[] =>
  errorCodes.map((code) => {
    const { status, title, retryable } = errorKind(code);
    return { code, status, title, retryable };
  });
