/**
 * The peer of a connection: whether it may connect, and whose requests it sends. This is the one
 * place that judges peers.
 *
 * A proxy in front of the service is the peer of its connections. A trusted proxy says for whom it
 * sends, in a header of each request or before the first byte of each connection. What any other
 * peer says about that is not read.
 * @module
 */
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { type ForwardingHeader, forwardedCaller } from './forwarded.ts';
import { canonicalAddress } from './ip-address.ts';

/** Judges the peers of connections, once each. */
export interface Peers {
  /**
   * Whether the peer is this machine or a trusted proxy.
   * @param address of the peer, as the system names it
   */
  readonly mayConnect: (address: string) => boolean;
  /** Called for each connection that was closed because its peer may not connect. */
  readonly onRefused: () => void;
}

/** Closes a connection whose peer may not connect. Returns whether it was closed. */
export const refusePeer = (socket: Socket, { mayConnect, onRefused }: Peers): boolean => {
  const { remoteAddress } = socket;
  if (remoteAddress !== undefined && mayConnect(remoteAddress)) return false;
  socket.destroy();
  // A connection without an address is closed already: whether its peer might connect is not known.
  if (remoteAddress !== undefined) onRefused();
  return true;
};

/**
 * Where trusted proxies name the caller: `headers` is either of the two headers, `peer` is nowhere.
 */
export type CallerSource = 'headers' | ForwardingHeader | 'proxy-protocol' | 'peer';

/** Where callers are named, and by whom. */
export interface CallerParts {
  readonly source: CallerSource;
  /** Whether an address is that of a trusted proxy. */
  readonly isProxy: (address: string) => boolean;
}

/** The addresses of connections, as proxies have announced them in the PROXY protocol. */
export class AnnouncedAddresses {
  readonly #byConnection = new Map<string, string>();

  /** Keeps the address until the connection is closed. */
  keep(socket: Socket, address: string): void {
    const key = connectionOf(socket);
    this.#byConnection.set(key, address);
    socket.once('close', () => this.#byConnection.delete(key));
  }

  /** The address announced for a connection; also that of the connection under a TLS socket. */
  of(socket: Socket): string | undefined {
    return this.#byConnection.get(connectionOf(socket));
  }
}

/** What a socket and the TLS socket on top of it have in common. */
export const connectionOf = ({ remoteAddress, remotePort, localAddress, localPort }: Socket): string =>
  `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`;

const forwardingHeaders = ['forwarded', 'x-forwarded-for'] as const satisfies readonly ForwardingHeader[];

/**
 * The address of the caller of a request: for the audit trail, the log and limits. `null` once the
 * connection is gone.
 *
 * Proxies pass on a header that they do not write. Where requests may come with either header and
 * the two disagree, one is the caller's own invention, so the address is that of the proxy.
 */
export const callerAddress = (
  { source, isProxy }: CallerParts,
  announced: AnnouncedAddresses,
  { socket, headers }: { readonly socket: Socket | null } & Pick<IncomingMessage, 'headers'>,
): string | null => {
  // Node takes the socket away from a request that is destroyed.
  const remoteAddress = socket?.remoteAddress;
  if (socket === null || remoteAddress === undefined) return null;
  // The zone of a link-local peer stays: it means this machine's own interface.
  const peer = canonicalAddress(remoteAddress) ?? remoteAddress;
  if (source === 'peer' || !isProxy(peer)) return peer;
  if (source === 'proxy-protocol') return announced.of(socket) ?? peer;
  const [caller = peer, other = caller] = (source === 'headers' ? forwardingHeaders : [source]).flatMap((header) => {
    const list = headers[header];
    return typeof list === 'string' ? [forwardedCaller(header, list, peer, isProxy)] : [];
  });
  return caller === other ? caller : peer;
};
