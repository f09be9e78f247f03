/**
 * Small servers on loopback.
 * @module
 */
import { once } from 'node:events';
import type { AddressInfo, Server } from 'node:net';

/** Connections that may wait to be accepted: benches open thousands at once. */
const backlog = 4096;

/** Has a server listen on a free port of loopback. @returns its URL */
export const listenOnFreePort = async (server: Server): Promise<string> => {
  server.listen(0, '127.0.0.1', backlog);
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
};
