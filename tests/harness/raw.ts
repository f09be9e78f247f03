/**
 * HTTP by hand, for requests that a client library refuses to send.
 * @module
 */
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { Answer } from './client.ts';

/** Longest wait for the server to close the connection. */
const closeMsMax = 8000;

type Piece = string | Buffer | number | (() => Promise<void>);

const crlf = '\r\n';

/** Cuts the bytes of a connection into answers; bodies come with a content length. */
const parseAnswers = (bytes: Buffer): Answer[] => {
  const answers: Answer[] = [];
  for (let rest = bytes; rest.length > 0; ) {
    const end = rest.indexOf(crlf + crlf);
    if (end < 0) throw new Error(`This is no HTTP answer: ${JSON.stringify(rest.toString('latin1').slice(0, 200))}`);
    const [statusLine = '', ...lines] = rest.subarray(0, end).toString('latin1').split(crlf);
    const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(statusLine)?.[1]);
    const headers = new Headers(
      lines.map((line): [string, string] => [
        line.slice(0, line.indexOf(':')),
        line.slice(line.indexOf(':') + 1).trim(),
      ]),
    );
    const length = Number(headers.get('content-length') ?? 0);
    const text = rest.subarray(end + 4, end + 4 + length).toString();
    rest = rest.subarray(end + 4 + length);
    if (status === 100) continue;
    let body: Record<string, unknown> = {};
    try {
      body = JSON.parse(text) as Record<string, unknown>;
    } catch {
      // The test looks at `text` then.
    }
    answers.push({ status, headers, text, body });
  }
  return answers;
};

/**
 * Sends bytes on a new connection and collects every answer until the server closes it.
 * @param pieces sent one after the other; a number is a pause in milliseconds, a function is called and waited for
 */
export const exchange = async (url: string, ...pieces: readonly Piece[]): Promise<Answer[]> => {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port), noDelay: true });
  const chunks: Buffer[] = [];
  let problem: Error | undefined;
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  // A server that refuses early closes the connection while the request is still being sent: its answer counts.
  socket.on('error', (error) => {
    problem = error;
  });
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  const sending = async (): Promise<void> => {
    for (const piece of pieces) {
      if (socket.destroyed || socket.readableEnded) return;
      if (typeof piece === 'number') await delay(piece);
      else if (typeof piece === 'function') await piece();
      else await new Promise<void>((resolve) => socket.write(piece, () => resolve()));
    }
  };
  const timer = setTimeout(() => {
    problem = new Error(`The server left the connection open for ${closeMsMax} ms`);
    socket.destroy();
  }, closeMsMax);
  await Promise.all([sending(), closed]);
  clearTimeout(timer);
  const answers = parseAnswers(Buffer.concat(chunks));
  if (answers.length === 0 && problem !== undefined) throw problem;
  return answers;
};

/** A request as bytes. `Connection: close` is added, so that the answer ends the connection. */
export const requestBytes = (
  method: string,
  path: string,
  headers: readonly string[] = [],
  body: string | Buffer = '',
): Buffer => {
  const hasLength = headers.some((line) => /^(content-length|transfer-encoding)\s*:/i.test(line));
  const hasHost = headers.some((line) => /^host\s*:/i.test(line));
  const lines = [
    `${method} ${path} HTTP/1.1`,
    ...(hasHost ? [] : ['Host: localhost']),
    ...headers,
    'Connection: close',
    ...(hasLength || (method === 'GET' && body.length === 0) ? [] : [`Content-Length: ${Buffer.byteLength(body)}`]),
  ];
  return Buffer.concat([Buffer.from(`${lines.join(crlf)}${crlf}${crlf}`, 'latin1'), Buffer.from(body)]);
};

/** Sends one request by hand and returns its one answer. */
export const rawRequest = async (
  ...[url, method, path, headers, body]: readonly [string, ...Parameters<typeof requestBytes>]
): Promise<Answer> => {
  const answers = await exchange(url, requestBytes(method, path, headers, body));
  const [answer] = answers;
  if (answers.length !== 1 || answer === undefined) throw new Error(`Expected one answer, got ${answers.length}`);
  return answer;
};

/** Longest silence of a server that waits for more of a request, milliseconds. */
const silentMsMax = 500;

/** Sends bytes on a new connection and gathers what comes back, as Latin-1, until the server closes it or goes silent. */
export const saidTo = (url: string, ...pieces: readonly (string | Buffer)[]): Promise<string> =>
  new Promise((resolve) => {
    let text = '';
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname, () => {
      for (const piece of pieces) socket.write(piece);
    });
    socket.setTimeout(silentMsMax, () => socket.destroy());
    socket.on('data', (piece: Buffer) => {
      text += piece.toString('latin1');
    });
    socket.on('error', () => {});
    socket.once('close', () => resolve(text));
  });

/** Statuses of the answers in a text. */
export const statusesIn = (text: string): readonly number[] =>
  [...text.matchAll(/^HTTP\/1\.[01] (\d{3})/gm)].map(([, status]) => Number(status));
