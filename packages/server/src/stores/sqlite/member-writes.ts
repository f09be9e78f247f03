/** Writing operations of members. @module */
import type { DatabaseSync } from 'node:sqlite';
import type { MemberId } from '@catalytic/protocol/ids';

/** Prepares the operations. */
export const memberWrites = (database: DatabaseSync) => {
  const register = database.prepare("insert into member (id, state) values (?, 'live')");
  const acknowledge = database.prepare('update member set applied = ? where id = ?');
  const mark = database.prepare("update member set state = 'leaving' where id = ?");
  const remove = database.prepare('delete from member where id = ?');
  return {
    registerMember: ({ member }: { member: MemberId }): void => {
      register.run(member);
    },
    acknowledgeJournal: ({ member, applied }: { member: MemberId; applied: number }): void => {
      acknowledge.run(applied, member);
    },
    markMembersLeaving: ({ ids }: { ids: readonly MemberId[] }): void => {
      for (const id of ids) mark.run(id);
    },
    removeMembers: ({ ids }: { ids: readonly MemberId[] }): void => {
      for (const id of ids) remove.run(id);
    },
  };
};
