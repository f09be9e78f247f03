/**
 * From a request of a custom scenario to one that can be sent. A mistake is refused with a sentence
 * that names the right form; unusual but valid spellings are normalised.
 * @module
 */
import type { Request } from '../targets/request.ts';

/** A request of a custom scenario. */
export interface CustomRequest {
  /** GET by default; written in capitals. Any method but CONNECT. */
  readonly method?: string;
  /**
   * Path with query, from "/" on. Characters that no path may hold, such as spaces and ö, are
   * percent-encoded; a fragment (#) is left out.
   */
  readonly path: string;
  /**
   * Name under which the request is counted. @default the path without its query. Give one where a
   * path holds an id.
   */
  readonly name?: string;
  /** Header fields. `host` names another virtual host than that of the target. */
  readonly headers?: Readonly<Record<string, string | number>>;
  /** Sent as JSON. */
  readonly json?: unknown;
  /** Text, sent as UTF-8, or bytes. */
  readonly body?: string | Uint8Array;
  /** Carry the access token that the user holds. Default: whenever it holds one. */
  readonly withToken?: boolean;
  /** Statuses that are right; 200 to 299 by default. */
  readonly ok?: readonly number[];
  /**
   * Statuses that are no failure though not right, such as 404 of something that another user may
   * have deleted.
   */
  readonly expected?: readonly number[];
}

const refuse = (what: string): never => {
  throw new RangeError(`Cannot send a request: ${what}`);
};

/** A path that is written as it stands, as nearly all are. */
const usualPath = /^\/[\x21\x22\x24-\x7e]*$/;

/**
 * A path as it is written: neither it nor its query stands in a message, for they may hold a
 * secret.
 */
const pathOf = (path: unknown): string => {
  if (typeof path !== 'string') return refuse('its path is no text: write one such as "/items?page=2"');
  if (usualPath.test(path)) return path;
  if (/^[a-z][a-z0-9+.-]*:/i.test(path))
    refuse(
      'its path is an absolute URL: write what follows the host, such as "/items", and name the host with --target',
    );
  if (!path.startsWith('/')) refuse('its path does not begin with "/": write "/items" in place of "items"');
  if (/\p{Cc}/u.test(path)) refuse('its path holds a line break or another control character: leave it out');
  const [before = ''] = path.split('#', 1);
  if (!before.isWellFormed()) refuse('its path holds half of a character: see how it was cut');
  return before.replace(/[^\x21-\x7e]+/g, encodeURIComponent);
};

const jsonOf = (json: unknown): string => {
  let text: string | undefined;
  try {
    text = JSON.stringify(json);
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('\n', 1)[0] : String(error);
    return refuse(`its json cannot be written (${reason})`);
  }
  return text ?? refuse(`its json is a ${typeof json}: give an object, an array, or a plain value`);
};

const bodyOf = ({ json, body }: CustomRequest): string | Uint8Array | undefined => {
  if (json !== undefined && body !== undefined) refuse('it has both json and body: give one of the two');
  if (json !== undefined) return jsonOf(json);
  if (body !== undefined && typeof body !== 'string' && !(body instanceof Uint8Array))
    refuse('its body is neither text nor bytes: give a string or a Uint8Array, or json');
  return body;
};

/** Name of a request that has none: the path without query and fragment. */
const pathNameOf = (path: string): string => {
  const end = path.search(/[?#]/);
  return end === -1 ? path : path.slice(0, end);
};

/** A `Headers` or a `Map` has no properties: its fields would be lost without a word. */
const headersOf = (headers: unknown): NonNullable<CustomRequest['headers']> => {
  const isPlain =
    typeof headers === 'object' &&
    headers !== null &&
    [Object.prototype, null].includes(Object.getPrototypeOf(headers) as object | null);
  return isPlain
    ? (headers as NonNullable<CustomRequest['headers']>)
    : refuse('its headers are no plain object: write { name: value }');
};

const checkStatuses = (field: 'ok' | 'expected', statuses: unknown): void => {
  if (statuses === undefined || Array.isArray(statuses)) return;
  refuse(`its "${field}" is no list of statuses: write [200]`);
};

/** A request that can be sent, and the name under which it is counted. */
export interface PreparedRequest {
  readonly request: Request;
  readonly name: string;
}

/**
 * Prepares a request.
 * @param token access token that it carries unless it asks for none
 * @throws RangeError that says what is wrong with it; a field's value, a path and a query are in no
 * message
 */
export const prepareRequest = (asked: CustomRequest, token: string | undefined): PreparedRequest => {
  const { method = 'GET', json, withToken = true } = asked;
  if (typeof method !== 'string') refuse('its method is no text: write one such as "POST"');
  if (asked.name !== undefined && (typeof asked.name !== 'string' || asked.name === ''))
    refuse('its name is empty or no text: give one, or leave it out');
  checkStatuses('ok', asked.ok);
  checkStatuses('expected', asked.expected);
  const body = bodyOf(asked);
  // Without a copy of nothing: this runs for every request.
  const headers: Record<string, string | number> = {};
  if (json !== undefined) headers['content-type'] = 'application/json';
  if (withToken && token !== undefined) headers['authorization'] = `Bearer ${token}`;
  if (asked.headers !== undefined) Object.assign(headers, headersOf(asked.headers));
  const start = { method: method.toUpperCase() as Uppercase<string>, path: pathOf(asked.path), headers };
  return {
    request: body === undefined ? start : { ...start, body },
    name: asked.name ?? pathNameOf(asked.path),
  };
};
