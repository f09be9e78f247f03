/**
 * A TCP proxy on loopback that can be slow, silent or rude: what lies between it and its target is a network to the one who connects.
 * @module
 */
import { type AddressInfo, createServer, Socket } from 'node:net';

/** `up`: from the one who connects to the target; `down`: back. */
export type Direction = 'up' | 'down';
/** Both directions. */
export const bothDirections: readonly Direction[] = ['up', 'down'];

/** Bytes that one direction of a connection holds back; then its sender is no longer read, and the system's buffers fill as on a real cut. */
const heldBytesMax = 1 << 20;

interface Conditions {
  delayMs: number;
  isCut: boolean;
}

/** What one side sent, or how it ended: `end` is a FIN, `reset` anything else. */
interface Parcel {
  readonly dueMs: number;
  readonly content: Buffer | 'end' | 'reset';
}

/** One direction of one connection. */
class Flow {
  readonly #source: Socket;
  readonly #sink: Socket;
  readonly #conditions: Conditions;
  readonly #parcels: Parcel[] = [];
  #heldBytes = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(source: Socket, sink: Socket, conditions: Conditions) {
    this.#source = source;
    this.#sink = sink;
    this.#conditions = conditions;
    source.on('data', (chunk: Buffer) => this.#accept(chunk));
    source.once('end', () => this.#accept('end'));
    // After an end a close says nothing new; else the connection was torn.
    source.once('close', (hadError: boolean) => {
      if (hadError || !source.readableEnded) this.#accept('reset');
    });
    sink.on('drain', () => this.move());
  }

  #accept(content: Parcel['content']): void {
    this.#parcels.push({ dueMs: performance.now() + this.#conditions.delayMs, content });
    this.#heldBytes += content.length;
    if (this.#heldBytes > heldBytesMax) this.#source.pause();
    this.move();
  }

  /** Hands over everything that is due. */
  move(): void {
    clearTimeout(this.#timer);
    while (!this.#conditions.isCut && !this.#sink.destroyed && !this.#sink.writableNeedDrain) {
      const [parcel] = this.#parcels;
      if (parcel === undefined) break;
      const leftMs = parcel.dueMs - performance.now();
      if (leftMs > 0) {
        this.#timer = setTimeout(() => this.move(), leftMs);
        return;
      }
      this.#parcels.shift();
      this.#heldBytes -= parcel.content.length;
      if (parcel.content === 'reset') this.#sink.resetAndDestroy();
      else if (parcel.content === 'end') this.#sink.end();
      else this.#sink.write(parcel.content);
    }
    if (this.#heldBytes <= heldBytesMax) this.#source.resume();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}

/** A connection through the proxy. */
interface Link {
  readonly client: Socket;
  readonly target: Socket;
  /** Goes on after a change of the conditions. */
  readonly move: () => void;
  readonly stop: () => void;
}

/** A proxy that listens. */
export interface FaultProxy {
  readonly port: number;
  /** Every byte takes so much longer from now on, milliseconds; bytes keep their order. */
  delay(ms: number, directions?: readonly Direction[]): void;
  /** Nothing arrives any more: bytes and ends of connections are held, connections stay open. */
  cut(directions?: readonly Direction[]): void;
  /** Every connection is reset, and every new one at once. */
  reset(): void;
  /** As it was at first; what was held arrives now. */
  heal(): void;
  /** Ends it and all its connections. */
  close(): Promise<void>;
}

/** Where a proxy listens and whom it forwards to. */
export interface ProxyOptions {
  /** 0: a free one. */
  readonly listenPort: number;
  readonly targetHost: string;
  readonly targetPort: number;
}

/**
 * Starts a proxy.
 * @throws Error when the port is taken
 */
export const startProxy = async ({ listenPort, targetHost, targetPort }: ProxyOptions): Promise<FaultProxy> => {
  const conditions: Readonly<Record<Direction, Conditions>> = {
    up: { delayMs: 0, isCut: false },
    down: { delayMs: 0, isCut: false },
  };
  let isResetting = false;
  const links = new Set<Link>();

  const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    client.on('error', () => {});
    if (isResetting) {
      client.resetAndDestroy();
      return;
    }
    const target = new Socket({ allowHalfOpen: true });
    target.on('error', () => {});
    const up = new Flow(client, target, conditions.up);
    const down = new Flow(target, client, conditions.down);
    let hasConnected = false;
    const link: Link = {
      client,
      target,
      move: () => {
        // A connection made during a cut reaches the target when the cut is over.
        if (!hasConnected && !conditions.up.isCut && !target.destroyed) {
          hasConnected = true;
          target.setNoDelay().connect({ host: targetHost, port: targetPort });
        }
        up.move();
        down.move();
      },
      stop: () => {
        up.stop();
        down.stop();
      },
    };
    links.add(link);
    const forget = (): void => {
      if (!client.destroyed || !target.destroyed) return;
      links.delete(link);
      link.stop();
    };
    client.once('close', forget);
    target.once('close', forget);
    link.move();
  });
  const moveAll = (): void => {
    for (const { move } of links) move();
  };
  const resetAll = (): void => {
    for (const { client, target, stop } of links) {
      stop();
      client.resetAndDestroy();
      // One that never connected has nothing to reset.
      if (target.pending) target.destroy();
      else target.resetAndDestroy();
    }
  };

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(listenPort, '127.0.0.1', resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    delay: (ms, directions = bothDirections) => {
      for (const direction of directions) conditions[direction].delayMs = ms;
    },
    cut: (directions = bothDirections) => {
      for (const direction of directions) conditions[direction].isCut = true;
    },
    reset: () => {
      isResetting = true;
      resetAll();
    },
    heal: () => {
      isResetting = false;
      for (const direction of bothDirections) Object.assign(conditions[direction], { delayMs: 0, isCut: false });
      moveAll();
    },
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      resetAll();
      await closed;
    },
  };
};
