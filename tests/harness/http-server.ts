/**
 * A small HTTP server in the process of a test, with the test's own answers.
 * @module
 */
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A listening server. */
export interface HttpServer extends Disposable {
  readonly url: string;
  /** Stops it; connections that are open are cut. */
  close(): void;
}

/** Starts a server on a free port of the loopback interface. */
export const startHttpServer = async (answer: RequestListener): Promise<HttpServer> => {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = (): void => {
    server.closeAllConnections();
    server.close();
  };
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close, [Symbol.dispose]: close };
};
