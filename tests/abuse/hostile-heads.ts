/**
 * Requests of an attacker in front of a gateway, as tables.
 * @module
 */

/** A way to call oneself somebody else: lines of a head, and a body where the trick needs one. */
export interface Forgery {
  readonly about: string;
  readonly headers: readonly string[];
  readonly body?: string;
}

/** The identity that no answer of a guard names. */
export const forged = 'forged-identity';

/** Spellings of a forged identity. The gateway refuses the request, or the API hears of nobody but the real caller. */
export const forgeries: readonly Forgery[] = [
  { about: 'the same name', headers: [`Catalytic-Subject: ${forged}`] },
  { about: 'small letters', headers: [`catalytic-subject: ${forged}`] },
  { about: 'capital letters', headers: [`CATALYTIC-SUBJECT: ${forged}`] },
  { about: 'an underscore', headers: [`Catalytic_Subject: ${forged}`] },
  { about: 'a small underscore', headers: [`catalytic_subject: ${forged}`] },
  { about: 'both spellings', headers: [`catalytic_subject: ${forged}`, `Catalytic-Subject: ${forged}`] },
  { about: 'a dot', headers: [`Catalytic.Subject: ${forged}`] },
  { about: 'another mark', headers: [`Catalytic~Subject: ${forged}`] },
  { about: 'twice', headers: [`Catalytic-Subject: ${forged}`, `Catalytic-Subject: ${forged}2`] },
  {
    about: 'every name',
    headers: ['Tenant', 'Session', 'Scope', 'Expires'].map((name) => `Catalytic-${name}: ${forged}`),
  },
  { about: 'a role that the guard does not send', headers: ['Catalytic-Roles: admin'] },
  { about: 'a role with an underscore', headers: ['CATALYTIC_ROLES: admin'] },
  { about: 'an empty value', headers: ['Catalytic-Subject:', 'Catalytic-Roles: '] },
  { about: 'spaces around it', headers: [`Catalytic-Subject:   ${forged}   `] },
  { about: 'a tab before the colon', headers: [`Catalytic-Subject\t: ${forged}`] },
  { about: 'a space before the colon', headers: [`Catalytic-Subject : ${forged}`] },
  { about: 'a folded line', headers: ['X-Other: a', ` Catalytic-Subject: ${forged}`] },
  { about: 'a folded value', headers: ['Catalytic-Subject:', ` ${forged}`] },
  { about: 'a bare carriage return', headers: [`X-Other: a\rCatalytic-Subject: ${forged}`] },
  { about: 'a bare line feed', headers: [`X-Other: a\nCatalytic-Subject: ${forged}`] },
  { about: 'a NUL', headers: [`X-Other: a\u0000Catalytic-Subject: ${forged}`] },
  { about: 'a name with bytes outside of ASCII', headers: [`Catalytic\u2011Subject: ${forged}`] },
  { about: 'the identity as a hop', headers: ['Connection: Catalytic-Subject'] },
  {
    about: 'the identity as one of several hops',
    headers: ['Connection: keep-alive, catalytic-subject, Catalytic-Roles'],
  },
  { about: 'the token as a hop', headers: ['Connection: Authorization'] },
  { about: 'older hops', headers: ['Proxy-Connection: Catalytic-Subject', 'Keep-Alive: Catalytic-Subject'] },
  { about: 'placeholders', headers: ['Catalytic-Roles: {http.request.header.X-Other}', 'X-Other: $catalytic_subject'] },
  {
    about: 'a trailer',
    headers: ['TE: trailers', 'Transfer-Encoding: chunked'],
    body: `2\r\n{}\r\n0\r\nCatalytic-Subject: ${forged}\r\n\r\n`,
  },
  {
    about: 'an announced trailer',
    headers: ['TE: trailers', 'Trailer: Catalytic-Subject', 'Transfer-Encoding: chunked'],
    body: `2\r\n{}\r\n0\r\nCatalytic-Subject: ${forged}\r\n\r\n`,
  },
  {
    about: 'a chunk extension',
    headers: ['Transfer-Encoding: chunked'],
    body: `2;\nCatalytic-Subject: ${forged}\r\n{}\r\n0\r\n\r\n`,
  },
];

/** Whatever a gateway tells the guard of a request, said by the client: it must change no verdict. */
export const forgedOrigins: readonly string[] = [
  'X-Original-URI: /open',
  'X-Original-Method: GET',
  'X-Forwarded-Uri: /open',
  'X-Forwarded-Method: OPTIONS',
  'X-Forwarded-Host: elsewhere.example',
  'X-Forwarded-Prefix: /open',
  'X-Original-URL: /open',
  'X-Rewrite-URL: /open',
  'X-HTTP-Method-Override: OPTIONS',
];

/** A request with another one hidden in it, as bytes in Latin-1. */
export interface SmuggledRequest {
  readonly about: string;
  readonly bytes: string;
}

/**
 * Requests in which a second one is hidden. The first one of each asks for another path below `/first` and carries a live token, the hidden one
 * asks for `/smuggled` with none and a forged identity.
 */
export const smuggledRequests = (token: string): readonly SmuggledRequest[] => {
  const hidden = `GET /smuggled HTTP/1.1\r\nHost: localhost\r\nCatalytic-Subject: ${forged}\r\n\r\n`;
  const { length } = hidden;
  const head = (...lines: readonly string[]): string =>
    ['POST /first HTTP/1.1', 'Host: localhost', `Authorization: Bearer ${token}`, ...lines, '', ''].join('\r\n');
  const chunked = `0\r\n\r\n${hidden}`;
  const transfer = 'Transfer-Encoding: chunked';
  const whole = `Content-Length: ${chunked.length}`;
  const all = [
    ['pipelined', `${head('Content-Length: 0')}${hidden}`],
    ['CL.TE', `${head(whole, transfer)}${chunked}`],
    ['TE.CL', `${head(transfer, 'Content-Length: 4')}${length.toString(16)}\r\n${hidden}\r\n0\r\n\r\n`],
    ['CL.0', `${head(`Content-Length: ${length}`)}${hidden}`],
    ['two lengths', `${head('Content-Length: 0', `Content-Length: ${length}`)}${hidden}`],
    ['two lengths, the other way', `${head(`Content-Length: ${length}`, 'Content-Length: 0')}${hidden}`],
    ['a list of lengths', `${head(`Content-Length: 0, ${length}`)}${hidden}`],
    ['a signed length', `${head(`Content-Length: +${length}`)}${hidden}`],
    ['a hexadecimal length', `${head('Content-Length: 0x0')}${hidden}`],
    ['a length with a space', `${head('Content-Length: 0 0')}${hidden}`],
    ['an empty length', `${head('Content-Length:')}${hidden}`],
    ['a length with a tab before the colon', `${head(`Content-Length\t: ${length}`)}${hidden}`],
    ['a coding in disguise', `${head(whole, 'Transfer-Encoding: xchunked')}${chunked}`],
    ['a coding with a tab', `${head(whole, 'Transfer-Encoding:\tchunked')}${chunked}`],
    ['a coding with a vertical tab', `${head(whole, 'Transfer-Encoding: \u000bchunked')}${chunked}`],
    ['a coding after a space', `${head(whole, 'Transfer-Encoding : chunked')}${chunked}`],
    ['a folded coding', `${head(whole, 'Transfer-Encoding:', ' chunked')}${chunked}`],
    ['two codings', `${head(whole, transfer, 'Transfer-Encoding: identity')}${chunked}`],
    ['a list of codings', `${head(whole, 'Transfer-Encoding: chunked, identity')}${chunked}`],
    ['a quoted coding', `${head(whole, 'Transfer-Encoding: "chunked"')}${chunked}`],
    ['a coding in capitals', `${head(whole, 'Transfer-Encoding: CHUNKED')}${chunked}`],
    ['a coding behind a line feed', `${head(whole, 'X-Other: a\nTransfer-Encoding: chunked')}${chunked}`],
    ['a coding behind a carriage return', `${head(whole, 'X-Other: a\rTransfer-Encoding: chunked')}${chunked}`],
    ['a hexadecimal chunk size', `${head(transfer)}0x0\r\n\r\n${hidden}`],
    ['a chunk size that overflows', `${head(transfer)}10000000000000000\r\n\r\n${hidden}`],
    ['a negative chunk size', `${head(transfer)}-1\r\n\r\n${hidden}`],
    ['chunks that end with line feeds', `${head(transfer)}0\n\n${hidden}`],
    ['a chunk extension with a line feed', `${head(transfer)}2;a\nxx\r\n0\r\n\r\n${hidden}`],
    ['HTTP/1.0 in chunks', `${head(whole, transfer).replace('HTTP/1.1', 'HTTP/1.0')}${chunked}`],
    ['a head without a body, and one', `${head().replace('POST', 'GET')}${hidden}`],
    ['an expectation', `${head(`Content-Length: ${length}`, 'Expect: 100-continue')}${hidden}`],
    [
      'an upgrade to h2c',
      `${head('Upgrade: h2c', 'Connection: Upgrade, HTTP2-Settings', 'HTTP2-Settings: AAMAAABk', 'Content-Length: 0')}${hidden}`,
    ],
    [
      'a WebSocket of an unknown version',
      `${head('Upgrade: websocket', 'Connection: Upgrade', 'Sec-WebSocket-Version: 1', 'Content-Length: 0')}${hidden}`,
    ],
    [
      'a line feed in the target',
      `${head('Content-Length: 0').replace('/first', `/first HTTP/1.1\nHost: localhost\n\n${hidden}`)}`,
    ],
    [
      'an encoded line in the target',
      head('Content-Length: 0').replace('/first', `/first%20HTTP/1.1%0d%0aHost:%20x%0d%0a%0d%0aGET%20/smuggled`),
    ],
    [
      'an encoded line in the query',
      head('Content-Length: 0').replace('/first', `/first?a=%0d%0aCatalytic-Subject:%20${forged}`),
    ],
  ] as const;
  return all.map(([about, bytes], index) => ({ about, bytes: bytes.replace('/first', `/first/${index}`) }));
};

/** Spellings of `/admin` that a router or a framework could take for it, and a rule of a gateway for another path. */
export const disguisedPaths: readonly string[] = String.raw`
  /admin /admin/ /admin/x /admin?x /ADMIN /Admin/x /admin/. /admin/..;/admin //admin ///admin/x /./admin /x/../admin
  /x/..//admin /%2e/admin /x/%2e%2e/admin /x/%2E%2E/admin /x/.%2e/admin /%61dmin /%61%64%6d%69%6e /%41dmin /admin%2f
  /%2fadmin /x/..%2fadmin /x%2f..%2fadmin /admin;a=b /admin;a=b/x /;a/admin /x;/../admin /x/..;/admin /admin%3ba /admin%00
  /admin%00.html /admin%20 /admin%09 /\admin /x\..\admin /%5cadmin /x%5c..%5cadmin /%252e%252e/admin /%25%36%31dmin
  /%2561dmin /admin#x /admin%23 /x/../admin?/y /x?/../admin /admin%0d%0aX:1 /admin%c0%af /%c0%ae%c0%ae/admin /%u0061dmin
  /adm%C4%B1n /adm%E2%84%AAin http://localhost/admin http://localhost//admin http://elsewhere.example/admin admin . *
  /x/%2e%2e;/admin /.//admin /x/.../admin /x//../admin`
  .trim()
  .split(/\s+/);

/**
 * The path as the most lenient framework reads it: decoded twice, backslashes as slashes, without parameters, doubled slashes, dots and
 * capital letters.
 */
export const readLeniently = (target: string): string => {
  const decode = (text: string): string =>
    text.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  const [path = ''] = target.replace(/^https?:\/\/[^/]*/i, '').split(/[?#]/);
  const parts: string[] = [];
  for (const part of decode(decode(path)).replaceAll('\\', '/').split('/')) {
    const [name = ''] = part.split(';');
    if (name === '..') parts.pop();
    else if (name !== '' && name !== '.') parts.push((/^[^\p{Cc} ]*/u.exec(name)?.[0] ?? '').toLowerCase());
  }
  return `/${parts.join('/')}`;
};
