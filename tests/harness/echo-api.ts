/**
 * An API that checks nothing itself and remembers what reached it: what stands behind a gateway.
 * @module
 */
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Scope } from './scope.ts';

/** A request that reached the API. */
export interface Reached {
  readonly method: string;
  readonly target: string;
  /** Names and values as they were sent. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly trailers: readonly string[];
  /** SHA-256 of the body, hexadecimal. */
  readonly bodyHash: string;
}

/** A running API. It answers 200, or the status that the path `/status/NNN` names; any upgrade is answered, and its bytes echoed. */
export interface EchoApi {
  /** `HOST:PORT`. */
  readonly address: string;
  /** What has reached it since the last call. */
  taken(): readonly Reached[];
}

/** The body of every answer. */
const answer = '{"from":"the API"}';

/** SHA-256 of a body, hexadecimal. */
export const hashOf = (body: string | Buffer): string => createHash('sha256').update(body).digest('hex');

const pairsOf = (raw: readonly string[]): (readonly [string, string])[] =>
  Array.from({ length: raw.length / 2 }, (_, index) => [raw[2 * index] ?? '', raw[2 * index + 1] ?? '']);

const reachedBy = (request: IncomingMessage, bodyHash: string): Reached => ({
  method: request.method ?? '',
  target: request.url ?? '',
  headers: pairsOf(request.rawHeaders),
  trailers: request.rawTrailers,
  bodyHash,
});

/** Starts one that is stopped when the scope is over. */
export const echoApiIn = async (scope: Scope): Promise<EchoApi> => {
  let reached: Reached[] = [];
  const server = createServer({ insecureHTTPParser: true, requireHostHeader: false }, (request, response) => {
    const pieces: Buffer[] = [];
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.once('end', () => {
      reached.push(reachedBy(request, hashOf(Buffer.concat(pieces))));
      const status = Number(/^\/status\/(\d{3})$/.exec(request.url ?? '')?.[1] ?? 200);
      response.writeHead(status, { 'content-length': answer.length }).end(answer);
    });
  });
  server.on('upgrade', (request, socket) => {
    reached.push(reachedBy(request, hashOf('')));
    socket.on('error', () => {});
    const { upgrade = '' } = request.headers;
    socket.write(`HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${upgrade}\r\n\r\n`);
    socket.pipe(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  scope.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    taken: () => {
      const before = reached;
      reached = [];
      return before;
    },
  };
};

const identityName = /^catalytic-(subject|tenant|session|roles|scope|expires)$/;

/** Whatever an API could take for an identity, also one that reads names as CGI does: `name: value`, empty ones left out. */
export const identityOf = ({ headers }: Reached): readonly string[] =>
  headers
    .map(
      ([name, value]) =>
        [
          name
            .trim()
            .toLowerCase()
            .replace(/[^a-z]/g, '-'),
          value,
        ] as const,
    )
    .filter(([name, value]) => identityName.test(name) && value !== '')
    .map(([name, value]) => `${name}: ${value}`)
    .toSorted();
