/**
 * A target that answers each piece of a connection with the bytes that a test chooses.
 * @module
 */
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';

/** Handles a piece. @param number of the piece, over all connections, from 0 */
export type Script = (socket: Socket, request: string, number: number) => void;

/** A listening target. */
export interface ScriptedTarget extends AsyncDisposable {
  readonly origin: string;
  /** Connections it has accepted. */
  readonly accepted: () => number;
}

/** Starts one on a port of loopback. @param make makes another server than one of TCP */
export const startScripted = async (
  script: Script,
  make: (listener: (socket: Socket) => void) => Server = createServer,
  host = '127.0.0.1',
): Promise<ScriptedTarget> => {
  const sockets = new Set<Socket>();
  let requests = 0;
  const server = make((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('data', (piece: Buffer) => script(socket, piece.toString('latin1'), requests++));
  });
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  const { port } = server.address() as AddressInfo;
  return {
    origin: `http://${host.includes(':') ? `[${host}]` : host}:${port}`,
    accepted: () => sockets.size,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
};
