/**
 * Collects the metrics of the other workers of a machine, for the one that is scraped.
 * @module
 */
import type { MetricsSnapshot } from '../telemetry/metrics.ts';

/**
 * A worker that takes longer is left out, milliseconds: it is frozen, or so busy that the scraper
 * would give up first.
 */
const collectMsMax = 500;

/** Answers to one request. */
interface Collection {
  readonly snapshots: MetricsSnapshot[];
  /** Number of workers asked; infinite until the supervisor tells it. */
  workers: number;
  readonly finish: () => void;
}

/** Asks the other workers and gathers the answers that arrive in time. */
export class MetricsCollector {
  readonly #ask: (collection: number) => boolean;
  readonly #open = new Map<number, Collection>();
  #nextId = 0;

  /**
   * @param ask sends the request under this number to the supervisor; returns whether that was
   *   possible
   */
  constructor(ask: (collection: number) => boolean) {
    this.#ask = ask;
  }

  /** The answers of the others; none without a supervisor that answers. Never rejects. */
  collect(): Promise<readonly MetricsSnapshot[]> {
    const id = this.#nextId++;
    if (!this.#ask(id)) return Promise.resolve([]);
    return new Promise((resolve) => {
      const snapshots: MetricsSnapshot[] = [];
      const finish = (): void => {
        clearTimeout(timer);
        this.#open.delete(id);
        resolve(snapshots);
      };
      const timer = setTimeout(finish, collectMsMax);
      this.#open.set(id, { snapshots, workers: Number.POSITIVE_INFINITY, finish });
    });
  }

  /** The supervisor has passed the request on to this number of workers. */
  expect(id: number, workers: number): void {
    const collection = this.#open.get(id);
    if (collection === undefined) return;
    collection.workers = workers;
    this.#finishIfWhole(collection);
  }

  /** A worker has answered. Late answers are dropped. */
  take(id: number, snapshot: MetricsSnapshot): void {
    const collection = this.#open.get(id);
    if (collection === undefined) return;
    collection.snapshots.push(snapshot);
    this.#finishIfWhole(collection);
  }

  #finishIfWhole({ snapshots, workers, finish }: Collection): void {
    if (snapshots.length >= workers) finish();
  }
}
