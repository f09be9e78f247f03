/** Signing keys in PostgreSQL. @module */
import { entryId } from '@catalytic/protocol/journal';
import { retiresAtMs } from '../../features/signing-keys/rules.ts';
import type { NewSigningKey, SigningKeyStore } from '../../features/signing-keys/store.ts';
import { type SigningKeyRow, toKey } from '../signing-key-row.ts';
import { appendAudit, originValue } from './audit-rows.ts';
import { appendEntry, type JournalRow, toRecordedIfAny } from './journal-rows.ts';
import { lockStatement, type Run, statement } from './transactions.ts';

const all = statement(
  'signing_key_all',
  'select kid, algorithm, public_jwk, private_box, created_at, activates_at, retires_at from signing_key order by activates_at',
);
// One process at a time: otherwise two processes could both find the table empty, or both retire
// the same predecessor. Readers continue.
/** See {@link SigningKeyStore.addFirst}. */
export const lockKeys = lockStatement('signing_key_lock', 'signing_key', 'share row exclusive');
const columns = 'kid, algorithm, public_jwk, private_box, created_at, activates_at';
const made = (reason: 'signing_key_created' | 'signing_key_rotated') =>
  ({ event: 'authz_admin', reason, at: 'created_at', subject: 'kid' }) as const;
const insertFirst = statement(
  'signing_key_insert_first',
  `with made as (
     insert into signing_key (${columns})
     select $1, $2, $3, $4::bytea, $5::bigint, $6::bigint where not exists (select 1 from signing_key)
     returning kid, created_at
   ) ${appendAudit({ ...made('signing_key_created'), by: '$7' }, 'from made')}`,
);
/** Inserts {@link valuesOf} a key that replaces others. */
export const insertKey = statement(
  'signing_key_insert',
  `with made as (
     insert into signing_key (${columns}) values ($1, $2, $3, $4, $5, $6) returning kid, created_at
   ) ${appendAudit({ ...made('signing_key_rotated'), by: '$7' }, 'from made')}`,
);
const kill = statement(
  'signing_key_kill',
  `with known as (
     select 1 where exists (select 1 from signing_key where kid = $1)
                 or exists (select 1 from journal where id = $2::uuid)
   ), killed as (
     delete from signing_key where kid = $1 returning kid, retires_at
   ), killing as (
     ${appendAudit({ event: 'authz_admin', reason: 'signing_key_killed', at: '$3', subject: 'kid', by: '$4' }, 'from killed')}
   ), made as (
     insert into signing_key (${columns})
     select $5, $6, $7, $8::bytea, $3::bigint, $3::bigint
       from killed
      where retires_at is null or not exists (
        select 1 from signing_key k
         where k.kid <> $1 and k.activates_at <= $3 and (k.retires_at is null or k.retires_at > $3))
     returning kid, created_at
   ), making as (
     ${appendAudit({ ...made('signing_key_rotated'), by: '$4' }, 'from made')}
   ) ${appendEntry({ kind: 'key', key: '$1::text', epoch: 'null', tenant: 'null' }, 'from known', 'null')}`,
);
// `retiresAtMs` of the rules.
const retireOthers = statement(
  'signing_key_retire_others',
  `update signing_key
      set retires_at = $2::bigint + ${retiresAtMs(0, 0)} + (select token_seconds_max from deployment) * 1000::bigint
    where retires_at is null and kid <> $1`,
);

/** Its columns, and the origin of the request. */
export const valuesOf = ({ key, by }: NewSigningKey): readonly unknown[] => [
  key.kid,
  key.algorithm,
  key.publicJwk,
  key.privateBox,
  key.createdAtMs,
  key.activatesAtMs,
  originValue(by),
];

/** @param run runs transactions; keys belong to no tenant */
export const postgresSigningKeys = (run: Run): SigningKeyStore => ({
  list: async () => (await run<SigningKeyRow>('*', all())).map(toKey),
  addFirst: async (made) => {
    await run('*', lockKeys(), insertFirst(...valuesOf(made)));
  },
  addSuccessor: async (made) => {
    const { kid, activatesAtMs } = made.key;
    await run('*', lockKeys(), insertKey(...valuesOf(made)), retireOthers(kid, activatesAtMs));
  },
  kill: async ({ kid, replacement, nowMs, by }) => {
    const { kid: other, algorithm, publicJwk, privateBox } = replacement;
    const id = entryId({ kind: 'key', key: kid });
    const rows = await run<JournalRow>(
      '*',
      lockKeys(),
      kill(kid, id, nowMs, originValue(by), other, algorithm, publicJwk, privateBox),
    );
    return toRecordedIfAny(rows);
  },
});
