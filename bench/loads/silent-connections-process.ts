/**
 * The process of the bench `silent-connections`: keeps many connections open that hold the service up, and opens each anew when the
 * service has closed it.
 * @module
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { connect as tlsConnect } from 'node:tls';
import { inParallel } from '../../tests/harness/in-parallel.ts';
import { serveTasks } from '../harness/child.ts';

/** The connections to keep. */
export interface Crowd {
  readonly url: string;
  /** Certificate to trust, where they go over TLS. */
  readonly ca: string;
  readonly connections: number;
}

/** How it went, since the last question. */
export interface CrowdCounts {
  readonly opened: number;
  /** Attempts that were refused or reset before the connection was open. */
  readonly failed: number;
}

const post = 'POST /auth/register HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n';

/** What each kind sends before it is silent; `undefined`: over TLS it does not even shake hands. */
const kinds: readonly (string | undefined)[] = [
  '',
  'GET /health/live HTTP/1.1\r\nHost: x\r\n',
  `${post}{"email":`,
  // Refused at once. These clients do not close their side.
  'GET /health/live HTTP/1.1\r\nHost: x\r\nExpect: a\r\n\r\n',
  undefined,
];

/** Connections that are being opened at once. */
const openingMax = 100;
/** How long a client keeps its side open after the service has closed its own, milliseconds. */
const lingerMs = 2000;
/** Pause before a connection is opened anew, milliseconds. */
const pauseMs = 100;
/** Addresses of this machine that connections come from: closed ones occupy a port for a minute. */
const addresses = 50;

const counts = { opened: 0, failed: 0 };

const openOne = async ({ url, ca }: Crowd, index: number): Promise<Socket | undefined> => {
  const { hostname: host, port, protocol } = new URL(url);
  const kind = kinds[index % kinds.length];
  const localAddress = `127.0.0.${2 + (index % addresses)}`;
  const place = { host, port: Number(port), localAddress, allowHalfOpen: true };
  const isTls = protocol === 'https:' && kind !== undefined;
  const socket = isTls ? tlsConnect({ ...place, ca }) : connect(place);
  socket.on('error', () => {});
  try {
    await once(socket, isTls ? 'secureConnect' : 'connect');
  } catch {
    counts.failed++;
    return undefined;
  }
  counts.opened++;
  socket.write(kind ?? 'GET\r\n\r\n');
  return socket.resume();
};

/** Keeps one connection for as long as the process lives. */
const keep = async (crowd: Crowd, index: number, first: Socket | undefined): Promise<void> => {
  for (let socket = first; ; socket = await openOne(crowd, index)) {
    if (socket !== undefined && !socket.closed) {
      const kept = socket;
      await new Promise((resolve) => kept.once('end', resolve).once('close', resolve));
      await delay(lingerMs);
      kept.destroy();
    }
    await delay(pauseMs);
  }
};

/** Opens all connections once and keeps them from then on. */
const open = async (crowd: Crowd): Promise<void> => {
  const openAndKeep = async (index: number): Promise<void> => {
    const first = await openOne(crowd, index);
    void keep(crowd, index, first);
  };
  await inParallel(
    Array.from({ length: crowd.connections }, (_, index) => index),
    openAndKeep,
    openingMax,
  );
};

/** Counts of what happened since the last question. */
const look = (_: undefined): CrowdCounts => {
  const seen = { ...counts };
  Object.assign(counts, { opened: 0, failed: 0 });
  return seen;
};

const tasks = { open, look };
/** What the process does. */
export type SilentConnectionsTasks = typeof tasks;

if (import.meta.main) serveTasks(tasks);
