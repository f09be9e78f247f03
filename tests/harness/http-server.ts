/**
 * A small HTTP server in the process of a test, with the test's own answers.
 * @module
 */
import { createServer, type RequestListener, type ServerOptions } from 'node:http';
import type { AddressInfo } from 'node:net';

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
