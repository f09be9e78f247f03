/**
 * A request, and how it is written (RFC 9112 section 3).
 * @module
 */

/** A request to send. */
export interface Request {
  /** Any but CONNECT. */
  readonly method: Uppercase<string>;
  /** Path with query, percent-encoded. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string | number>>;
  /** Text goes as UTF-8, bytes as they are. */
  readonly body?: string | Uint8Array;
}

const pathGrammar = /^\/[\x21-\x7e]*$/;
const tokenGrammar = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const valueGrammar = /^[\x20-\x7e\t]*$/;
/** A name or address with a port, RFC 9110 section 7.2. */
const hostGrammar = /^(?:[A-Za-z0-9\-._~%]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?$/;

/**
 * Fields that decide where a request ends and whether another follows: they are the connection's
 * business.
 */
const framing: ReadonlySet<string> = new Set(['content-length', 'transfer-encoding', 'connection']);

/**
 * Methods that a server expects a body with: without one the length 0 is said (RFC 9110 section
 * 8.6), else some answer 411.
 */
const withBody: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH']);

/** Methods that are words without looking. */
const usualMethods: ReadonlySet<string> = new Set(['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS']);

/** Methods that may be repeated without asking, RFC 9110 section 9.2.2. */
const idempotent: ReadonlySet<string> = new Set(['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS']);

/** Whether a request that may or may not have been processed may be sent once more. */
export const isRepeatable = (method: string): boolean => idempotent.has(method);

/** Why a value of a field cannot be sent; `undefined` when it can. */
const valueFlaw = (value: unknown): string | undefined => {
  if (typeof value === 'number' ? !Number.isFinite(value) : typeof value !== 'string')
    return 'has a value that is neither text nor a number: give one of the two';
  return valueGrammar.test(String(value))
    ? undefined
    : 'has a value with a line break or a character outside ASCII: encode it, as with encodeURIComponent';
};

/**
 * The fault of a field, in words. Its value may be a secret, so the message names the field only.
 */
const refuseField = (name: string, flaw: string): never => {
  throw new RangeError(`Cannot send a request: its header field ${JSON.stringify(name)} ${flaw}`);
};

/** Writes the fields of a request, the host first. */
const fieldLines = (host: string, headers: Request['headers']): string => {
  let named = host;
  let lines = '';
  for (const name in headers) {
    const value = headers[name];
    if (!tokenGrammar.test(name)) refuseField(name, 'has a name that is none: leave out spaces and colons');
    const flaw = valueFlaw(value);
    if (flaw !== undefined) refuseField(name, flaw);
    const lower = name.toLowerCase();
    if (framing.has(lower)) refuseField(name, 'is written by the lab itself: leave it out');
    if (lower !== 'host') lines += `${name}: ${value}\r\n`;
    else if (hostGrammar.test(String(value))) named = String(value);
    else refuseField(name, 'is no host: write a name or an address, with a port if need be');
  }
  return `host: ${named}\r\n${lines}`;
};

const refuseMethod = (method: string): void => {
  if (!tokenGrammar.test(method)) throw new RangeError('Cannot send a request: its method is no word');
  if (method === 'CONNECT')
    throw new RangeError('Cannot send a request: CONNECT makes a tunnel, which the lab has no use for');
};

/**
 * Writes a request.
 * @param host of the target, with its port where that is not the scheme's own
 * @param basePath goes before every path; empty, or it begins with a slash and does not end with
 * one
 * @throws RangeError when a part of it would be read as something else
 */
export const requestMessage = (host: string, basePath: string, request: Request): string | Buffer => {
  const { method, path, headers, body } = request;
  // Messages hold neither path nor method: both may contain a secret.
  if (!usualMethods.has(method)) refuseMethod(method);
  if (!pathGrammar.test(path))
    throw new RangeError('Cannot send a request: its path must begin with "/", and be percent-encoded: /items?page=2');
  const start = `${method} ${basePath}${path} HTTP/1.1\r\n${fieldLines(host, headers)}`;
  if (body === undefined) return withBody.has(method) ? `${start}content-length: 0\r\n\r\n` : `${start}\r\n`;
  if (typeof body === 'string') return `${start}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
  return Buffer.concat([Buffer.from(`${start}content-length: ${body.byteLength}\r\n\r\n`, 'latin1'), body]);
};
