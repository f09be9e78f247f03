/**
 * A TCP proxy for tests: what a network, or a host behind it, does to connections.
 * @module
 */
import { connect, createServer, type Socket } from 'node:net';
import type { Scope } from './scope.ts';

/** A proxy on a port of 127.0.0.1. */
export interface TcpProxy {
  readonly port: number;
  /** The first bytes of each connection, by the side that connected. */
  readonly openings: readonly Buffer[];
  /** The open connections swallow everything for ever, without a reset; new ones work. */
  silence(): void;
  /** New connections are taken and never answered, until {@link TcpProxy.leadTo}. */
  swallow(): void;
  /** New connections lead to this port. */
  leadTo(port: number): void;
}

/** Starts a proxy that ends with the scope. @param target port that connections lead to */
export const tcpProxyIn = async (scope: Scope, target: number): Promise<TcpProxy> => {
  const sockets = new Set<Socket>();
  const openings: Buffer[] = [];
  let to: number | undefined = target;
  let silenced = new Set<Socket>();
  const keep = (socket: Socket): void => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.once('close', () => sockets.delete(socket));
  };
  const server = createServer((client) => {
    keep(client);
    client.once('data', (chunk: Buffer) => void openings.push(chunk));
    if (to === undefined) {
      client.resume();
      return;
    }
    const upstream = connect(to, '127.0.0.1');
    keep(upstream);
    const pass = (from: Socket, other: Socket): void => {
      from.on('data', (chunk: Buffer) => {
        if (!silenced.has(from)) other.write(chunk);
      });
      from.once('close', () => {
        if (!silenced.has(from)) other.destroy();
      });
    };
    pass(client, upstream);
    pass(upstream, client);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  scope.after(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    openings,
    silence: () => {
      silenced = new Set(sockets);
    },
    swallow: () => {
      to = undefined;
    },
    leadTo: (port) => {
      to = port;
    },
  };
};
