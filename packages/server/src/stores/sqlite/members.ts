/** Members in SQLite. @module */
import type { DatabaseSync } from 'node:sqlite';
import type { MemberId } from '@catalytic/protocol/ids';
import type { Member, MemberStore } from '../../features/revocation/store.ts';
import { readRows } from './unavailable.ts';
import type { Writer } from './writer.ts';

interface MemberRow {
  readonly id: MemberId;
  readonly state: Member['state'];
  readonly lease_ms: number | null;
  readonly applied: number | null;
  readonly kind: Member['kind'];
  readonly seen: number;
}

/** @param reader connection for reading */
export const sqliteMembers = (reader: DatabaseSync, writer: Writer): MemberStore => {
  const write = writer.of('members');
  const all = reader.prepare("select id, state, lease_ms, applied, coalesce(kind, 'worker') as kind, seen from member");
  return {
    list: async () =>
      readRows<MemberRow>(all).map(({ id, state, lease_ms, applied, kind, seen }) => ({
        id,
        state,
        leaseMs: lease_ms,
        applied: applied === null ? null : String(applied),
        kind,
        seen,
      })),
    markLeaving: write('markLeaving'),
    remove: write('remove'),
    covers: (applied, position) => Number(position) <= Number(applied),
  };
};
