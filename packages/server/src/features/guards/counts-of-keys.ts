/**
 * Counts by guard key.
 * @module
 */
import type { KnownGuardKey } from '../guard-keys/store.ts';

/** Counts by guard key, so that the holder of one takes no room from those of the others. */
export class CountsOfKeys {
  readonly #counts = new Map<string, number>();

  /** The count of one key. */
  of({ id }: KnownGuardKey): number {
    return this.#counts.get(id) ?? 0;
  }

  /** Counts one more. */
  add(key: KnownGuardKey): void {
    this.#counts.set(key.id, this.of(key) + 1);
  }

  /** Counts one less. */
  remove(key: KnownGuardKey): void {
    const count = this.of(key) - 1;
    if (count > 0) this.#counts.set(key.id, count);
    else this.#counts.delete(key.id);
  }
}
