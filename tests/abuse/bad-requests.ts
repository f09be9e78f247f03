/**
 * Requests that no honest client sends, as tables: the bytes, and the one code they are refused with.
 * @module
 */
import type { ErrorCode } from '@catalytic/protocol/errors';
import { requestBytes } from '../harness/raw.ts';
import { type BadRequest, badBodies, json, jsonType, login } from './bad-bodies.ts';

const loginText = JSON.stringify(login);
const length = `Content-Length: ${loginText.length}`;
const chunk = (text: string): string => `${text.length.toString(16)}\r\n${text}\r\n`;
const megabyteInChunks = Buffer.from(`${chunk('x'.repeat(65_536)).repeat(16)}0\r\n\r\n`);

const headers: readonly (readonly [string, string, readonly string[], string | Buffer, ErrorCode])[] = [
  [
    'two Authorization headers',
    '/auth/login',
    [jsonType, 'Authorization: Bearer a', 'authorization: Bearer b'],
    loginText,
    'header_duplicated',
  ],
  ['two Content-Type headers', '/auth/login', [jsonType, 'Content-type: text/plain'], loginText, 'header_duplicated'],
  ['the same Content-Type twice', '/auth/login', [jsonType, jsonType], loginText, 'header_duplicated'],
  ['two Host headers', '/auth/login', [jsonType, 'Host: a', 'Host: b'], loginText, 'header_duplicated'],
  ['two Content-Length headers', '/auth/login', [jsonType, length, length], loginText, 'request_malformed'],
  [
    'two different Content-Length headers',
    '/auth/login',
    [jsonType, length, 'Content-Length: 1'],
    loginText,
    'request_malformed',
  ],
  [
    'Content-Length and Transfer-Encoding',
    '/auth/login',
    [jsonType, length, 'Transfer-Encoding: chunked'],
    loginText,
    'request_malformed',
  ],
  [
    'Transfer-Encoding and Content-Length',
    '/auth/login',
    [jsonType, 'Transfer-Encoding: chunked', length],
    loginText,
    'request_malformed',
  ],
  [
    'two Transfer-Encoding headers',
    '/auth/login',
    [jsonType, 'Transfer-Encoding: chunked', 'Transfer-Encoding: identity'],
    loginText,
    'request_malformed',
  ],
  [
    'a Transfer-Encoding that is not chunked',
    '/auth/login',
    [jsonType, 'Transfer-Encoding: gzip'],
    loginText,
    'request_malformed',
  ],
  [
    'a Transfer-Encoding in disguise',
    '/auth/login',
    [jsonType, 'Transfer-Encoding: xchunked'],
    loginText,
    'request_malformed',
  ],
  [
    'a Transfer-Encoding of which only the last coding is chunked',
    '/auth/login',
    [jsonType, 'Transfer-Encoding: gzip, chunked'],
    `${chunk(loginText)}0\r\n\r\n`,
    'transfer_coding_unsupported',
  ],
  [
    'a body that says it is compressed',
    '/auth/login',
    [jsonType, 'Content-Encoding: gzip'],
    loginText,
    'content_encoding_unsupported',
  ],
  [
    'two content codings',
    '/auth/logout',
    [jsonType, 'Content-Encoding: identity, br'],
    '{}',
    'content_encoding_unsupported',
  ],
  [
    'another charset',
    '/auth/login',
    ['Content-Type: application/json; charset=utf-16'],
    loginText,
    'content_type_unsupported',
  ],
  [
    'another charset in quotes',
    '/auth/login',
    ['Content-Type: application/json; a=b;Charset="ISO-8859-1"'],
    loginText,
    'content_type_unsupported',
  ],
  ['a negative length', '/auth/login', [jsonType, 'Content-Length: -1'], loginText, 'request_malformed'],
  ['a signed length', '/auth/login', [jsonType, 'Content-Length: +5'], loginText, 'request_malformed'],
  ['a length that is no number', '/auth/login', [jsonType, 'Content-Length: many'], loginText, 'request_malformed'],
  [
    'a length of 20 digits',
    '/auth/login',
    [jsonType, 'Content-Length: 99999999999999999999'],
    loginText,
    'request_malformed',
  ],
  [
    'a megabyte announced',
    '/auth/login',
    [jsonType, 'Content-Length: 1000000'],
    Buffer.alloc(1_000_000, ' '),
    'body_too_large',
  ],
  ['a megabyte in chunks', '/auth/login', [jsonType, 'Transfer-Encoding: chunked'], megabyteInChunks, 'body_too_large'],
  [
    'a chunk size that is no number',
    '/auth/login',
    [jsonType, 'Transfer-Encoding: chunked'],
    'zz\r\n{}\r\n0\r\n\r\n',
    'request_malformed',
  ],
  [
    'a chunk longer than it says',
    '/auth/login',
    [jsonType, 'Transfer-Encoding: chunked'],
    '1\r\n{}\r\n0\r\n\r\n',
    'request_malformed',
  ],
  [
    'a header of 20 KB',
    '/auth/login',
    [jsonType, `Authorization: Bearer ${'a'.repeat(20_000)}`],
    loginText,
    'headers_too_large',
  ],
  [
    'a thousand headers',
    '/auth/login',
    [jsonType, ...Array.from({ length: 1000 }, (_, index) => `X-Header-${index}: value`)],
    loginText,
    'headers_too_large',
  ],
  ['no content type', '/auth/login', [], loginText, 'content_type_unsupported'],
  ['an empty content type', '/auth/login', ['Content-Type:'], loginText, 'content_type_unsupported'],
  ['plain text', '/auth/login', ['Content-Type: text/plain'], loginText, 'content_type_unsupported'],
  [
    'a form type',
    '/auth/login',
    ['Content-Type: application/x-www-form-urlencoded'],
    loginText,
    'content_type_unsupported',
  ],
  [
    'a multipart type',
    '/auth/login',
    ['Content-Type: multipart/form-data; boundary=x'],
    loginText,
    'content_type_unsupported',
  ],
  [
    'a type that begins like JSON',
    '/auth/login',
    ['Content-Type: application/jsonp'],
    loginText,
    'content_type_unsupported',
  ],
  [
    'two types in one header',
    '/auth/login',
    ['Content-Type: text/plain, application/json'],
    loginText,
    'content_type_unsupported',
  ],
  ['a type that is no type', '/auth/login', ['Content-Type: \u00ff/\u00ff'], loginText, 'content_type_unsupported'],
  ['lines of JSON', '/auth/login', ['Content-Type: application/x-ndjson'], loginText, 'content_type_unsupported'],
  ['an expectation nobody can meet', '/auth/login', [jsonType, 'Expect: a-miracle'], loginText, 'header_invalid'],
  ['a header without a colon', '/auth/login', [jsonType, 'X-Header value'], loginText, 'request_malformed'],
  ['a space before the colon', '/auth/login', [jsonType, 'X-Header : value'], loginText, 'request_malformed'],
  ['a folded header', '/auth/login', [jsonType, 'X-Header: one', ' two'], loginText, 'request_malformed'],
  ['a header without a name', '/auth/login', [jsonType, ': value'], loginText, 'request_malformed'],
  ['a NUL in a header', '/auth/login', [jsonType, 'X-Header: a\u0000b'], loginText, 'request_malformed'],
  ['a bare carriage return in a header', '/auth/login', [jsonType, 'X-Header: a\rb'], loginText, 'request_malformed'],
];

const longPath = `/auth/${'a'.repeat(8000)}`;
const targets: readonly (readonly [string, string, ErrorCode | 200])[] = [
  ['GET', '//', 'route_unknown'],
  ['GET', '/auth', 'route_unknown'],
  ['GET', '/auth/verify/', 'route_unknown'],
  ['GET', '//auth/verify', 'route_unknown'],
  ['GET', '/AUTH/verify', 'route_unknown'],
  ['GET', '/auth/./verify', 'route_unknown'],
  ['GET', '/health/../auth/verify', 'route_unknown'],
  ['GET', '/health/%2e%2e/auth/verify', 'route_unknown'],
  ['GET', '/auth%2fverify', 'route_unknown'],
  ['GET', '/auth\\verify', 'route_unknown'],
  ['GET', '/auth/verify;a=b', 'route_unknown'],
  ['GET', '/auth/verify%00', 'route_unknown'],
  ['GET', '/auth/verify%0d%0aX-Header:1', 'route_unknown'],
  ['GET', '/%c3%28', 'request_malformed'],
  ['GET', '/%', 'request_malformed'],
  ['GET', '/auth/%zz', 'request_malformed'],
  ['GET', longPath, 'route_unknown'],
  ['GET', `/${'%41'.repeat(3000)}`, 'route_unknown'],
  ['GET', '/__proto__', 'route_unknown'],
  ['GET', '/constructor', 'route_unknown'],
  ['GET', '*', 'request_malformed'],
  ['GET', '*auth/verify', 'request_malformed'],
  ['OPTIONS', '*', 'route_unknown'],
  ['GET', '/health/live?x=1', 'body_invalid'],
  ['GET', '/health/live?__proto__=1', 'body_invalid'],
  ['GET', '/auth/verify?access_token=x', 'token_missing'],
  ['POST', '/admin/accounts/import?tenant=lab', 'admin_key_missing'],
  ['GET', '/auth/login', 'method_unsupported'],
  ['GET', '/auth/login?x=1', 'method_unsupported'],
  ['PUT', '/auth/register', 'method_unsupported'],
  ['DELETE', '/auth/logout', 'method_unsupported'],
  ['PATCH', '/auth/refresh', 'method_unsupported'],
  ['OPTIONS', '/auth/login', 'method_unsupported'],
  ['TRACE', '/auth/login', 'method_unsupported'],
  ['POST', '/auth/verify', 'method_unsupported'],
  ['POST', '/.well-known/jwks.json', 'method_unsupported'],
  ['PROPFIND', '/auth/login', 'method_unsupported'],
  ['QUERY', '/auth/login', 'method_unsupported'],
  ['QUERY', '/nowhere', 'route_unknown'],
  ['QUERY', '/auth/sessions', 'method_unsupported'],
  ['BREW', '/auth/login', 'request_malformed'],
  ['get', '/health/live', 'request_malformed'],
];

const live = 'GET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n';
const lines: readonly BadRequest[] = [
  { about: 'HTTP/1.0', pieces: ['GET /health/live HTTP/1.0\r\n\r\n'], expected: 200 },
  { about: 'an empty line first', pieces: [`\r\n${live}`], expected: 200 },
  { about: 'a request in single bytes', pieces: live.split('').flatMap((byte) => [byte, 1]), expected: 200 },
  {
    about: 'HTTP/1.0 in chunks',
    pieces: [
      json('/auth/login', `${chunk(loginText)}0\r\n\r\n`, [jsonType, 'Transfer-Encoding: chunked'])
        .toString('latin1')
        .replace('HTTP/1.1', 'HTTP/1.0'),
    ],
    expected: 'request_malformed',
  },
  ...['PUT', 'QUERY', 'PATCH'].map((method) => ({
    about: `${method} of a text in no charset we know`,
    pieces: [requestBytes(method, '/auth/login', ['Content-Type: text/plain; charset=x'], 'text')],
    expected: 'method_unsupported' as const,
  })),
  ...['text/plain', 'application/json', 'no type'].map((type) => ({
    about: `POST of ${type} to nowhere`,
    pieces: [requestBytes('POST', '/nowhere', [`Content-Type: ${type}`], '{')],
    expected: 'route_unknown' as const,
  })),
  {
    about: 'a wish to upgrade',
    pieces: [live.replace('close', 'close, Upgrade\r\nUpgrade: websocket')],
    expected: 200,
  },
  {
    about: 'an absolute target',
    pieces: [live.replace('/health', 'http://elsewhere.example/health')],
    expected: 200,
  },
  { about: 'HTTP/1.1 without Host', pieces: [live.replace('Host: localhost\r\n', '')], expected: 'request_malformed' },
  { about: 'HTTP/2.0 in words', pieces: [live.replace('HTTP/1.1', 'HTTP/2.0')], expected: 'request_malformed' },
  { about: 'HTTP/9.9', pieces: [live.replace('HTTP/1.1', 'HTTP/9.9')], expected: 'request_malformed' },
  { about: 'HTTP/0.9', pieces: ['GET /health/live\r\n\r\n'], expected: 'request_malformed' },
  { about: 'the preface of HTTP/2', pieces: ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'], expected: 'request_malformed' },
  {
    about: 'the start of a TLS handshake',
    pieces: [Buffer.from('16030100a5010000a10303', 'hex')],
    expected: 'request_malformed',
  },
  {
    about: 'garbage',
    pieces: [Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))],
    expected: 'request_malformed',
  },
  {
    about: 'a target with a space',
    pieces: [live.replace('/health/live', '/health /live')],
    expected: 'request_malformed',
  },
  {
    about: 'a target without a slash',
    pieces: [live.replace('/health/live', 'health')],
    expected: 'request_malformed',
  },
  {
    about: 'a request line of 100 KB',
    pieces: [live.replace('/health/live', `/${'a'.repeat(100_000)}`)],
    expected: 'headers_too_large',
  },
  {
    about: 'GET with a body',
    pieces: [requestBytes('GET', '/auth/verify', [jsonType], loginText)],
    expected: 'token_missing',
  },
];

/** The client goes silent before the request is whole. */
export const unfinishedRequests: readonly BadRequest[] = [
  {
    about: 'a head that never ends',
    pieces: ['GET /health/live HTTP/1.1\r\nHost: localhost\r\nX-Header: '],
    expected: 'request_timeout',
  },
  {
    about: 'a head that drips',
    pieces: [
      'GET /health/live HTTP/1.1\r\nHost: localhost\r\n',
      ...Array.from({ length: 40 }, (_, index) => [100, `X-${index}: a\r\n`]).flat(),
    ],
    expected: 'request_timeout',
  },
  {
    about: 'a body shorter than announced',
    pieces: [json('/auth/login', loginText, [jsonType, `Content-Length: ${loginText.length + 1}`])],
    expected: 'request_timeout',
  },
  {
    about: 'a chunk that never ends',
    pieces: [json('/auth/login', `${chunk(loginText)}5\r\n`, [jsonType, 'Transfer-Encoding: chunked'])],
    expected: 'request_timeout',
  },
];

/** Every bad request that can be answered at once. */
export const badRequests: readonly BadRequest[] = [
  ...badBodies,
  ...headers.map(([about, path, list, body, expected]) => ({
    about: `${path} with ${about}`,
    pieces: [requestBytes('POST', path, list, body)],
    expected,
  })),
  ...targets.map(([method, path, expected]) => ({
    about: `${method} ${path.slice(0, 40)}`,
    pieces: [requestBytes(method, path)],
    expected,
  })),
  ...lines,
];
