import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { AnswerReader, bodyBytesMax, headBytesMax } from './answer-reader.ts';

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
    'HTTP/1.1 999 OK\r\n\r\n',
    ' HTTP/1.1 200 OK\r\n\r\n',
    `${head}Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}`,
    `${head}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}`,
    `${head}Content-Length: +2\r\n\r\n{}`,
    `${head}Content-Length: 0x2\r\n\r\n{}`,
    `${head}Content-Length: -1\r\n\r\n`,
    `${head}Content-Length: 2, 2\r\n\r\n{}`,
    `${head}Content-Length:\r\n\r\n`,
    `${head}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    `${head}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`,
    `${head}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    `${head}Content-Length : 2\r\n\r\n{}`,
    `${head}X-Folded: a\r\n b\r\nContent-Length: 2\r\n\r\n{}`,
    `${head}X: a\nContent-Length: 2\r\n\r\n{}`,
    `${head}X: a\rContent-Length: 2\r\n\r\n{}`,
    `${head}X: \0\r\nContent-Length: 2\r\n\r\n{}`,
    `${head}no colon\r\nContent-Length: 2\r\n\r\n{}`,
    `${head}Transfer-Encoding: chunked\r\n\r\n2\r\n{}}\r\n0\r\n\r\n`,
    `${head}Transfer-Encoding: chunked\r\n\r\ng\r\n`,
    `${head}Transfer-Encoding: chunked\r\n\r\n-1\r\n`,
    `${head}Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n`,
    `${head}Transfer-Encoding: chunked\r\n\r\n${'1'.repeat(2000)}`,
    'HTTP/1.1 101 Switching Protocols\r\n\r\n',
    'HTTP/1.1 100 Continue\r\n\r\n'.repeat(100),
  ];
  for (const text of malformed) assert.equal(read(text).verdict, 'malformed answer', JSON.stringify(text));
});

test('bytes behind an answer make it unusable: its length was wrong', () => {
  assert.equal(read(`${counted}x`).verdict, 'bytes after the answer');
  assert.equal(read(`${counted}${counted}`).verdict, 'bytes after the answer');
  assert.equal(read(`${chunked}\r\n`).verdict, 'bytes after the answer');
  assert.equal(read('HTTP/1.1 204 No Content\r\n\r\n{}').verdict, 'bytes after the answer');
});

test('no answer fills the memory', () => {
  assert.equal(read(`HTTP/1.1 200 OK\r\nX: ${'a'.repeat(headBytesMax)}`).verdict, 'answer too large');
  assert.equal(read(`${head}Content-Length: ${bodyBytesMax + 1}\r\n\r\n`).verdict, 'answer too large');
  const mebibyte = Buffer.from(`100000\r\n${'a'.repeat(2 ** 20)}\r\n`);
  const endless = [
    Buffer.from(`${head}Transfer-Encoding: chunked\r\n\r\n`),
    ...Array.from({ length: 20 }, () => mebibyte),
  ];
  assert.equal(readAll(endless).verdict, 'answer too large');
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
