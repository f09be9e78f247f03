/**
 * The peer of a connection: whether it may connect, and its address, which is the address of its
 * requests. This is the one place that judges peers.
 *
 * A proxy in front of the service is the peer of its connections. The headers in which a proxy
 * names its own peer (`Forwarded`, RFC 7239, and `X-Forwarded-For`) are not read. Reading them
 * belongs here, and only from a peer that is a trusted proxy.
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
