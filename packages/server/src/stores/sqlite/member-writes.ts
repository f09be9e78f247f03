/** Writing operations of members. @module */
import type { DatabaseSync } from 'node:sqlite';
import type { MemberId } from '@catalytic/protocol/ids';
import { type Marks, marksAfter } from '../../features/guard-keys/rules.ts';
import { idOfHash } from './key-rows.ts';

/** Prepares the operations. */
export const memberWrites = (database: DatabaseSync) => {
  const register = database.prepare("insert into member (id, state, lease_ms, kind) values (?, 'live', ?, 'worker')");
  // Only while the entry stands where it was read: a backup that was put back in the meantime may
  // have another entry there.
  const acknowledge = database.prepare(
    `update member set applied = :pos
      where id = :member and (:pos = 0 or exists (select 1 from journal where pos = :pos and id = :id))`,
  );
  const findLiveGuard = database.prepare("select key from member where id = ? and kind = 'guard' and state = 'live'");
  // Never backwards, and only in the history in which the guard was given it.
  const acknowledgeFor = database.prepare(
    `update member set applied = :pos
      where id = :guard and kind = 'guard' and (applied is null or applied < :pos)
        and (select history from deployment) = :history
        and (:pos = 0 or exists (select 1 from journal where pos = :pos and id = :id))`,
  );
  // A row that is marked already is written again: the wait counts from this commit.
  const mark = database.prepare("update member set state = 'leaving' where id = ?");
  const findMarks = database.prepare(`select marks, marked_at as markedAtMs from guard_key where ${idOfHash} = ?`);
  const setMarks = database.prepare(`update guard_key set marks = ?, marked_at = ? where ${idOfHash} = ?`);
  const remove = database.prepare('delete from member where id = ?');
  return {
    register: ({ member, leaseMs }: { member: MemberId; leaseMs: number }): void => {
      register.run(member, leaseMs);
    },
    acknowledge: (shown: { member: MemberId; pos: number; id: string }): void => {
      acknowledge.run(shown);
    },
    acknowledgeFor: (
      guards: readonly {
        readonly guard: MemberId;
        readonly history: string;
        readonly pos: number;
        readonly id: string;
      }[],
    ): void => {
      for (const guard of guards) acknowledgeFor.run({ ...guard });
    },
    markLeaving: (ids: readonly MemberId[]): void => {
      const keys = new Set<string>();
      for (const id of ids) {
        const guard = findLiveGuard.get(id) as { readonly key: string | null } | undefined;
        if (guard !== undefined && guard.key !== null) keys.add(guard.key);
        mark.run(id);
      }
      const nowMs = Date.now();
      for (const key of keys) {
        const marks = findMarks.get(key) as Marks | undefined;
        if (marks !== undefined) setMarks.run(marksAfter(marks, nowMs), nowMs, key);
      }
    },
    remove: (ids: readonly MemberId[]): void => {
      for (const id of ids) remove.run(id);
    },
  };
};
