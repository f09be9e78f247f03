/**
 * A way to the database that can be made slow or cut, for all processes or for one.
 * @module
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';

interface Pair {
  readonly client: Socket;
  readonly server: Socket;
  /** Process that opened the connection. */
  readonly pid: number | undefined;
  readonly queues: { readonly up: DelayQueue; readonly down: DelayQueue };
}

/** What happens to bytes on their way. */
interface Weather {
  /** Each direction, milliseconds. */
  readonly delayMs: number;
  /** Process whose bytes are held in both directions; connections stay open, as with a cable that was pulled. */
  readonly cutPid: number | 'all' | undefined;
  /** Only what the database says is held: requests arrive, answers do not. */
  readonly isOneWay: boolean;
}

const fair: Weather = { delayMs: 0, cutPid: undefined, isOneWay: false };

/** The process that holds the socket with this local port on the loopback interface. */
const ownerOf = (port: number, pids: readonly number[]): number | undefined => {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  const line = readFileSync('/proc/net/tcp', 'latin1')
    .split('\n')
    .find((row) => row.trim().split(/\s+/)[1] === `0100007F:${hex}`);
  const link = `socket:[${line?.trim().split(/\s+/)[9]}]`;
  return pids.find((pid) => {
    try {
      return readdirSync(`/proc/${pid}/fd`).some((fd) => readLink(`/proc/${pid}/fd/${fd}`) === link);
    } catch {
      return false;
    }
  });
};

const readLink = (path: string): string | undefined => {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
};

/** A proxy on a free port of the loopback interface. */
export class DatabaseProxy {
  readonly #server: Server;
  readonly #pairs = new Set<Pair>();
  readonly #held: (() => void)[] = [];
  readonly #clientPids: () => readonly number[];
  #weather = fair;
  port = 0;

  /** @param clientPids processes that may connect, so that each connection can be told whose it is */
  constructor(targetPort: number, clientPids: () => readonly number[]) {
    this.#clientPids = clientPids;
    this.#server = createServer((client) => {
      const server = connect({ host: '127.0.0.1', port: targetPort, noDelay: true });
      client.setNoDelay(true);
      const pair = {
        client,
        server,
        pid: ownerOf(client.remotePort ?? 0, this.#clientPids()),
        queues: { up: new DelayQueue(), down: new DelayQueue() },
      };
      this.#pairs.add(pair);
      const end = (): void => {
        client.destroy();
        server.destroy();
        this.#pairs.delete(pair);
      };
      for (const socket of [client, server]) {
        socket.on('error', end);
        socket.on('close', end);
      }
      client.on('data', (bytes) => this.#pass(pair, 'up', () => server.write(bytes)));
      server.on('data', (bytes) => this.#pass(pair, 'down', () => client.write(bytes)));
    });
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    this.port = (this.#server.address() as { port: number }).port;
  }

  /** Changes the weather; what is held goes on when the cut ends. */
  set(weather: Partial<Weather>): void {
    this.#weather = { ...fair, ...weather };
    if (this.#weather.cutPid === undefined) for (const go of this.#held.splice(0)) go();
  }

  async close(): Promise<void> {
    for (const { client, server } of this.#pairs) {
      client.destroy();
      server.destroy();
    }
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #pass({ pid, queues }: Pair, direction: 'up' | 'down', go: () => void): void {
    const { delayMs, cutPid, isOneWay } = this.#weather;
    const isCut = cutPid === 'all' || (cutPid !== undefined && cutPid === pid);
    if (isCut && (direction === 'down' || !isOneWay)) this.#held.push(go);
    else queues[direction].add(delayMs, go);
  }
}

/** Keeps the order, also when the delay becomes shorter while something is on its way. */
class DelayQueue {
  readonly #waiting: { readonly dueMs: number; readonly go: () => void }[] = [];
  #timer: NodeJS.Timeout | undefined;

  add(delayMs: number, go: () => void): void {
    this.#waiting.push({ dueMs: performance.now() + delayMs, go });
    if (this.#timer === undefined) this.#run();
  }

  #run(): void {
    this.#timer = undefined;
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      const leftMs = next.dueMs - performance.now();
      if (leftMs > 0) {
        this.#timer = setTimeout(() => this.#run(), leftMs);
        return;
      }
      this.#waiting.shift();
      next.go();
    }
  }
}
