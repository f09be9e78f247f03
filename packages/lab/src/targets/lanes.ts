/**
 * A bounded number of keep-alive connections that are shared: each request takes the one with the least to do.
 * @module
 */
import { Connection, type ConnectionLimits, type Reply, type Request } from './connection.ts';

/** A connection and how many requests wait on it, the one under way included. */
export interface Lane {
  readonly connection: Connection;
  waiting: number;
}

/** Sends over a lane. */
export const sendOver = async (lane: Lane, request: Request): Promise<Reply> => {
  lane.waiting += 1;
  try {
    return await lane.connection.send(request);
  } finally {
    lane.waiting -= 1;
  }
};

/** The lane with the least to do; `undefined` when there is none. */
export const idlest = <L extends Lane>(lanes: readonly L[]): L | undefined => {
  let best = lanes[0];
  for (const lane of lanes) if (best !== undefined && lane.waiting < best.waiting) best = lane;
  return best;
};

/** Opens connections as they are needed. */
export class Lanes {
  readonly #lanes: Lane[] = [];
  readonly #open: () => Connection;
  readonly #lanesMax: number;

  constructor(origin: string, limits: ConnectionLimits, lanesMax: number) {
    this.#open = () => new Connection(origin, limits);
    this.#lanesMax = lanesMax;
  }

  /** Sends a request; when all connections are busy it waits behind the fewest others. */
  send(request: Request): Promise<Reply> {
    const free = idlest(this.#lanes);
    if (free !== undefined && (free.waiting === 0 || this.#lanes.length >= this.#lanesMax))
      return sendOver(free, request);
    const lane = { connection: this.#open(), waiting: 0 };
    this.#lanes.push(lane);
    return sendOver(lane, request);
  }

  /** Times that one of them was opened again. */
  get reconnects(): number {
    return this.#lanes.reduce((sum, { connection }) => sum + connection.reconnects, 0);
  }

  get connects(): number {
    return this.#lanes.reduce((sum, { connection }) => sum + connection.connects, 0);
  }

  /** Closes all at once; what is in flight is cut. */
  async destroy(): Promise<void> {
    await Promise.all(this.#lanes.map(({ connection }) => connection.destroy()));
  }
}
