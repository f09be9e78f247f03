/**
 * Stage: which connections are taken. A refusal here costs little, because nothing of the
 * connection is read.
 * @module
 */
import type { Socket } from 'node:net';
import { CatalyticError } from '@catalytic/protocol/errors';
import type { AnswerCounts } from '../telemetry/answer-counts.ts';
import { type AnnouncedAddresses, type CallerParts, type Peers, refusePeer } from './peers.ts';
import { problemBytes } from './problem.ts';
import { takeProxyHeader } from './proxy-header.ts';
import type { ConnectionStage } from './stage.ts';

/** Dependencies of the stage. */
export interface ConnectParts {
  /** Most connections held at once. */
  readonly maxConnections: number;
  /** Judges peers; absent: every address may connect. */
  readonly peers?: Peers | undefined;
  readonly callers: CallerParts;
  /** Filled here, where proxies speak the PROXY protocol. */
  readonly announced: AnnouncedAddresses;
  /** Whether a client can read a refusal without a TLS handshake. */
  readonly isPlain: boolean;
  readonly counts: AnswerCounts;
  /** The open connections: filled here. */
  readonly connections: Set<Socket>;
}

/**
 * Connections beyond the limit that get an answer at the same time; further ones are closed at
 * once.
 */
const tellingMax = 50;
/** How long such a connection stays open at most, milliseconds. */
const tellingMsMax = 1000;

/**
 * Answers 503 and closes. The rest of what the client sends is read and dropped: with unread bytes
 * the system would reset the connection, and the client would lose the answer.
 */
const turnAway = (socket: Socket): void => {
  socket.on('error', () => {});
  socket.end(problemBytes(new CatalyticError('overloaded', { retryAfterSeconds: 1 })));
  socket.resume();
  const timer = setTimeout(() => socket.destroy(), tellingMsMax);
  socket.once('close', () => clearTimeout(timer));
};

/** Waits for the header of a trusted proxy that speaks the PROXY protocol. */
const afterProxyHeader = (
  socket: Socket,
  { callers: { source, isProxy }, announced, counts }: ConnectParts,
  serve: () => void,
): void => {
  if (source !== 'proxy-protocol' || !isProxy(socket.remoteAddress ?? '')) {
    serve();
    return;
  }
  takeProxyHeader(
    socket,
    ({ address }) => {
      if (address !== undefined) announced.keep(socket, address);
      serve();
    },
    () => counts.cut('proxy_header'),
  );
};

/** The HTTP parser sees only connections that are taken. */
export const connect: ConnectionStage<ConnectParts> = {
  name: 'connect',
  refuses: () => ['overloaded'],
  mount: (server, parts) => {
    const { maxConnections, peers, isPlain, counts, connections } = parts;
    const serve = server.listeners('connection') as ((socket: Socket) => void)[];
    server.removeAllListeners('connection');
    server.on('connection', (socket: Socket) => {
      if (peers !== undefined && refusePeer(socket, peers)) return;
      if (connections.size >= maxConnections) {
        counts.cut('full');
        if (isPlain) turnAway(socket);
        else socket.destroy();
        return;
      }
      connections.add(socket);
      socket.once('close', () => connections.delete(socket));
      afterProxyHeader(socket, parts, () => {
        for (const take of serve) take.call(server, socket);
      });
    });
    // Dropped in a cluster too: the other workers may be as full as this one.
    Object.assign(server, { maxConnections: maxConnections + tellingMax, dropMaxConnection: true });
    server.on('drop', () => counts.cut('full'));
    counts.open.push(() => connections.size);
  },
};
