/**
 * Step: from the bytes of a body to JSON, exactly.
 * @module
 */
import { CatalyticError } from '@catalytic/protocol/errors';
import type { FastifyRequest } from 'fastify';

/** Largest JSON body, bytes. */
export const bodyBytesMax = 64 * 1024;

/** Bodies are JSON in UTF-8, exactly: a byte that is no text must not become another password than the one sent. */
const utf8 = new TextDecoder('utf-8', { fatal: true });

/** Parses a JSON body. @throws {CatalyticError} `body_malformed` */
export const parseJson = (request: FastifyRequest, bytes: Buffer): unknown => {
  // Many clients name the content type on a POST without a body.
  if (bytes.length === 0 && request.routeOptions.schema?.body === undefined) return undefined;
  try {
    return JSON.parse(utf8.decode(bytes));
  } catch {
    // The parser's own message would quote the body, which may hold a password.
    throw new CatalyticError('body_malformed');
  }
};

/** Whether nothing was sent, or an object without members. */
export const isEmptyBody = (body: unknown): boolean =>
  body === undefined || body === null || (typeof body === 'object' && Object.keys(body).length === 0);

/** Whether the body is still to be read, by the use case. */
export const isStream = (body: unknown): boolean => typeof body === 'object' && body !== null && 'pipe' in body;
