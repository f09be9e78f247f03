/** Writing operations of members. @module */
import type { DatabaseSync } from 'node:sqlite';
import type { MemberId } from '@catalytic/protocol/ids';

/** Prepares the operations. */
export const memberWrites = (database: DatabaseSync) => {
  const register = database.prepare("insert into member (id, state, lease_ms) values (?, 'live', ?)");
  // Only while the entry stands where it was read: a backup that was put back in the meantime may
  // have another entry there.
  const acknowledge = database.prepare(
    `update member set applied = :pos
      where id = :member and (:pos = 0 or exists (select 1 from journal where pos = :pos and id = :id))`,
  );
  const mark = database.prepare("update member set state = 'leaving' where id = ?");
  const remove = database.prepare('delete from member where id = ?');
  return {
    register: ({ member, leaseMs }: { member: MemberId; leaseMs: number }): void => {
      register.run(member, leaseMs);
    },
    acknowledge: (shown: { member: MemberId; pos: number; id: string }): void => {
      acknowledge.run(shown);
    },
    markLeaving: (ids: readonly MemberId[]): void => {
      for (const id of ids) mark.run(id);
    },
    remove: (ids: readonly MemberId[]): void => {
      for (const id of ids) remove.run(id);
    },
  };
};
