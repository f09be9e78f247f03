/**
 * A small HTTP server in the process of a test, with the test's own answers.
 * @module
 */
import { createServer, type RequestListener, type ServerOptions } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Scope } from './scope.ts';

/** A listening server. */
export interface HttpServer extends Disposable {
  readonly url: string;
  readonly port: number;
  /** Stops it; connections that are open are cut. */
  close(): void;
}

/** Options of Node's server, and the port. @default port a free one */
export interface HttpServerOptions extends ServerOptions {
  readonly port?: number;
}

/** Starts a server on the loopback interface. */
export const startHttpServer = async (
  answer: RequestListener,
  { port: wantedPort = 0, ...options }: HttpServerOptions = {},
): Promise<HttpServer> => {
  const server = createServer(options, answer);
  await new Promise<void>((resolve) => server.listen(wantedPort, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const close = (): void => {
    server.closeAllConnections();
    server.close();
  };
  return { url: `http://127.0.0.1:${port}`, port, close, [Symbol.dispose]: close };
};

/** Starts a server that is stopped when the scope is over. */
export const httpServerIn = async (
  scope: Scope,
  answer: RequestListener,
  options: HttpServerOptions = {},
): Promise<HttpServer> => {
  const server = await startHttpServer(answer, options);
  scope.after(() => server.close());
  return server;
};

/** Answers every request with an empty JSON object. */
export const answerEmpty: RequestListener = (request, response) => {
  request.resume();
  response.end('{}');
};
