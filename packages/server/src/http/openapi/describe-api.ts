/**
 * The description of the API: an OpenAPI 3.1 document, made of the same descriptions and schemas
 * that are mounted.
 * @module
 */
import { paths as protocolPaths } from '@catalytic/protocol/paths';
import { type Access, describedAs, jsonBody, type Route } from '../../features/route.ts';
import type { Schema } from '../../features/schema.ts';
import { bodyBytesMax } from '../body.ts';
import {
  explainedCodes,
  type Json,
  problemSchema,
  refusalAnswers,
  refusalExamples,
  refusalHeaders,
} from './refusals.ts';
import { exampleOf, NamedSchemas } from './schemas.ts';
import { tagOf, tagsOf } from './tags.ts';

/** Facts for the description that no route knows. */
export interface ApiFacts {
  readonly version: string;
  /** Where clients reach the service, beside the address that served the document. */
  readonly urls: readonly string[];
}

const description = [
  'Accounts, sessions and access tokens that are checked locally, and yet are dead everywhere once a sign-out has answered 200.',
  `Bearer tokens only; no cookies. Bodies are JSON in UTF-8, at most ${bodyBytesMax / 1024} KiB unless a route says otherwise. Unknown fields ` +
    'and wrong types are refused, never repaired.',
  'Every refusal is a problem detail (RFC 9457, `application/problem+json`) with a stable `code`. Where it has `Retry-After`, the same ' +
    'request may be sent again after that many seconds.',
  'Routes under `/oauth/` take forms and refuse as RFC 6749 section 5.2 says, with the same `code` beside.',
].join('\n\n');

const securitySchemes: Json = {
  accessToken: {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'JWT',
    description:
      'The `access_token` of a sign-in (RFC 9068), in the header `Authorization` only: never in a URL, a form or a cookie.',
  },
  adminKey: {
    type: 'http',
    scheme: 'bearer',
    description: 'A key made by `catalytic admin-keys create`, for what its scopes name.',
  },
  guardKey: {
    type: 'http',
    scheme: 'bearer',
    description: 'A key made by `catalytic guard-keys create`, for the APIs that check tokens by themselves.',
  },
  client: {
    type: 'http',
    scheme: 'basic',
    description:
      'A guard key or an admin key as a client of OAuth (RFC 6749 section 2.3.1): its id is the user name, the key itself the password.',
  },
};

const securityOf = (access: Access): readonly Json[] => {
  switch (access.kind) {
    case 'public':
      return [];
    case 'admin':
      return [{ adminKey: [access.scope] }];
    case 'guard':
      return [{ guardKey: [] }];
    case 'client':
      // An empty requirement: the client may authenticate in the body.
      return [{ client: [] }, {}];
    case 'signing-out':
      // An empty requirement: the access token may be left out.
      return [{ accessToken: [] }, {}];
    default:
      return [{ accessToken: [] }];
  }
};

/** `/auth/sessions/:id` → `/auth/sessions/{id}`. */
const templateOf = (path: string): string => path.replace(/:(\w+)/g, '{$1}');

/**
 * Made of method and path, which clients rely on anyway: `GET /auth/sessions/{id}` →
 * `getAuthSessionsId`.
 */
const operationIdOf = ({ method, path }: Route): string =>
  method.toLowerCase() +
  (path.match(/[A-Za-z0-9]+/g) ?? ['root']).map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('');

const parametersOf = (place: 'path' | 'query', schema: Schema | undefined): readonly Json[] => {
  const { properties = {}, required = [] } = (schema ?? {}) as {
    readonly properties?: Readonly<Record<string, Json>>;
    readonly required?: readonly string[];
  };
  return Object.entries(properties).map(([name, { description: text, ...rest }]) => ({
    name,
    in: place,
    required: place === 'path' || required.includes(name),
    ...(text === undefined ? {} : { description: text }),
    schema: (rest as { readonly [describedAs]?: Json })[describedAs] ?? rest,
  }));
};

const contentOf = (type: string, schema: Schema, named: NamedSchemas): Json => {
  const example = exampleOf(schema);
  return { [type]: { schema: named.add(schema), ...(example === undefined ? {} : { example }) } };
};

const requestBodyOf = ({ body, bodyFormat, isBodyOptional = false }: Route, named: NamedSchemas): Json => {
  const { mediaType } = bodyFormat ?? jsonBody;
  if (body !== undefined)
    return { requestBody: { required: !isBodyOptional, content: contentOf(mediaType, body, named) } };
  if (bodyFormat === undefined) return {};
  return { requestBody: { required: true, content: { [mediaType]: { schema: { type: 'string' } } } } };
};

/** The successful answers of a route, by status. */
const successesOf = ({ answers, textType = 'application/json', pageType }: Route, named: NamedSchemas): Json =>
  Object.fromEntries(
    Object.entries(answers).map(([status, schema]) => [
      status,
      {
        description: (schema as { readonly description?: string }).description ?? 'The answer.',
        content: {
          ...contentOf(textType, schema, named),
          ...(pageType === undefined ? {} : { [pageType]: { schema: { type: 'string' } } }),
        },
      },
    ]),
  );

const operationOf = (route: Route, named: NamedSchemas): Json => {
  const { summary, access, params, query } = route;
  const parameters = [...parametersOf('path', params), ...parametersOf('query', query)];
  return {
    operationId: operationIdOf(route),
    tags: [tagOf(route.path).name],
    summary,
    ...(route.description === undefined ? {} : { description: route.description }),
    security: securityOf(access),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...requestBodyOf(route, named),
    responses: { ...successesOf(route, named), ...refusalAnswers(route) },
  };
};

const pathOrder: readonly string[] = Object.values(protocolPaths);

/**
 * Describes routes, in the order of the table of paths: within each tag a newcomer meets them as
 * they are needed.
 */
export const describeApi = (routes: readonly Route[], { version, urls }: ApiFacts): Json => {
  const named = new NamedSchemas();
  const listed = routes
    .filter(({ isListed = true }) => isListed)
    .toSorted((a, b) => pathOrder.indexOf(a.path) - pathOrder.indexOf(b.path));
  const paths = Map.groupBy(listed, ({ path }) => templateOf(path));
  return {
    openapi: '3.1.1',
    info: {
      title: 'Catalytic',
      summary: 'Authentication with immediate revocation',
      description,
      version,
      license: { name: 'Apache License 2.0', identifier: 'Apache-2.0' },
    },
    servers: [
      { url: '/', description: 'The service that serves this document' },
      ...urls.map((url) => ({ url, description: 'Where clients reach the service' })),
    ],
    tags: tagsOf([...paths.keys()]).map(({ name, description: text }) => ({ name, description: text })),
    paths: Object.fromEntries(
      [...paths].map(([path, own]) => [
        path,
        Object.fromEntries(own.map((route) => [route.method.toLowerCase(), operationOf(route, named)])),
      ]),
    ),
    components: {
      securitySchemes,
      schemas: { ...named.all(), Problem: problemSchema },
      headers: refusalHeaders,
      examples: refusalExamples(),
    },
    'x-error-codes': explainedCodes(),
  };
};
