/**
 * The process of the bench `idle-connections`: opens many connections, each with one answer, and holds them.
 * @module
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { connect as tlsConnect } from 'node:tls';
import { inParallel } from '../../tests/harness/in-parallel.ts';
import { serveTasks } from '../harness/child.ts';

/** Connections to open. */
export interface Held {
  readonly url: string;
  /** Certificate to trust, where they go over TLS. */
  readonly ca: string;
  readonly connections: number;
}

/** How connections have ended. */
export interface Ends {
  readonly closed: number;
  readonly reset: number;
}

/** Handshakes that are under way at once. */
const openingMax = 100;

const ends = { closed: 0, reset: 0 };
const all = Promise.withResolvers<void>();

/** Opens all connections; each has had one answer then. */
const open = async ({ url, ca, connections }: Held): Promise<void> => {
  const { hostname: host, port, protocol } = new URL(url);
  const place = { host, port: Number(port) };
  const openOne = async (): Promise<void> => {
    const socket: Socket = protocol === 'https:' ? tlsConnect({ ...place, ca }) : connect(place);
    let error: Error | undefined;
    socket.on('error', (reason) => {
      error = reason;
    });
    socket.once('close', () => {
      ends[error === undefined ? 'closed' : 'reset']++;
      if (ends.closed + ends.reset === connections) all.resolve();
    });
    socket.write('GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n');
    await Promise.race([once(socket, 'data'), once(socket, 'close')]);
  };
  await inParallel(Array.from({ length: connections }), openOne, openingMax);
};

/** Waits until every connection has ended. */
const waitForEnds = async (_: undefined): Promise<Ends> => {
  await all.promise;
  return ends;
};

const tasks = { open, waitForEnds };
/** What the process does. */
export type HeldConnectionsTasks = typeof tasks;

if (import.meta.main) serveTasks(tasks);
