/**
 * A TCP proxy that can delay, cut or reset connections, of every client or of some processes. To a
 * client it is the network in front of the target.
 * @module
 */
import { type AddressInfo, createServer, Socket } from 'node:net';
import { ownerOf } from './socket-owner.ts';

/** `up`: from the client to the target; `down`: back. */
export type Direction = 'up' | 'down';
/** Both directions. */
export const bothDirections: readonly Direction[] = ['up', 'down'];

/**
 * Bytes that one direction of a connection holds back; then its sender is no longer read, and the
 * system's buffers fill as on a real cut.
 */
const heldBytesMax = 1 << 20;

/** Where connections go. */
export interface ProxyTarget {
  readonly host: string;
  readonly port: number;
}

interface Conditions {
  delayMs: number;
  isCut: boolean;
}

/** Conditions for every client, or for the clients of one process. */
interface Weather {
  readonly up: Conditions;
  readonly down: Conditions;
  isResetting: boolean;
  /** `undefined`: the usual target. */
  target: ProxyTarget | undefined;
}

const fair = (): Omit<Weather, 'up' | 'down'> => ({ isResetting: false, target: undefined });
const fairWay = (): Conditions => ({ delayMs: 0, isCut: false });
const fairWeather = (): Weather => ({ up: fairWay(), down: fairWay(), ...fair() });

/** Changes it in place: connections hold on to it. */
const clear = (weather: Weather): void => {
  for (const direction of bothDirections) Object.assign(weather[direction], fairWay());
  Object.assign(weather, fair());
};

const isCut = (conditions: Conditions): boolean => conditions.isCut;

/** Bytes of one side, or its end: `end` is a FIN, `reset` any other end. */
interface Parcel {
  readonly dueMs: number;
  readonly content: Buffer | 'end' | 'reset';
}

/** One direction of one connection. */
class Flow {
  readonly #source: Socket;
  readonly #sink: Socket;
  readonly #conditions: readonly Conditions[];
  readonly #parcels: Parcel[] = [];
  #heldBytes = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(source: Socket, sink: Socket, conditions: readonly Conditions[]) {
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
    let dueMs = performance.now();
    for (const { delayMs } of this.#conditions) dueMs += delayMs;
    this.#parcels.push({ dueMs, content });
    this.#heldBytes += content.length;
    if (this.#heldBytes > heldBytesMax) this.#source.pause();
    this.move();
  }

  /** Hands over everything that is due. */
  move(): void {
    clearTimeout(this.#timer);
    while (!this.#conditions.some(isCut) && !this.#sink.destroyed && !this.#sink.writableNeedDrain) {
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
class Link {
  /** Conditions of the process that opened it, besides those for every client. */
  readonly own: Weather;
  readonly #everybody: Weather;
  readonly #client: Socket;
  readonly #target = new Socket({ allowHalfOpen: true });
  readonly #up: Flow;
  readonly #down: Flow;
  readonly #targetNow: () => ProxyTarget;
  #connectedTo: ProxyTarget | undefined;

  /**
   * @param targetNow where it should lead now
   * @param onEnd called when both sides are closed
   */
  constructor(
    client: Socket,
    everybody: Weather,
    own: Weather,
    { targetNow, onEnd }: { readonly targetNow: () => ProxyTarget; readonly onEnd: (link: Link) => void },
  ) {
    this.own = own;
    this.#everybody = everybody;
    this.#client = client;
    this.#targetNow = targetNow;
    const target = this.#target;
    target.on('error', () => {});
    this.#up = new Flow(client, target, [everybody.up, own.up]);
    this.#down = new Flow(target, client, [everybody.down, own.down]);
    const forget = (): void => {
      if (!client.destroyed || !target.destroyed) return;
      onEnd(this);
      this.#stop();
    };
    client.once('close', forget);
    target.once('close', forget);
  }

  /** Whether it leads to another target than it should. */
  get isMisled(): boolean {
    return this.#connectedTo !== undefined && this.#connectedTo !== this.#targetNow();
  }

  /** Goes on after a change of the weather. */
  move(): void {
    // A connection made during a cut reaches the target when the cut is over.
    if (this.#connectedTo === undefined && ![this.#everybody.up, this.own.up].some(isCut) && !this.#target.destroyed) {
      this.#connectedTo = this.#targetNow();
      this.#target.setNoDelay().connect(this.#connectedTo);
    }
    this.#up.move();
    this.#down.move();
  }

  reset(): void {
    this.#stop();
    this.#client.resetAndDestroy();
    // A socket that never connected has nothing to reset.
    if (this.#target.pending) this.#target.destroy();
    else this.#target.resetAndDestroy();
  }

  #stop(): void {
    this.#up.stop();
    this.#down.stop();
  }
}

/**
 * A proxy that listens. A change applies to every connection, or to those of some processes, by id.
 */
export interface FaultProxy {
  readonly port: number;
  /** Delays every byte from now on by `ms`; bytes keep their order. */
  delay(ms: number, directions?: readonly Direction[], pids?: readonly number[]): void;
  /** Nothing arrives any more: bytes and ends of connections are held, connections stay open. */
  cut(directions?: readonly Direction[], pids?: readonly number[]): void;
  /** Every connection is reset, and every new one at once. */
  reset(pids?: readonly number[]): void;
  /** Connections lead to another target from now on; those that led elsewhere are reset. */
  redirect(target: ProxyTarget, pids?: readonly number[]): void;
  /** Takes back every change. Held bytes arrive now, and redirected connections are reset. */
  heal(): void;
  /** Ends it and all its connections. */
  close(): Promise<void>;
}

/** Where a proxy listens and whom it forwards to. */
export interface ProxyOptions {
  /** An address of this machine; loopback when not given. */
  readonly listenHost?: string;
  /** 0: a free one. */
  readonly listenPort: number;
  readonly targetHost: string;
  readonly targetPort: number;
  /**
   * Processes that a new connection may belong to. Without it no connection is matched to a
   * process.
   */
  readonly pids?: () => readonly number[];
}

/** The weather of a proxy, and the connections that live in it. */
class Climate {
  readonly #usual: ProxyTarget;
  readonly #everybody = fairWeather();
  /** As many as there are processes that came into question. */
  readonly #processes = new Map<number, Weather>();
  readonly #links = new Set<Link>();

  constructor(usual: ProxyTarget) {
    this.#usual = usual;
  }

  /** Takes a connection. @param pid process that opened it, where that is known */
  open(client: Socket, pid: number | undefined): void {
    const own = pid === undefined ? fairWeather() : this.#weatherOf(pid);
    if (this.#isReset(own)) {
      client.resetAndDestroy();
      return;
    }
    const link = new Link(client, this.#everybody, own, {
      targetNow: () => this.#targetFor(own),
      onEnd: (ended) => this.#links.delete(ended),
    });
    this.#links.add(link);
    link.move();
  }

  /** Changes the weather of every client, or of some processes. */
  change(pids: readonly number[] | undefined, change: (weather: Weather) => void): void {
    for (const weather of pids?.map((pid) => this.#weatherOf(pid)) ?? [this.#everybody]) change(weather);
  }

  clear(): void {
    for (const weather of [this.#everybody, ...this.#processes.values()]) clear(weather);
  }

  /** Every connection learns of a change. */
  apply(): void {
    for (const link of this.#links)
      if (this.#isReset(link.own) || link.isMisled) link.reset();
      else link.move();
  }

  resetAll(): void {
    for (const link of this.#links) link.reset();
  }

  #weatherOf(pid: number): Weather {
    const weather = this.#processes.get(pid) ?? fairWeather();
    this.#processes.set(pid, weather);
    return weather;
  }

  #isReset(own: Weather): boolean {
    return this.#everybody.isResetting || own.isResetting;
  }

  #targetFor(own: Weather): ProxyTarget {
    return own.target ?? this.#everybody.target ?? this.#usual;
  }
}

/**
 * Starts a proxy.
 * @throws Error when the port is taken
 */
export const startProxy = async ({
  listenHost = '127.0.0.1',
  listenPort,
  targetHost,
  targetPort,
  pids: candidates = () => [],
}: ProxyOptions): Promise<FaultProxy> => {
  const climate = new Climate({ host: targetHost, port: targetPort });
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    client.on('error', () => {});
    climate.open(client, ownerOf(client.remoteAddress ?? '', client.remotePort ?? 0, candidates()));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(listenPort, listenHost, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    delay: (ms, directions = bothDirections, pids) =>
      climate.change(pids, (weather) => {
        for (const direction of directions) weather[direction].delayMs = ms;
      }),
    cut: (directions = bothDirections, pids) =>
      climate.change(pids, (weather) => {
        for (const direction of directions) weather[direction].isCut = true;
      }),
    reset: (pids) => {
      climate.change(pids, (weather) => {
        weather.isResetting = true;
      });
      climate.apply();
    },
    redirect: (target, pids) => {
      climate.change(pids, (weather) => {
        weather.target = target;
      });
      climate.apply();
    },
    heal: () => {
      climate.clear();
      climate.apply();
    },
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      climate.resetAll();
      await closed;
    },
  };
};
