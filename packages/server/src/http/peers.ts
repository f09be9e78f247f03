/**
 * Who is at the other end of a connection, and whose address a request has. This is the one place
 * that judges peers.
 *
 * A proxy in front of the service is the peer of its connections: requests through it have the
 * proxy's address. What a proxy says of its own peer (`Forwarded`, RFC 7239, or `X-Forwarded-For`)
 * is not read. Reading it belongs here, and only from a peer that is a trusted proxy.
 * @module
 */
import type { Socket } from 'node:net';

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

/** Prefix of an IPv4 peer where a socket takes both families. */
const mappedPrefix = '::ffff:';

/** The address of the peer, `null` once the connection is gone. */
export const peerAddress = (socket: Socket): string | null => {
  const { remoteAddress = null } = socket;
  return remoteAddress?.startsWith(mappedPrefix) ? remoteAddress.slice(mappedPrefix.length) : remoteAddress;
};
