import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { headBytesMax } from './answer-head.ts';
import { AnswerReader, bodyBytesMax } from './answer-reader.ts';

interface Seen {
  readonly verdict: string | undefined;
  readonly status: number;
  readonly text: string;
  readonly bytes: number;
  readonly worker: string | undefined;
  readonly isReusable: boolean;
}

/** Reads pieces out of one buffer that is overwritten each time, as connections do. */
const readAll = (pieces: readonly Buffer[], isBodyless = false): Seen => {
  const reader = new AnswerReader();
  reader.start(isBodyless);
  let verdict: string | undefined;
  for (const piece of pieces) {
    const shared = Buffer.from(piece);
    verdict = reader.read(shared);
    shared.fill('X');
    if (verdict !== undefined) break;
  }
  const { status, text, bytes, worker, isReusable } = reader;
  return { verdict, status, text, bytes, worker, isReusable };
};

const read = (text: string): Seen => readAll([Buffer.from(text)]);

const cutAt = (bytes: Buffer, places: readonly number[]): readonly Buffer[] => {
  const ends = [...new Set(places), bytes.length].sort((a, b) => a - b);
  return ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end)).filter(({ length }) => length > 0);
};

const head = 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n';
const counted = `${head}Content-Length: 9\r\nCatalytic-Worker: a/1/2\r\n\r\n{"a":"é"}`.replace('9', '10');
const chunked = `${head}Transfer-Encoding: chunked\r\nCatalytic-Worker: a/1/2\r\n\r\n6;x="y"\r\n{"a":"\r\n3\r\n\u00e9"\r\n1\r\n}\r\n0\r\nX-Trailer: z\r\n\r\n`;
const afterInterim = `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n${counted}`;
const right: Omit<Seen, 'verdict'> = { status: 200, text: '{"a":"é"}', bytes: 10, worker: 'a/1/2', isReusable: true };

test('an answer reads the same however it is cut: whole, at every byte, in two at each byte, at random', () => {
  for (const text of [counted, chunked, afterInterim]) {
    const bytes = Buffer.from(text);
    const expected = { verdict: 'whole', ...right };
    assert.deepEqual(readAll([bytes]), expected);
    assert.deepEqual(readAll(cutAt(bytes, [...bytes.keys()])), expected);
    for (const at of bytes.keys()) assert.deepEqual(readAll(cutAt(bytes, [at])), expected, `cut at ${at}`);
    fc.assert(
      fc.property(fc.array(fc.nat(bytes.length - 1)), (places) => {
        assert.deepEqual(readAll(cutAt(bytes, places)), expected);
      }),
    );
  }
});

test('an answer that has not come to its end is not whole, wherever it stops', () => {
  for (const text of [counted, chunked, afterInterim]) {
    const bytes = Buffer.from(text);
    for (const end of bytes.keys())
      assert.equal(readAll(cutAt(bytes.subarray(0, end), [])).verdict, undefined, `${end} bytes of ${text}`);
  }
});

test('what could be understood in two ways is malformed', () => {
  const malformed = [
    'nonsense\r\n\r\n',
    'HTTP/2 200\r\n\r\n',
    'HTTP/1.1 20 OK\r\n\r\n',
    'HTTP/1.1 099 OK\r\n\r\n',
    'HTTP/1.1 1000 OK\r\n\r\n',
    '220 mail.example ESMTP\r\n',
    ' HTTP/1.1 200 OK\r\n\r\n',
    `${head}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}`,
    `${head}Content-Length: +2\r\n\r\n{}`,
    `${head}Content-Length: 0x2\r\n\r\n{}`,
    `${head}Content-Length: -1\r\n\r\n`,
    `${head}Content-Length: 2, 3\r\n\r\n{}`,
    `${head}Content-Length: 2,\r\n\r\n{}`,
    `${head}Content-Length:\r\n\r\n`,
    `${head}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`,
    `${head}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    'HTTP/1.1 200 OK\r\n folded: onto nothing\r\n\r\n',
    `${head}two words: a\r\nContent-Length: 2\r\n\r\n{}`,
    `${head}X: a\rContent-Length: 2\r\n\r\n{}`,
    `${head}X: \0\r\nContent-Length: 2\r\n\r\n{}`,
    `${head}no colon\r\nContent-Length: 2\r\n\r\n{}`,
    `${head}Transfer-Encoding: chunked\r\n\r\n2\r\n{}}\r\n0\r\n\r\n`,
    `${head}Transfer-Encoding: chunked\r\n\r\ng\r\n`,
    `${head}Transfer-Encoding: chunked\r\n\r\n-1\r\n`,
    `${head}Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n`,
    `${head}Transfer-Encoding: chunked\r\n\r\n2\n{}\r\n0\r\n\r\n`,
    `${head}Transfer-Encoding: chunked\r\n\r\n2\r\n{}\n0\r\n\r\n`,
  ];
  for (const text of malformed)
    assert.match(read(text).verdict ?? '', /^malformed answer: [a-z]/, JSON.stringify(text));
});

test('what other clients take is taken, and read the same however it is cut', () => {
  const body = 'Content-Length: 2\r\n\r\nok';
  const taken: readonly (readonly [name: string, answer: string, isReusable?: boolean])[] = [
    ['bare line feeds (RFC 9112 section 2.2)', 'HTTP/1.1 200 OK\nX: a\nContent-Length: 2\n\nok'],
    ['a bare line feed among others', 'HTTP/1.1 200 OK\r\nX: a\nContent-Length: 2\r\n\r\nok'],
    ['an empty line in each way', 'HTTP/1.1 200 OK\nContent-Length: 2\n\r\nok'],
    ['folded fields (section 5.2)', `HTTP/1.1 200 OK\r\nX: a,\r\n b,\r\n\tc\r\n${body}`],
    ['a folded length', 'HTTP/1.1 200 OK\r\nContent-Length:\r\n 2\r\n\r\nok'],
    ['white space before a colon (section 5.1)', 'HTTP/1.1 200 OK\r\nContent-Length : 2\r\n\r\nok'],
    ['the same length twice (section 6.3)', `HTTP/1.1 200 OK\r\nContent-Length: 2\r\n${body}`],
    ['the same length in a list', 'HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\nok'],
    [
      'a length beside chunks (section 6.3)',
      'HTTP/1.1 200 OK\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n',
      false,
    ],
    [
      'chunks from HTTP/1.0 (section 6.1)',
      'HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n',
      false,
    ],
    ['sizes with leading zeros', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n000000002\r\nok\r\n000\r\n\r\n'],
    ['a later minor version (section 2.3)', `HTTP/1.2 200 OK\r\n${body}`],
    ['no coding at all, said aloud', `HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n${body}`],
    ['bytes outside ASCII in a field', `HTTP/1.1 200 OK\r\nX-Name: J\u00f6rg\r\n${body}`],
    ['interim answers', `${'HTTP/1.1 102 Processing\r\n\r\n'.repeat(100)}HTTP/1.1 200 OK\r\n${body}`],
    ['a head of 250 KiB', `HTTP/1.1 200 OK\r\nX: ${'y'.repeat(250 * 1024)}\r\n${body}`],
    [
      'a folded head of 250 KiB',
      `HTTP/1.1 200 OK\r\nX: ${'y'.repeat(1000)}${`\r\n ${'y'.repeat(1000)}`.repeat(249)}\r\n${body}`,
    ],
  ];
  for (const [name, answer, isReusable = true] of taken) {
    const bytes = Buffer.from(answer);
    const expected = { verdict: 'whole', status: 200, text: 'ok', bytes: 2, worker: undefined, isReusable };
    assert.deepEqual(readAll([bytes]), expected, name);
    assert.deepEqual(readAll(cutAt(bytes, bytes.length > 10_000 ? [3, 5000] : [...bytes.keys()])), expected, name);
  }
  assert.equal(read('HTTP/1.1 999 Request denied\r\nContent-Length: 0\r\n\r\n').status, 999);
  const { verdict, status, isReusable } = read('HTTP/1.1 101 Switching Protocols\r\n\r\n');
  assert.deepEqual([verdict, status, isReusable], ['whole', 101, false]);
});

test('folded fields are one line for whoever reads the head', () => {
  const reader = new AnswerReader();
  reader.start();
  reader.read(Buffer.from('HTTP/1.1 200 OK\nX: a,\n \t b\nContent-Length: 0\n\n'));
  assert.equal(reader.head, 'HTTP/1.1 200 OK\r\nX: a, b\r\nContent-Length: 0');
});

test('TLS on a plain connection is called so at once', () => {
  assert.equal(readAll([Buffer.from([0x15, 0x03, 0x01, 0x00, 0x02, 0x02, 0x46])]).verdict, 'TLS in place of HTTP');
});

test('an answer with bytes behind it counts, and its connection is not used again', () => {
  for (const [answer, behind] of [
    [counted, 'x'],
    [counted, counted],
    [chunked, '\r\n'],
  ] as const)
    assert.deepEqual(read(answer + behind), { verdict: 'whole', ...right, isReusable: false });
  const { verdict, text, isReusable } = read('HTTP/1.1 204 No Content\r\n\r\n{}');
  assert.deepEqual([verdict, text, isReusable], ['whole', '', false]);
});

test('the limits of the lab are called the limits of the lab', () => {
  const limits = [
    `HTTP/1.1 200 OK\r\nX: ${'a'.repeat(headBytesMax)}`,
    `HTTP/1.1 200 OK\r\nX: ${'a'.repeat(headBytesMax)}\r\n\r\n`,
    'HTTP/1.1 100 Continue\r\n\r\n'.repeat(101),
    `${head}Transfer-Encoding: chunked\r\n\r\n${'1'.repeat(5000)}`,
    `${head}Transfer-Encoding: chunked\r\n\r\n0\r\n${'X: y\r\n'.repeat(101)}\r\n`,
  ];
  for (const text of limits) assert.match(read(text).verdict ?? '', /^the lab's limit: /, text.slice(0, 40));
});

test('a body longer than the lab keeps is read to its end and counted whole', () => {
  const mebibyte = Buffer.from(`100000\r\n${'a'.repeat(2 ** 20)}\r\n`);
  const endless = [
    Buffer.from(`${head}Transfer-Encoding: chunked\r\n\r\n`),
    ...Array.from({ length: 20 }, () => mebibyte),
  ];
  const reader = new AnswerReader();
  const counted = [
    Buffer.from(`${head}Content-Length: ${20 * 2 ** 20}\r\n\r\n`),
    ...Array.from({ length: 20 }, () => Buffer.alloc(2 ** 20, 'a')),
  ];
  for (const pieces of [[...endless, Buffer.from('0\r\n\r\n')], counted]) {
    reader.start();
    assert.deepEqual(
      pieces.map((piece) => reader.read(piece)),
      [...Array<undefined>(pieces.length - 1).fill(undefined), 'whole'],
    );
    const { bytes, text, isTruncated, isReusable } = reader;
    assert.deepEqual([bytes, text.length, isTruncated, isReusable], [20 * 2 ** 20, bodyBytesMax, true, true]);
  }
});

test('answers that have no body, and one that ends with its connection', () => {
  assert.equal(read('HTTP/1.1 204 No Content\r\n\r\n').verdict, 'whole');
  assert.equal(read('HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n').verdict, 'whole');
  assert.equal(readAll([Buffer.from(`${head}Content-Length: 9\r\n\r\n`)], true).verdict, 'whole');
  const reader = new AnswerReader();
  reader.start();
  assert.equal(reader.read(Buffer.from(`${head}\r\nab`)), undefined);
  assert.equal(reader.read(Buffer.from('cd')), undefined);
  assert.equal(reader.end(), 'whole');
  assert.deepEqual([reader.text, reader.isReusable], ['abcd', false]);
  reader.start();
  reader.read(Buffer.from(counted.slice(0, -1)));
  assert.equal(reader.end(), 'connection closed by the target');
});

test('what the target says of its connection is heard', () => {
  const reusable = (fields: string): boolean => read(`HTTP/1.1 204 x\r\n${fields}\r\n`).isReusable;
  assert.equal(reusable(''), true);
  assert.equal(reusable('Connection: close\r\n'), false);
  assert.equal(reusable('connection: foo, Close\r\n'), false);
  assert.equal(reusable('connection: closed\r\n'), true);
  assert.equal(read('HTTP/1.0 204 x\r\n\r\n').isReusable, false);
  assert.equal(read('HTTP/1.0 204 x\r\nConnection: keep-alive\r\n\r\n').isReusable, true);
  const reader = new AnswerReader();
  reader.start();
  reader.read(Buffer.from('HTTP/1.1 204 x\r\nKeep-Alive: timeout=5, max=100\r\n\r\n'));
  assert.equal(reader.idleMsMax, 5000);
});

test('no bytes whatever make the reader throw', () => {
  const fragments = fc.constantFrom(
    head,
    'HTTP/1.1 200 OK',
    '\r\n',
    '\r\n\r\n',
    'Content-Length: 3',
    'Transfer-Encoding: chunked',
    '3\r\n',
    '0\r\n\r\n',
    'abc',
    '\0',
    ':',
  );
  fc.assert(
    fc.property(fc.array(fc.oneof(fragments, fc.string({ maxLength: 20 }))), (texts) => {
      readAll(texts.map((text) => Buffer.from(text, 'latin1')));
    }),
  );
});
