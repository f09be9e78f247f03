/**
 * One SQL text, sent over a new connection: PostgreSQL's wire protocol by hand (version 3.0, simple query, SCRAM-SHA-256), so that a test
 * reaches a server without any driver, whether or not the server came with `psql`.
 * @module
 */
import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';
import { connect } from 'node:net';

/** A row of an answer: values as text, in the order of its columns. */
export type TextRow = readonly (string | null)[];

/** Longest wait for the whole answer unless told otherwise. */
const answerMsMax = 10_000;

const int32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
};

const message = (type: string, ...parts: readonly (string | Buffer)[]): Buffer => {
  const body = Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part)));
  return Buffer.concat([Buffer.from(type), int32(body.length + 4), body]);
};

const hmac = (key: Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();

/** Answers the server's first SCRAM message (RFC 5802, section 3). */
const scramFinal = (password: string, clientFirst: string, serverFirst: string): string => {
  const {
    r = '',
    s = '',
    i = '',
  } = Object.fromEntries(serverFirst.split(',').map((part) => [part[0] ?? '', part.slice(2)]));
  const salted = pbkdf2Sync(password, Buffer.from(s, 'base64'), Number(i), 32, 'sha256');
  const clientKey = hmac(salted, 'Client Key');
  const withoutProof = `c=biws,r=${r}`;
  const storedKey = createHash('sha256').update(clientKey).digest();
  const signature = hmac(storedKey, `${clientFirst},${serverFirst},${withoutProof}`);
  return `${withoutProof},p=${Buffer.from(clientKey.map((byte, index) => byte ^ (signature[index] ?? 0))).toString('base64')}`;
};

const readRow = (body: Buffer): TextRow => {
  let at = 2;
  return Array.from({ length: body.readInt16BE(0) }, () => {
    const length = body.readInt32BE(at);
    at += 4;
    if (length < 0) return null;
    at += length;
    return body.toString('utf8', at - length, at);
  });
};

/** The message of an ErrorResponse: its fields are a letter and a text each, ended by a zero. */
const readError = (body: Buffer): string => {
  const fields = body.toString('utf8').split('\0');
  const field = (letter: string): string => fields.find((text) => text.startsWith(letter))?.slice(1) ?? '';
  return `${field('M')} (${field('C')})`;
};

/**
 * Runs SQL; several statements are one transaction unless they say otherwise.
 * @returns the rows of all statements
 */
export const query = (url: string, sql: string, timeoutMs = answerMsMax): Promise<readonly TextRow[]> => {
  const { hostname, port, username, password, pathname } = new URL(url);
  const clientFirst = `n=,r=${randomBytes(18).toString('base64')}`;
  const rows: TextRow[] = [];
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname, port: Number(port), noDelay: true });
    let failure: string | undefined;
    let hasAsked = false;
    const end = (error?: Error): void => {
      socket.destroy();
      if (error === undefined) resolve(rows);
      else reject(error);
    };
    const answer = (type: string, body: Buffer): void => {
      if (type === 'D') rows.push(readRow(body));
      else if (type === 'E') failure = readError(body);
      else if (type === 'R' && body.readInt32BE(0) === 10)
        socket.write(message('p', 'SCRAM-SHA-256\0', int32(clientFirst.length + 3), `n,,${clientFirst}`));
      else if (type === 'R' && body.readInt32BE(0) === 11)
        socket.write(message('p', scramFinal(password, clientFirst, body.toString('utf8', 4))));
      else if (type === 'Z') {
        if (failure !== undefined) end(new Error(failure));
        else if (hasAsked) end();
        else socket.write(message('Q', `${sql}\0`));
        hasAsked = true;
      }
    };
    let received: Buffer = Buffer.alloc(0);
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      while (received.length >= 5 && received.length > received.readInt32BE(1)) {
        const length = received.readInt32BE(1) + 1;
        const type = String.fromCharCode(received[0] ?? 0);
        const body = received.subarray(5, length);
        received = received.subarray(length);
        answer(type, body);
      }
    });
    socket.setTimeout(timeoutMs, () => end(new Error(`PostgreSQL sent nothing for ${timeoutMs} ms`)));
    socket.once('error', end);
    socket.once('close', () => reject(new Error(failure ?? 'PostgreSQL closed the connection')));
    socket.write(
      message('', int32(196_608), `user\0${username}\0database\0${decodeURIComponent(pathname.slice(1))}\0\0`),
    );
  });
};
