/**
 * Stage: from the bytes of a body to what the use case is given, in the format that the route
 * names.
 * @module
 */
import { CatalyticError } from '@catalytic/protocol/errors';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { type BodyFormat, jsonBody, type Route } from '../features/route.ts';
import type { RouteStage } from './stage.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The route's, where its body may be left out. */
    readonly isBodyOptional?: boolean;
  }
}

/** Largest JSON body, bytes. */
export const bodyBytesMax = 64 * 1024;

/**
 * Bodies are JSON in UTF-8, exactly: a byte that is no text must not become another password than
 * the one sent.
 */
const utf8 = new TextDecoder('utf-8', { fatal: true });

/** Parses a JSON body. @throws {CatalyticError} `body_malformed` */
const parseJson = (request: FastifyRequest, bytes: Buffer): unknown => {
  const { schema, config } = request.routeOptions;
  // Many clients name the content type on a POST without a body.
  if (bytes.length === 0 && (schema?.body === undefined || config?.isBodyOptional === true)) return undefined;
  try {
    return JSON.parse(utf8.decode(bytes));
  } catch {
    // The parser's own message would quote the body, which may hold a password.
    throw new CatalyticError('body_malformed');
  }
};

/**
 * Adds a format to a server. A further kind is read by a further case, and by its name in
 * `BodyFormat`.
 */
const addParser = (server: FastifyInstance, { kind, mediaType }: BodyFormat): void => {
  switch (kind) {
    case 'json':
      server.addContentTypeParser(mediaType, { parseAs: 'buffer' }, (request, bytes, done) => {
        try {
          done(null, parseJson(request, bytes as Buffer));
        } catch (error) {
          done(error as Error);
        }
      });
      return;
    case 'stream':
      server.addContentTypeParser(mediaType, (_request, stream, done) => done(null, stream));
  }
};

/**
 * Lets a server read the formats of these routes, and JSON: many clients send `{}` to a route that
 * takes no body.
 */
export const addBodyParsers = (server: FastifyInstance, routes: readonly Route[]): void => {
  server.removeAllContentTypeParsers();
  const formats = [jsonBody, ...routes.map(({ bodyFormat = jsonBody }) => bodyFormat)];
  for (const format of new Map(formats.map((format) => [format.mediaType, format])).values()) addParser(server, format);
};

/** Whether nothing was sent, or an object without members. */
const isEmptyBody = (body: unknown): boolean =>
  body === undefined || body === null || (typeof body === 'object' && Object.keys(body).length === 0);

/**
 * Refuses a body that came in another format than the route's, and any body where the route takes
 * none.
 */
export const body: RouteStage<unknown> = {
  name: 'body',
  // A body may come with any method but GET, whether the route takes one or not.
  refuses: ({ method }) =>
    method === 'GET' ? [] : ['body_malformed', 'body_too_large', 'content_type_unsupported', 'body_invalid'],
  mount: (_parts, { body: schema, bodyFormat, isBodyOptional = false }) => {
    const { kind, mediaType } = bodyFormat ?? jsonBody;
    const takesBody = schema !== undefined || bodyFormat !== undefined;
    const isStream = kind === 'stream';
    return (request) => {
      if (!takesBody && !isEmptyBody(request.body))
        throw new CatalyticError('body_invalid', { detail: 'This route takes no body' });
      if (isBodyOptional && (request.body === undefined || request.body === null)) {
        request.body = {};
        return;
      }
      // A missing JSON body is for the schema to judge.
      if (request.body === undefined ? isStream : request.mediaType !== mediaType)
        throw new CatalyticError(
          'content_type_unsupported',
          isStream ? { detail: `This route takes ${mediaType}` } : {},
        );
    };
  },
};
