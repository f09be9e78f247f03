/**
 * Finds members that have fallen silent, such as those of a lost machine, before a revocation waits
 * for them. Then they delay no revocation.
 * @module
 */
import type { MemberId } from '@catalytic/protocol/ids';
import type { Member } from './store.ts';

/**
 * A member whose row has not changed for this long has fallen silent, milliseconds. A live worker
 * writes an acknowledgement every second, because the acknowledgements of the others move the
 * position that it has read to. Workers raise `seen` of the guards that ask them, and of their own
 * rows, every two seconds.
 */
export const quietMsMax = 5000;

/** Remembers when each row last changed. */
export class SilentMembers {
  #known = new Map<MemberId, { readonly row: string; readonly sinceMs: number }>();

  /**
   * Compares the rows of all members with the rows of the last call.
   * @param nowMs monotonic clock before the rows were asked for
   * @returns members that have fallen silent; none while no row changes at all, because then there
   *   is nothing to acknowledge
   */
  take(rows: readonly Member[], nowMs: number): readonly Member[] {
    const before = this.#known;
    this.#known = new Map(
      rows.map(({ id, applied, seen }) => {
        const [known, row] = [before.get(id), `${seen} ${applied}`];
        return [id, known?.row === row ? known : { row, sinceMs: nowMs }];
      }),
    );
    const isQuiet = ({ id }: Member): boolean => nowMs - (this.#known.get(id)?.sinceMs ?? nowMs) >= quietMsMax;
    return rows.every(isQuiet) ? [] : rows.filter(isQuiet);
  }
}
