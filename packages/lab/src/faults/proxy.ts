/**
 * A TCP proxy that can be slow, silent or rude, to everybody or to some processes: what lies between it and its target is a network to
 * the one who connects.
 * @module
 */
import { type AddressInfo, createServer, Socket } from 'node:net';
import { ownerOf } from './socket-owner.ts';

/** `up`: from the one who connects to the target; `down`: back. */
export type Direction = 'up' | 'down';
/** Both directions. */
export const bothDirections: readonly Direction[] = ['up', 'down'];

/** Bytes that one direction of a connection holds back; then its sender is no longer read, and the system's buffers fill as on a real cut. */
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

/** What has been done to everybody, or to one process. */
interface Weather {
  readonly up: Conditions;
  readonly down: Conditions;
  isResetting: boolean;
  /** `undefined`: where everybody goes. */
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

/** What one side sent, or how it ended: `end` is a FIN, `reset` anything else. */
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
interface Link {
  /** What happens to the process that opened it, besides what happens to everybody. */
  readonly own: Weather;
  /** Goes on after a change of the weather. */
  readonly move: () => void;
  readonly reset: () => void;
  /** Where it has connected to. */
  readonly target: () => ProxyTarget | undefined;
}

/** A proxy that listens. Each change is for everybody, or for the connections of some processes, by id. */
export interface FaultProxy {
  readonly port: number;
  /** Every byte takes so much longer from now on, milliseconds; bytes keep their order. */
  delay(ms: number, directions?: readonly Direction[], pids?: readonly number[]): void;
  /** Nothing arrives any more: bytes and ends of connections are held, connections stay open. */
  cut(directions?: readonly Direction[], pids?: readonly number[]): void;
  /** Every connection is reset, and every new one at once. */
  reset(pids?: readonly number[]): void;
  /** Connections lead to another target from now on; those that led elsewhere are reset. */
  redirect(target: ProxyTarget, pids?: readonly number[]): void;
  /** As it was at first, for everybody; what was held arrives now, and what had been redirected is reset. */
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
  /** Processes that a connection may belong to, asked at each new one. Without it no connection is known to be anybody's. */
  readonly pids?: () => readonly number[];
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
  const usual: ProxyTarget = { host: targetHost, port: targetPort };
  const everybody = fairWeather();
  /** As many as there are processes that came into question. */
  const processes = new Map<number, Weather>();
  const links = new Set<Link>();

  const weatherOf = (pid: number): Weather => {
    const weather = processes.get(pid) ?? fairWeather();
    processes.set(pid, weather);
    return weather;
  };
  /** What is to be changed. */
  const chosen = (pids: readonly number[] | undefined): readonly Weather[] => pids?.map(weatherOf) ?? [everybody];
  const isReset = (own: Weather): boolean => everybody.isResetting || own.isResetting;
  const targetFor = (own: Weather): ProxyTarget => own.target ?? everybody.target ?? usual;

  const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    client.on('error', () => {});
    const pid = ownerOf(client.remoteAddress ?? '', client.remotePort ?? 0, candidates());
    const own = pid === undefined ? fairWeather() : weatherOf(pid);
    if (isReset(own)) {
      client.resetAndDestroy();
      return;
    }
    const target = new Socket({ allowHalfOpen: true });
    target.on('error', () => {});
    const up = new Flow(client, target, [everybody.up, own.up]);
    const down = new Flow(target, client, [everybody.down, own.down]);
    const stop = (): void => {
      up.stop();
      down.stop();
    };
    let connectedTo: ProxyTarget | undefined;
    const link: Link = {
      own,
      target: () => connectedTo,
      move: () => {
        // A connection made during a cut reaches the target when the cut is over.
        if (connectedTo === undefined && ![everybody.up, own.up].some(isCut) && !target.destroyed) {
          connectedTo = targetFor(own);
          target.setNoDelay().connect(connectedTo);
        }
        up.move();
        down.move();
      },
      reset: () => {
        stop();
        client.resetAndDestroy();
        // One that never connected has nothing to reset.
        if (target.pending) target.destroy();
        else target.resetAndDestroy();
      },
    };
    links.add(link);
    const forget = (): void => {
      if (!client.destroyed || !target.destroyed) return;
      links.delete(link);
      stop();
    };
    client.once('close', forget);
    target.once('close', forget);
    link.move();
  });
  /** Every connection learns of a change. */
  const apply = (): void => {
    for (const { own, target, move, reset } of links) {
      const led = target();
      if (isReset(own) || (led !== undefined && led !== targetFor(own))) reset();
      else move();
    }
  };

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(listenPort, listenHost, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    delay: (ms, directions = bothDirections, pids) => {
      for (const weather of chosen(pids)) for (const direction of directions) weather[direction].delayMs = ms;
    },
    cut: (directions = bothDirections, pids) => {
      for (const weather of chosen(pids)) for (const direction of directions) weather[direction].isCut = true;
    },
    reset: (pids) => {
      for (const weather of chosen(pids)) weather.isResetting = true;
      apply();
    },
    redirect: (target, pids) => {
      for (const weather of chosen(pids)) weather.target = target;
      apply();
    },
    heal: () => {
      for (const weather of [everybody, ...processes.values()]) clear(weather);
      apply();
    },
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const { reset } of links) reset();
      await closed;
    },
  };
};
