/**
 * Reading the journal: one connection of its own, one statement for each read.
 * @module
 */
import type { JournalPage, JournalSource } from '@catalytic/guard/journal-source';
import type { MemberId } from '@catalytic/protocol/ids';
import type { JournalEntry } from '@catalytic/protocol/journal';
import { Client } from 'pg';
import { toEntry } from '../journal-row.ts';
import type { Statement } from './flight.ts';
import type { JournalRow } from './journal-rows.ts';
import { connectionConfig, leave, statement } from './transactions.ts';
import { asPortError } from './unavailable.ts';

/** Where the next read begins. */
export interface PostgresCursor {
  /** Highest transaction whose rows were applied. Its commit was durable, so no crash gives its id to another one. */
  readonly m: string;
  /** Lower ones that had not ended: their rows may still come. */
  readonly open: readonly string[];
}

/** The first row of a read: what is true at the moment its entries are from. */
interface Head {
  readonly snapshot: string;
  readonly identity: string;
  readonly is_primary: boolean;
  readonly is_member: boolean;
  readonly members: number;
}

/** Longest time an answer may take, milliseconds; a read of the whole journal carries more. */
const answerMs = 1000;
const wholeAnswerMs = 10_000;

// A timeline exists on a primary only. Three things name a history: the cluster, how often it failed over, how often it was restored.
const head = `
  select null::uuid as id, null::xid8 as xid, null as kind, null::integer as epoch, null::bigint as keep_until, null::tid as place,
         json_build_object(
           'snapshot', pg_current_snapshot()::text,
           'is_primary', not pg_is_in_recovery(),
           'identity', concat_ws('.',
             (select system_identifier from pg_control_system()),
             case when not pg_is_in_recovery() then left(pg_walfile_name(pg_current_wal_lsn()), 8) end,
             (select generation from deployment)),
           'is_member', exists (select 1 from member where id = $1 and state = 'live'),
           'members', (select count(*) from member))::text as key`;
const entries = 'select id, xid, kind, epoch, keep_until, ctid, key from journal';
// The head first, then in order of the transactions, and the rows of one as it wrote them.
const order = 'order by xid nulls first, place';
const readAll = statement('journal_read_all', `${head} union all ${entries} ${order}`);
// Not one condition with "or": each branch must be one descent of the index, however many rows there are.
const readNew = statement(
  'journal_read_new',
  `${head} union all ${entries} where xid > $2 union all ${entries} where xid = any($3::xid8[]) ${order}`,
);

// One plan for any values, and that one by the index whatever the statistics say of a journal that has just grown. Never compiled: a
// wrong estimate would cost more than the read.
const planning = '-c plan_cache_mode=force_generic_plan -c enable_seqscan=off -c jit=off';

const register = statement('member_register', `insert into member (id, state) values ($1, 'live')`);
const unregister = statement('member_unregister', 'delete from member where id = any($1)');
// Does not wait for the disk: a lost acknowledgement is harmless.
const acknowledge = statement(
  'member_acknowledge',
  `with quick as materialized (select set_config('synchronous_commit', 'off', true))
   update member set applied = $2 from quick where id = $1`,
);
const restore = statement(
  'journal_restore',
  `insert into journal (id, kind, key, epoch, keep_until)
   select e.id, e.kind, e.key, e.epoch, e."keepUntilMs"
     from jsonb_to_recordset($1) as e (id uuid, kind text, key text, epoch integer, "keepUntilMs" bigint)
   on conflict (id) do nothing`,
);

const nextCursor = (
  before: PostgresCursor | undefined,
  rows: readonly JournalRow[],
  snapshot: string,
): PostgresCursor => {
  const m = rows.reduce((highest, { xid }) => (BigInt(xid) > highest ? BigInt(xid) : highest), BigInt(before?.m ?? 0));
  const inProgress = snapshot.split(':')[2] ?? '';
  const open = inProgress === '' ? [] : inProgress.split(',').filter((xid) => BigInt(xid) < m);
  return { m: String(m), open };
};

/** See {@link JournalSource}. */
export class PostgresJournalSource implements JournalSource<PostgresCursor> {
  readonly #url: string;
  #client: Client | undefined;
  /** What the last read on the present connection has shown. */
  #shown: string | undefined;

  constructor(url: string) {
    this.#url = url;
  }

  async register(member: MemberId): Promise<void> {
    await this.#ask(register(member));
  }

  async read(member: MemberId, cursor: PostgresCursor | undefined): Promise<JournalPage<PostgresCursor>> {
    const [first, ...rows] =
      cursor === undefined
        ? await this.#ask<JournalRow>(readAll(member), wholeAnswerMs)
        : await this.#ask<JournalRow>(readNew(member, cursor.m, cursor.open));
    const { snapshot, identity, is_primary, is_member, members } = JSON.parse(first?.key ?? '') as Head;
    this.#shown = snapshot;
    return {
      identity,
      isPrimary: is_primary,
      isMember: is_member,
      members,
      entries: rows.map(toEntry),
      cursor: nextCursor(cursor, rows, snapshot),
      applied: snapshot,
    };
  }

  async acknowledge(member: MemberId, applied: string): Promise<void> {
    if (applied === this.#shown) await this.#ask(acknowledge(member, applied));
  }

  async unregister(members: readonly MemberId[]): Promise<void> {
    await this.#ask(unregister(members));
  }

  async restore(lost: readonly JournalEntry[]): Promise<void> {
    await this.#ask(restore(JSON.stringify(lost)), wholeAnswerMs);
  }

  async close(): Promise<void> {
    await this.#drop();
  }

  async #ask<Row>({ name, text, values }: Statement, deadlineMs = answerMs): Promise<readonly Row[]> {
    try {
      this.#client ??= await this.#connect();
      const query = { name, text, values: [...values], query_timeout: deadlineMs };
      return (await this.#client.query(query)).rows as Row[];
    } catch (error) {
      // Not even a healthy connection is kept: who reads again begins anew, and an answer that was given up cannot arrive later.
      void this.#drop();
      throw asPortError(error);
    }
  }

  async #connect(): Promise<Client> {
    const config = connectionConfig({ url: this.#url, statementMs: wholeAnswerMs });
    const client = new Client({
      ...config,
      application_name: 'catalytic journal',
      connectionTimeoutMillis: answerMs,
      options: `${config.options} ${planning}`,
    });
    client.on('error', () => {
      if (this.#client === client) void this.#drop();
    });
    await client.connect();
    return client;
  }

  async #drop(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    this.#shown = undefined;
    if (client !== undefined) await leave(client);
  }
}
