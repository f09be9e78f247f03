/**
 * Bodies that no honest client sends, as tables.
 * @module
 */
import type { ErrorCode } from '@catalytic/protocol/errors';
import { goodPassword } from '../harness/client.ts';
import { requestBytes } from '../harness/raw.ts';

/** A request and what becomes of it. */
export interface BadRequest {
  readonly about: string;
  /** Sent one after the other on one connection; numbers are pauses in milliseconds. */
  readonly pieces: readonly (string | Buffer | number)[];
  /** A code, or the status of an honest success: some odd requests are no wrong ones. */
  readonly expected: ErrorCode | 200;
}

/** The content type that every route with a body takes, but the import. */
export const jsonType = 'Content-Type: application/json';
/** A POST of JSON. */
export const json = (path: string, body: string | Buffer, headers: readonly string[] = [jsonType]): Buffer =>
  requestBytes('POST', path, headers, body);

const email = 'canary-abuse@example.com';
/** A login, and a registration, with nothing wrong about it. */
export const login = { email, password: goodPassword };

/** A text of JSON that nests so deep that a recursive reader would run out of stack. */
const nested = (open: string, close: string, levels: number): string => open.repeat(levels) + close.repeat(levels);

/** Bodies that are wrong for every route with a JSON body. */
const wrongEverywhere: readonly (readonly [string, string | Buffer, ErrorCode])[] = [
  ['nothing', '', 'body_malformed'],
  ['half an object', '{"email":', 'body_malformed'],
  ['single quotes', "{'email':'a@example.com'}", 'body_malformed'],
  ['a trailing comma', '{"email":"a@example.com",}', 'body_malformed'],
  ['a comment', '{/* hello */}', 'body_malformed'],
  ['two objects', '{}{}', 'body_malformed'],
  ['NaN', '{"email":NaN}', 'body_malformed'],
  ['a member twice', `{"email":"a@example.com","password":"x","email":${JSON.stringify(email)}}`, 'body_malformed'],
  ['a member twice, once escaped', '{"email":"a@example.com","\\u0065mail" : "b@example.com"}', 'body_malformed'],
  ['a member twice, deep inside', '{"a":[{"b":{}},{"c":1,"c":1}]}', 'body_malformed'],
  ['names of members in texts only', '{"a":"\\"b\\":1,\\"b\\":2"}', 'body_invalid'],
  // Readers of JSON like to quote what they could not read.
  ['a password without quotes', '{"p": lanterns}', 'body_malformed'],
  ['a form', 'email=a%40example.com&password=x', 'body_malformed'],
  ['bytes that are not UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d]), 'body_malformed'],
  ['an overlong encoding', Buffer.from([0x7b, 0x22, 0xc0, 0xaf, 0x22, 0x3a, 0x31, 0x7d]), 'body_malformed'],
  ['a cut multi-byte character', Buffer.from([0x22, 0xe2, 0x82, 0x22]), 'body_malformed'],
  ['a raw NUL byte', '{"email":"\u0000"}', 'body_malformed'],
  ['null', 'null', 'body_invalid'],
  ['a text', '"text"', 'body_invalid'],
  ['a number', '1e999', 'body_invalid'],
  ['an array', '[]', 'body_invalid'],
  ['an empty object', '{}', 'body_invalid'],
  ['thirty thousand arrays in each other', nested('[', ']', 30_000), 'body_invalid'],
  ['ten thousand objects in each other', `${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`, 'body_invalid'],
  ['one megabyte', JSON.stringify({ email: 'x'.repeat(1_000_000) }), 'body_too_large'],
];

/** Fields that are wrong although the rest of the login or registration is right. */
const wrongFields: readonly (readonly [string, Readonly<Record<string, unknown>>])[] = [
  ['an email that is a number', { email: 1 }],
  ['an email that is null', { email: null }],
  ['an email that is an array', { email: [email] }],
  ['an email that is an object', { email: { $ne: '' } }],
  ['an email of two thousand characters', { email: `${'a'.repeat(2000)}@example.com` }],
  ['a password that is true', { password: true }],
  ['a password that is an array', { password: [goodPassword] }],
  ['a password of two thousand characters', { password: 'a'.repeat(2000) }],
  ['a password with half a surrogate pair', { password: 'nine lanterns \ud800 over the harbour' }],
  ['a tenant that is null', { tenant: null }],
  ['an empty tenant', { tenant: '' }],
  ['a tenant in capitals', { tenant: 'DEFAULT' }],
  ['a tenant that climbs', { tenant: '../default' }],
  ['an unknown field', { admin: true }],
  ['an unknown field named constructor', { constructor: { prototype: { admin: true } } }],
  ['a tenant_id beside the tenant', { tenant_id: '1' }],
];

/** Bad bodies of every route that takes JSON. */
export const badBodies: readonly BadRequest[] = [
  ...['/auth/register', '/auth/login', '/auth/refresh'].flatMap((path) =>
    wrongEverywhere.map(([about, body, expected]) => ({
      about: `${path} with ${about}`,
      pieces: [json(path, body)],
      expected,
    })),
  ),
  ...['/auth/register', '/auth/login'].flatMap((path) => [
    ...wrongFields.map(([about, fields]) => ({
      about: `${path} with ${about}`,
      pieces: [json(path, JSON.stringify({ ...login, ...fields }))],
      expected: 'body_invalid' as const,
    })),
    ...Object.keys(login).map((missing) => ({
      about: `${path} without ${missing}`,
      pieces: [json(path, JSON.stringify({ ...login, [missing]: undefined }))],
      expected: 'body_invalid' as const,
    })),
    {
      about: `${path} with a prototype`,
      pieces: [json(path, `{"__proto__":{"admin":true},${JSON.stringify(login).slice(1)}`)],
      expected: 'body_invalid' as const,
    },
    {
      about: `${path} in an unknown tenant`,
      pieces: [json(path, JSON.stringify({ ...login, tenant: 'nowhere' }))],
      expected: path === '/auth/login' ? ('credentials_invalid' as const) : ('registration_refused' as const),
    },
  ]),
  ...(
    [
      ['no @', { email: 'nobody' }, 'email_invalid'],
      ['two @', { email: 'a@b@c' }, 'email_invalid'],
      ['a space in the email', { email: 'a b@example.com' }, 'email_invalid'],
      ['a line end in the email', { email: 'a@example.com\r\nBcc: b@example.com' }, 'email_invalid'],
      ['a NUL in the email', { email: 'a\u0000@example.com' }, 'email_invalid'],
      ['half a surrogate pair in the email', { email: 'a\ud800@example.com' }, 'email_invalid'],
      ['a right-to-left override in the email', { email: 'a\u202e@example.com' }, 'email_invalid'],
      ['an email of 255 characters', { email: `${'a'.repeat(60)}@${'b'.repeat(194)}` }, 'email_invalid'],
      ['14 characters', { password: 'fourteen chars' }, 'password_too_short'],
      ['14 characters outside the first plane', { password: '🦊'.repeat(14) }, 'password_too_short'],
      ['an empty password', { password: '' }, 'password_too_short'],
      ['257 characters', { password: 'ab cd '.repeat(43).slice(0, 257) }, 'password_too_long'],
      ['one of the first guesses', { password: 'passwordpassword' }, 'password_blocked'],
    ] as const
  ).map(([about, fields, expected]) => ({
    about: `/auth/register with ${about}`,
    pieces: [json('/auth/register', JSON.stringify({ ...login, ...fields }))],
    expected,
  })),
  ...(
    [
      ['an empty token', '', 'body_invalid'],
      ['a token of 257 characters', 'x'.repeat(257), 'body_invalid'],
      ['a token that is a number', 1, 'body_invalid'],
      ['an unknown token', `crt_${'A'.repeat(43)}`, 'refresh_invalid'],
      ['a NUL', '\u0000', 'refresh_invalid'],
      ['half a surrogate pair', '\ud800', 'refresh_invalid'],
    ] as const
  ).map(([about, token, expected]) => ({
    about: `/auth/refresh with ${about}`,
    pieces: [json('/auth/refresh', JSON.stringify({ refresh_token: token }))],
    expected,
  })),
  ...(
    [
      ['a NUL in the email', { email: 'a\u0000@example.com' }],
      ['half a surrogate pair in the email', { email: 'a\ud800@example.com' }],
      ['quotes and a comment in the email', { email: "' or 1=1 --@example.com" }],
    ] as const
  ).map(([about, fields]) => ({
    about: `/auth/login with ${about}`,
    pieces: [json('/auth/login', JSON.stringify({ ...login, ...fields }))],
    expected: 'credentials_invalid' as const,
  })),
];
