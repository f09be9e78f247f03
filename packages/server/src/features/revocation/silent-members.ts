/**
 * Members that have fallen silent before any revocation waited for them: a machine that was lost. Found early, they delay none.
 * @module
 */
import type { MemberId } from '@catalytic/protocol/ids';
import type { Member } from './store.ts';

/**
 * A member whose row has not changed for this long has fallen silent, milliseconds. A live one writes what it has applied every second, because
 * what others write in theirs is something new to apply.
 */
export const quietMsMax = 5000;

/** Remembers since when each row has been as it is. */
export class SilentMembers {
  #known = new Map<MemberId, { readonly applied: string | null; readonly sinceMs: number }>();

  /**
   * Takes the rows of all members.
   * @param nowMs monotonic clock before they were asked for
   * @returns those that have fallen silent; none while no row changes, because then there is nothing to apply
   */
  take(rows: readonly Member[], nowMs: number): readonly Member[] {
    const before = this.#known;
    this.#known = new Map(
      rows.map(({ id, applied }) => {
        const known = before.get(id);
        return [id, known !== undefined && known.applied === applied ? known : { applied, sinceMs: nowMs }];
      }),
    );
    const isQuiet = ({ id }: Member): boolean => nowMs - (this.#known.get(id)?.sinceMs ?? nowMs) >= quietMsMax;
    return rows.every(isQuiet) ? [] : rows.filter(isQuiet);
  }
}
