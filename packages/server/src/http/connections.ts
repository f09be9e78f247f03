/**
 * Step: which connections are taken. What is refused here costs little, and nothing of it is read.
 * @module
 */
import type { Server, Socket } from 'node:net';
import { CatalyticError } from '@catalytic/protocol/errors';
import type { AnswerCounts } from '../telemetry/answer-counts.ts';
import { problemBytes } from './problem.ts';

/** Judges connections, once each. */
export interface Peers {
  /** @param address of the peer, as the system names it */
  readonly mayConnect: (address: string) => boolean;
  /** A connection was closed, because its peer may not connect. */
  readonly onRefused: () => void;
}

/** What is taken. */
export interface ConnectionLimits {
  /** Connections held at once. */
  readonly maxConnections: number;
  /** Who may connect; absent: whoever reaches the address. */
  readonly peers: Peers | undefined;
  /** Whether a refusal can be read without a handshake. */
  readonly isPlain: boolean;
  readonly counts: AnswerCounts;
}

/** Connections beyond the limit that are being told so; more are closed at once. */
const tellingMax = 50;
/** A client is told for no longer than this, milliseconds. */
const tellingMsMax = 1000;

/** Says 503 and closes. What the client still sends is read: else the system would cut the connection before it has read the answer. */
const turnAway = (socket: Socket): void => {
  socket.on('error', () => {});
  socket.end(problemBytes(new CatalyticError('overloaded', { retryAfterSeconds: 1 })));
  socket.resume();
  const timer = setTimeout(() => socket.destroy(), tellingMsMax);
  socket.once('close', () => clearTimeout(timer));
};

/** Returns whether it was closed. */
const refusePeer = (socket: Socket, { mayConnect, onRefused }: Peers): boolean => {
  const { remoteAddress } = socket;
  if (remoteAddress !== undefined && mayConnect(remoteAddress)) return false;
  socket.destroy();
  // Without an address it has gone already, whoever it was.
  if (remoteAddress !== undefined) onRefused();
  return true;
};

/**
 * Lets the server see only connections that it is to serve.
 * @returns those that are open
 */
export const guardConnections = (server: Server, limits: ConnectionLimits): ReadonlySet<Socket> => {
  const { maxConnections, peers, isPlain, counts } = limits;
  const held = new Set<Socket>();
  const serve = server.listeners('connection') as ((socket: Socket) => void)[];
  server.removeAllListeners('connection');
  server.on('connection', (socket: Socket) => {
    if (peers !== undefined && refusePeer(socket, peers)) return;
    if (held.size >= maxConnections) {
      counts.cut('full');
      if (isPlain) turnAway(socket);
      else socket.destroy();
      return;
    }
    held.add(socket);
    socket.once('close', () => held.delete(socket));
    for (const take of serve) take.call(server, socket);
  });
  // Dropped in a cluster too: the other workers may be as full as this one.
  Object.assign(server, { maxConnections: maxConnections + tellingMax, dropMaxConnection: true });
  server.on('drop', () => counts.cut('full'));
  counts.open.push(() => held.size);
  return held;
};
