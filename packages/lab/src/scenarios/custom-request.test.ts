import assert from 'node:assert/strict';
import { test } from 'node:test';
import { requestMessage } from '../targets/request.ts';
import { type CustomRequest, prepareRequest } from './custom-request.ts';

/** What goes over the wire. */
const written = (asked: CustomRequest, token?: string): string =>
  Buffer.from(requestMessage('target', '', prepareRequest(asked, token).request)).toString('latin1');

test('what any client would send is sent', () => {
  const start = (line: string): string => `${line} HTTP/1.1\r\nhost: target\r\n`;
  assert.equal(written({ path: '/plain' }), `${start('GET /plain')}\r\n`);
  assert.equal(written({ path: '/tödo list?q=a b&c=%20#top' }), `${start('GET /t%C3%B6do%20list?q=a%20b&c=%20')}\r\n`);
  assert.equal(written({ path: '/', method: 'options' }), `${start('OPTIONS /')}\r\n`);
  assert.equal(written({ path: '/', method: 'PROPFIND' }), `${start('PROPFIND /')}\r\n`);
  assert.equal(written({ path: '/', method: 'post' }), `${start('POST /')}content-length: 0\r\n\r\n`);
  assert.equal(written({ path: '/', method: 'PUT', body: 'é' }), `${start('PUT /')}content-length: 2\r\n\r\nÃ©`);
  const bytes = new Uint8Array([0, 255]);
  assert.equal(written({ path: '/', method: 'POST', body: bytes }), `${start('POST /')}content-length: 2\r\n\r\n\0ÿ`);
  assert.equal(
    written({ path: '/', headers: { 'x-n': 5 } }, 'token'),
    `${start('GET /')}authorization: Bearer token\r\nx-n: 5\r\n\r\n`,
  );
  assert.equal(
    written({ path: '/', withToken: false, headers: { host: '[::1]:81' } }, 'token'),
    'GET / HTTP/1.1\r\nhost: [::1]:81\r\n\r\n',
  );
  assert.match(
    written({ path: '/', method: 'POST', json: null }),
    /content-type: application\/json\r\ncontent-length: 4\r\n\r\nnull$/,
  );
  assert.equal(prepareRequest({ path: '/items/1?token=secret#top' }, undefined).name, '/items/1');
});

test('a slip is refused with a sentence that says what to write, and holds no value', () => {
  const circular: Record<string, unknown> = {};
  circular['self'] = circular;
  const split = 'SECRET\r\nContent-Length: 0\r\n\r\nGET / HTTP/1.1';
  const slips: readonly (readonly [asked: unknown, sentence: RegExp])[] = [
    [{ path: 'http://target/SECRET' }, /absolute URL.*--target/],
    [{ path: 'SECRET' }, /does not begin with "\/"/],
    [{ path: '' }, /does not begin with "\/"/],
    [{ path: `/${split}` }, /line break/],
    [{ path: '/\ud800SECRET' }, /half of a character/],
    [{ path: undefined }, /path is no text/],
    [{ path: '/', method: 'GET SECRET' }, /method is no word/],
    [{ path: '/', method: split }, /method is no word/],
    [{ path: '/', method: 'connect' }, /tunnel/],
    [{ path: '/', method: 5 }, /method is no text/],
    [{ path: '/', name: '' }, /name is empty/],
    [{ path: '/', headers: { 'x-a': split } }, /"x-a" has a value with a line break/],
    [{ path: '/', headers: { 'x-a': 'SECRÈT' } }, /"x-a" has a value .* outside ASCII/],
    [{ path: '/', headers: { 'x-a': undefined } }, /"x-a" has a value that is neither/],
    [{ path: '/', headers: { 'x-a': Number.NaN } }, /"x-a" has a value that is neither/],
    [{ path: '/', headers: { 'x-a': ['SECRET'] } }, /"x-a" has a value that is neither/],
    [{ path: '/', headers: { 'x a': 'SECRET' } }, /"x a" has a name that is none/],
    [{ path: '/', headers: { Connection: 'close' } }, /"Connection" is written by the lab/],
    [{ path: '/', headers: { 'content-length': 0 } }, /"content-length" is written by the lab/],
    [{ path: '/', headers: { 'transfer-encoding': 'chunked' } }, /"transfer-encoding" is written by the lab/],
    [{ path: '/', headers: { host: 'SECRET/path' } }, /"host" is no host/],
    [{ path: '/', headers: new Headers({ 'x-a': 'SECRET' }) }, /headers are no plain object/],
    [{ path: '/', headers: new Map([['x-a', 'SECRET']]) }, /headers are no plain object/],
    [{ path: '/', json: { a: 1 }, body: 'SECRET' }, /both json and body/],
    [{ path: '/', json: circular }, /json cannot be written \(Converting circular/],
    [{ path: '/', json: 1n }, /json cannot be written/],
    [{ path: '/', json: () => 'SECRET' }, /json is a function/],
    [{ path: '/', body: new URLSearchParams({ a: 'SECRET' }) }, /neither text nor bytes/],
    [{ path: '/', body: new ArrayBuffer(1) }, /neither text nor bytes/],
    [{ path: '/', body: 5 }, /neither text nor bytes/],
    [{ path: '/', ok: 200 }, /"ok" is no list/],
    [{ path: '/', expected: 404 }, /"expected" is no list/],
  ];
  for (const [asked, sentence] of slips)
    assert.throws(
      () => written(asked as CustomRequest),
      ({ name, message }: Error) =>
        name === 'RangeError' &&
        message.startsWith('Cannot send a request: ') &&
        sentence.test(message) &&
        !/SECR|\n/.test(message),
      String(sentence),
    );
});
