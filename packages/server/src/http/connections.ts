/**
 * Stage: which connections are taken. A refusal here costs little, because nothing of the
 * connection is read.
 * @module
 */
import type { Socket } from 'node:net';
import { CatalyticError } from '@catalytic/protocol/errors';
import type { AnswerCounts } from '../telemetry/answer-counts.ts';
import { closeGently } from './close-gently.ts';
import type { OpenConnections } from './open-connections.ts';
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
  readonly connections: OpenConnections;
}

/**
 * Connections beyond the limit that get an answer at the same time; further ones are closed at
 * once.
 */
const tellingMax = 50;

/** Lets every end of the connection that Node decides on be a gentle one. */
const endGently = (socket: Socket): void => {
  socket.destroySoon = () => closeGently(socket);
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
        if (!connections.makeRoom()) {
          counts.cut('full');
          if (isPlain) closeGently(socket, problemBytes(new CatalyticError('overloaded', { retryAfterSeconds: 1 })));
          else socket.destroy();
          return;
        }
        counts.cut('displaced');
      }
      connections.add(socket, !isPlain);
      if (isPlain) endGently(socket);
      afterProxyHeader(socket, parts, () => {
        for (const take of serve) take.call(server, socket);
      });
    });
    // Before the HTTP parser takes the decrypted side.
    server.prependListener('secureConnection', (socket: Socket) => {
      connections.endHandshake(socket);
      endGently(socket);
    });
    // Dropped in a cluster too: the other workers may be as full as this one.
    Object.assign(server, { maxConnections: maxConnections + tellingMax, dropMaxConnection: true });
    server.on('drop', () => counts.cut('full'));
    counts.open.push(() => connections.size);
  },
};
