/**
 * Stage: from the bytes of a body to what the use case is given, in the format that the route
 * names.
 * @module
 */
import type { IncomingMessage } from 'node:http';
import { CatalyticError } from '@catalytic/protocol/errors';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { readJson } from '../features/read-json.ts';
import { type BodyFormat, jsonBody, type Route } from '../features/route.ts';
import type { ArrivingBodies } from './arriving-bodies.ts';
import type { RouteStage } from './stage.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The route's, where its body may be left out. */
    readonly isBodyOptional?: boolean;
  }
}

/** Largest JSON body, bytes. */
export const bodyBytesMax = 64 * 1024;

/** Parses a JSON body. @throws {CatalyticError} `body_malformed` */
const parseJson = (bytes: Buffer): unknown => {
  const read = readJson(bytes);
  if ('value' in read) return read.value;
  throw new CatalyticError(
    'body_malformed',
    read.fault === 'doubled member'
      ? { detail: 'Cannot read the body: an object in it has two members of one name' }
      : {},
  );
};

/** Parses the fields of a form, each of which comes once (RFC 6749 section 3.2). @throws {CatalyticError} `body_malformed` */
const parseForm = (bytes: Buffer): unknown => {
  const fields = [...new URLSearchParams(bytes.toString('latin1'))];
  const form = Object.fromEntries(fields);
  if (Object.keys(form).length === fields.length) return form;
  throw new CatalyticError('body_malformed', { detail: 'Cannot read the body: a field of the form comes twice' });
};

/** Whether the route of a request takes one without a body. */
const mayBeAbsent = ({ routeOptions: { schema, config } }: FastifyRequest): boolean =>
  schema?.body === undefined || config?.isBodyOptional === true;

/** Adds a format whose bodies are read whole. */
const addBuffered = (
  server: FastifyInstance,
  mediaType: string,
  parse: (request: FastifyRequest, bytes: Buffer) => unknown,
): void => {
  server.addContentTypeParser(mediaType, { parseAs: 'buffer' }, (request, bytes, done) => {
    try {
      done(null, parse(request, bytes as Buffer));
    } catch (error) {
      done(error as Error);
    }
  });
};

/**
 * Adds a format to a server. A further kind is read by a further case, and by its name in
 * `BodyFormat`.
 */
const addParser = (server: FastifyInstance, { kind, mediaType }: BodyFormat, arriving: ArrivingBodies): void => {
  switch (kind) {
    case 'json':
      addBuffered(server, mediaType, (request, bytes) =>
        bytes.length === 0 && mayBeAbsent(request) ? undefined : parseJson(bytes),
      );
      return;
    case 'form':
      addBuffered(server, mediaType, (_request, bytes) => parseForm(bytes));
      return;
    case 'stream':
      server.addContentTypeParser(mediaType, (_request, stream, done) => done(null, arriving.read(stream)));
  }
};

/** Reads a body in no format of the service: on a route without a body it may come if it is empty. */
const readNothing = async (_request: FastifyRequest, stream: IncomingMessage): Promise<undefined> => {
  // Not destroyed at a refusal: the answer still needs the connection.
  try {
    for await (const chunk of stream.iterator({ destroyOnReturn: false }))
      if ((chunk as Buffer).length > 0) throw new CatalyticError('content_type_unsupported');
  } finally {
    stream.resume();
  }
};

/**
 * Lets a server read the formats of these routes, and JSON: many clients send `{}` to a route that
 * takes no body.
 */
export const addBodyParsers = (server: FastifyInstance, routes: readonly Route[], arriving: ArrivingBodies): void => {
  server.removeAllContentTypeParsers();
  const formats = [jsonBody, ...routes.map(({ bodyFormat = jsonBody }) => bodyFormat)];
  for (const format of new Map(formats.map((format) => [format.mediaType, format])).values())
    addParser(server, format, arriving);
  server.addContentTypeParser('*', readNothing);
};

const takesBody = ({ body: schema, bodyFormat }: Route): boolean => schema !== undefined || bodyFormat !== undefined;

/** The charset that a content type names, if it is not UTF-8: the only one of JSON (RFC 8259 section 8.1). */
const otherCharset = /;\s*charset\s*=\s*(?!"?utf-8"?\s*(?:;|$))/i;

/**
 * Stage before the body is read: refuses a body in another media type than the route's, in another
 * charset than UTF-8, or under a content coding, none of which is undone (RFC 9110 sections 8.3 and
 * 8.4). Many clients name a content type on a request without content, where it says nothing.
 */
export const content: RouteStage<unknown> = {
  name: 'content',
  refuses: ({ method }) => (method === 'GET' ? [] : ['content_type_unsupported', 'content_encoding_unsupported']),
  mount: (_parts, route) => {
    const { kind, mediaType } = route.bodyFormat ?? jsonBody;
    const isNeeded = takesBody(route) && route.isBodyOptional !== true;
    const wanted = kind === 'stream' ? { detail: `This route takes ${mediaType}` } : {};
    return (request, reply) => {
      const { headers } = request;
      const length = headers['content-length'];
      if (headers['transfer-encoding'] === undefined && (length === undefined || length === '0')) {
        if (!isNeeded && headers['content-type'] !== undefined) delete headers['content-type'];
        return;
      }
      const coding = headers['content-encoding'];
      if (coding !== undefined && coding.toLowerCase() !== 'identity') {
        reply.header('accept-encoding', 'identity');
        throw new CatalyticError('content_encoding_unsupported');
      }
      const type = headers['content-type'];
      // The usual spelling, without parameters, needs no closer look.
      if (!isNeeded || type === mediaType) return;
      if (type !== undefined && otherCharset.test(type))
        throw new CatalyticError('content_type_unsupported', { detail: 'Bodies are in UTF-8' });
      if (request.mediaType !== mediaType) throw new CatalyticError('content_type_unsupported', wanted);
    };
  },
};

/** Whether nothing was sent, or an object without members. */
const isEmptyBody = (body: unknown): boolean =>
  body === undefined || body === null || (typeof body === 'object' && Object.keys(body).length === 0);

/** Refuses a body where the route takes none, and a missing one where it reads a stream. */
export const body: RouteStage<unknown> = {
  name: 'body',
  // A body may come with any method but GET, whether the route takes one or not.
  refuses: ({ method }) => (method === 'GET' ? [] : ['body_malformed', 'body_too_large', 'body_invalid']),
  mount: (_parts, route) => {
    const isTaken = takesBody(route);
    const { kind, mediaType } = route.bodyFormat ?? jsonBody;
    return (request) => {
      if (!isTaken && !isEmptyBody(request.body))
        throw new CatalyticError('body_invalid', { detail: 'This route takes no body' });
      if (route.isBodyOptional === true) request.body ??= {};
      // A missing JSON body is for the schema to judge.
      if (kind === 'stream' && request.body === undefined)
        throw new CatalyticError('content_type_unsupported', { detail: `This route takes ${mediaType}` });
    };
  },
};
