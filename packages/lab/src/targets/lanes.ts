/**
 * A bounded number of keep-alive connections that are shared: each request takes the one with the
 * least to do.
 * @module
 */
import { Connection, type ConnectionLimits, type ConnectionPlace, type Reply, type Request } from './connection.ts';

/** The one with the least to do, the first of several; `undefined` when there is none. */
export const idlest = <L extends Pick<Connection, 'waiting'>>(lanes: readonly L[]): L | undefined => {
  let best = lanes[0];
  for (const lane of lanes) if (best !== undefined && lane.waiting < best.waiting) best = lane;
  return best;
};

/** Opens connections as they are needed. */
export class Lanes {
  readonly #lanes: Connection[] = [];
  readonly #open: () => Connection;
  readonly #lanesMax: number;

  constructor(target: string, limits: ConnectionLimits, lanesMax: number, place?: ConnectionPlace) {
    this.#open = () => new Connection(target, limits, place);
    this.#lanesMax = lanesMax;
  }

  /** Sends a request; when all connections are busy it waits behind the fewest others. */
  send(request: Request): Promise<Reply> {
    const [first] = this.#lanes;
    // Nearly always: a user that waits for its answers needs one.
    if (first?.waiting === 0) return first.send(request);
    const free = idlest(this.#lanes);
    if (free !== undefined && (free.waiting === 0 || this.#lanes.length >= this.#lanesMax)) return free.send(request);
    const lane = this.#open();
    this.#lanes.push(lane);
    return lane.send(request);
  }

  /** Times that one of them was opened again. */
  get reconnects(): number {
    return this.#lanes.reduce((sum, { reconnects }) => sum + reconnects, 0);
  }

  get connects(): number {
    return this.#lanes.reduce((sum, { connects }) => sum + connects, 0);
  }

  /** Closes all at once; requests in flight are cut. */
  async destroy(): Promise<void> {
    await Promise.all(this.#lanes.map((lane) => lane.destroy()));
  }
}
