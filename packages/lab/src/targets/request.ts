/**
 * A request, and how it is written (RFC 9112 section 3).
 * @module
 */

/** A request to send. */
export interface Request {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Path with query, percent-encoded. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

const pathGrammar = /^\/[\x21-\x7e]*$/;
const nameGrammar = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const valueGrammar = /^[\x20-\x7e\t]*$/;

/** Fields that decide where a request ends: they are the connection's business. */
const framing: ReadonlySet<string> = new Set(['host', 'content-length', 'transfer-encoding', 'connection']);

/**
 * Writes a request.
 * @param host of the target, with its port where that is not the scheme's own
 * @throws RangeError when a part of it would be read as something else
 */
export const requestText = (host: string, { method, path, headers, body }: Request): string => {
  if (!pathGrammar.test(path)) throw new RangeError(`Cannot send a request: its path is ${JSON.stringify(path)}`);
  let text = `${method} ${path} HTTP/1.1\r\nhost: ${host}\r\n`;
  if (headers !== undefined)
    for (const name in headers) {
      const value = headers[name] ?? '';
      // Its value may be a secret: the message names the field only.
      if (!nameGrammar.test(name) || !valueGrammar.test(value) || framing.has(name.toLowerCase()))
        throw new RangeError(`Cannot send a request: its header field ${JSON.stringify(name)} is not allowed`);
      text += `${name}: ${value}\r\n`;
    }
  return body === undefined ? `${text}\r\n` : `${text}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
};
