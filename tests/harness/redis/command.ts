/**
 * One Redis command over a new connection: the wire protocol by hand (RESP2), so that a test reaches a server without any client library.
 * @module
 */
import { connect } from 'node:net';

const newline = '\r\n';

/** An answer: text, a whole number, nothing, or a list of answers; an error from Redis is an `Error`. */
export type RedisAnswer = string | number | null | Error | readonly RedisAnswer[];

/** A command as it is sent. */
export const encode = (words: readonly string[]): string =>
  [`*${words.length}`, ...words.flatMap((word) => [`$${Buffer.byteLength(word)}`, word]), ''].join(newline);

/** Reads the answer that begins at a place; `undefined` while a part of it is missing. */
export const decode = (
  bytes: Buffer,
  start: number,
): { readonly answer: RedisAnswer; readonly end: number } | undefined => {
  const lineEnd = bytes.indexOf(newline, start);
  if (lineEnd === -1) return undefined;
  const type = bytes.toString('latin1', start, start + 1);
  const line = bytes.toString('utf8', start + 1, lineEnd);
  let end = lineEnd + newline.length;
  if (type === '+') return { answer: line, end };
  if (type === '-') return { answer: new Error(line), end };
  if (type === ':') return { answer: Number(line), end };
  const length = Number(line);
  if (length < 0) return { answer: null, end };
  if (type === '$') {
    const after = end + length + newline.length;
    return after > bytes.length ? undefined : { answer: bytes.toString('utf8', end, end + length), end: after };
  }
  if (type !== '*') throw new Error(`Redis answered in an unknown form: "${type}${line}"`);
  const items: RedisAnswer[] = [];
  for (let index = 0; index < length; index++) {
    const item = decode(bytes, end);
    if (item === undefined) return undefined;
    items.push(item.answer);
    end = item.end;
  }
  return { answer: items, end };
};

/** Where a command goes. */
export interface RedisAddress {
  readonly host: string;
  readonly port: number;
  readonly password?: string;
}

/**
 * Sends a command and waits for its answer.
 * @param timeoutMs for the whole of it
 * @throws Error with Redis's own words when it answers an error
 */
export const redisCommand = (
  { host, port, password }: RedisAddress,
  words: readonly string[],
  timeoutMs: number,
): Promise<RedisAnswer> =>
  new Promise((resolve, reject) => {
    const requests = [...(password === undefined ? [] : [['AUTH', password]]), words];
    const socket = connect({ host, port, noDelay: true });
    const end = (answer: RedisAnswer): void => {
      clearTimeout(timer);
      socket.destroy();
      if (answer instanceof Error) reject(answer);
      else resolve(answer);
    };
    const timer = setTimeout(() => end(new Error(`Redis did not answer within ${timeoutMs} ms`)), timeoutMs);
    let received: Buffer = Buffer.alloc(0);
    let waiting = requests.length;
    const read = (): void => {
      for (let found = decode(received, 0); found !== undefined; found = decode(received, 0)) {
        received = received.subarray(found.end);
        waiting--;
        if (waiting === 0 || found.answer instanceof Error) end(found.answer);
      }
    };
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      try {
        read();
      } catch (error) {
        end(error as Error);
      }
    });
    socket.once('error', end);
    socket.once('close', () => end(new Error('Redis closed the connection')));
    socket.write(requests.map(encode).join(''));
  });
