/**
 * One worker's collecting of what the others of its machine have measured.
 * @module
 */
import type { MetricsSnapshot } from '../telemetry/metrics.ts';

/** Who has not answered by then is left out, milliseconds: frozen, or so busy that whoever asks would give up first. */
const collectMsMax = 500;

/** Answers to one question. */
interface Collection {
  readonly snapshots: MetricsSnapshot[];
  /** How many were asked; unknown until the supervisor says so. */
  workers: number;
  readonly finish: () => void;
}

/** Asks, and gathers what comes back in time. */
export class MetricsCollector {
  readonly #ask: (collection: number) => boolean;
  readonly #open = new Map<number, Collection>();
  #nextId = 0;

  /** @param ask sends the question under this number to the supervisor; returns whether that was possible */
  constructor(ask: (collection: number) => boolean) {
    this.#ask = ask;
  }

  /** What the others answer; without a supervisor that answers, nothing. Never rejects. */
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

  /** The supervisor has passed the question on to so many workers. */
  expect(id: number, workers: number): void {
    const collection = this.#open.get(id);
    if (collection === undefined) return;
    collection.workers = workers;
    this.#finishIfWhole(collection);
  }

  /** A worker has answered. What comes late is dropped. */
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
