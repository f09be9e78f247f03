/**
 * Opens a socket to a target, with TLS where its address asks for it.
 * @module
 */
import { isIP, connect as openTcp, type Socket, type TcpNetConnectOpts } from 'node:net';
import { connect as openTls } from 'node:tls';
import { portOf } from './origin.ts';
import { contextOf, type Trust, usualTrust } from './trust.ts';

/**
 * All plain connections read into this one: a socket's data is dealt with before the next socket is
 * read.
 */
const sharedBuffer = Buffer.allocUnsafeSlow(64 * 1024);

/** How a socket is opened. */
export interface SocketOptions {
  readonly trust?: Trust | undefined;
  /** Own address, where the machine has several. */
  readonly localAddress?: string | undefined;
  /** Takes the bytes that arrive. The next ones overwrite them. */
  readonly take: (socket: Socket, piece: Buffer) => void;
}

/** Name of the event by which a socket says that it may be written to. */
export const openEventOf = ({ protocol }: URL): 'connect' | 'secureConnect' =>
  protocol === 'https:' ? 'secureConnect' : 'connect';

/** Begins to open a socket. Its events report the outcome. */
export const openSocket = (url: URL, { trust = usualTrust, localAddress, take }: SocketOptions): Socket => {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const place: TcpNetConnectOpts = {
    host,
    port: portOf(url.origin),
    noDelay: true,
    ...(localAddress === undefined ? {} : { localAddress, family: 4 }),
  };
  if (url.protocol === 'https:') {
    const socket = openTls({
      ...place,
      secureContext: contextOf(trust),
      rejectUnauthorized: !trust.isInsecure,
      ...(isIP(host) === 0 ? { servername: host } : {}),
    });
    return socket.on('data', (piece: Buffer) => take(socket, piece));
  }
  const socket: Socket = openTcp({
    ...place,
    onread: {
      buffer: sharedBuffer,
      callback: (bytes, buffer) => {
        take(socket, (buffer as Buffer).subarray(0, bytes));
        return true;
      },
    },
  });
  return socket;
};
