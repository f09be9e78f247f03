/** Writing operations of guards. @module */
import type { DatabaseSync } from 'node:sqlite';
import type { MemberId } from '@catalytic/protocol/ids';
import { type Marks, pauseSeconds } from '../../features/guard-keys/rules.ts';
import type { NewGuard, Registering } from '../../features/guards/store.ts';
import { idOfHash } from './key-rows.ts';

/** Prepares the operations. */
export const guardWrites = (database: DatabaseSync) => {
  const findKey = database.prepare(`select marks, marked_at as markedAtMs from guard_key where ${idOfHash} = ?`);
  const findOlder = database.prepare('select 1 from member where kind is null');
  const count = database.prepare(
    `select count(*) filter (where key = ?) as ofKey, count(*) as ofAll
       from member where kind = 'guard' and state = 'live'`,
  );
  const insert = database.prepare(
    `insert into member (id, state, lease_ms, kind, key, name, kinds)
     values (:id, 'live', :leaseMs, 'guard', :key, :name, :kinds)`,
  );
  const leave = database.prepare("delete from member where id = ? and kind = 'guard' and key = ?");
  const raise = database.prepare('update member set seen = seen + 1 where id = ?');

  return {
    register: ({ perKeyMax, allMax, nowMs, ...guard }: NewGuard): Registering => {
      const { id, key, name, kinds, leaseMs } = guard;
      const marks = findKey.get(key) as Marks | undefined;
      if (marks === undefined) return { outcome: 'no key' };
      if (findOlder.get() !== undefined) return { outcome: 'older version present' };
      const retryAfterSeconds = pauseSeconds(marks, nowMs);
      if (retryAfterSeconds > 0) return { outcome: 'unsteady', retryAfterSeconds };
      const { ofKey, ofAll } = count.get(key) as Record<'ofKey' | 'ofAll', number>;
      if (ofKey >= perKeyMax || ofAll >= allMax) return { outcome: 'too many' };
      insert.run({ id, key, name, kinds, leaseMs });
      return { outcome: 'registered' };
    },
    leave: ({ id, key }: { readonly id: MemberId; readonly key: string }): boolean => leave.run(id, key).changes === 1,
    seen: (ids: readonly MemberId[]): void => {
      for (const id of ids) raise.run(id);
    },
  };
};
