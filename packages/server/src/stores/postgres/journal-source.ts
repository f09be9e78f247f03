/**
 * Reads the journal: a separate connection, one statement for each read.
 * @module
 */
import type { Coverage, JournalPage, JournalSource, LiveGuard } from '@catalytic/guard/journal-source';
import type { JournalId, MemberId } from '@catalytic/protocol/ids';
import type { JournalEntry } from '@catalytic/protocol/journal';
import type { Client } from 'pg';
import { Connector, isDoubtful, leave, ownSettings } from './connection.ts';
import { servingLock } from './deployment.ts';
import type { Statement } from './flight.ts';
import { databaseMs, type PlacedRow, placeIn, toPlacedEntry } from './journal-rows.ts';
import { statement } from './transactions.ts';
import { asPortError, sqlState } from './unavailable.ts';

/** Where the next read begins. It is valid in one history of the database only. */
export interface PostgresCursor {
  /**
   * Highest transaction whose rows were applied. Its commit was durable, so no crash gives its id
   * to another transaction.
   */
  readonly m: string;
  /**
   * An entry that it wrote; `null` before the first. If that entry no longer stands there, the
   * history is another one.
   */
  readonly id: JournalId | null;
  /** Lower transactions that had not ended: their rows may still appear. */
  readonly open: readonly string[];
}

/** The first row of a read: the state of the database at the moment of its entries. */
interface Head {
  readonly snapshot: string;
  readonly history: string;
  readonly is_named_here: boolean;
  readonly is_continued: boolean;
  readonly database_ms: number;
  readonly is_primary: boolean;
  readonly is_member: boolean;
  readonly members: number;
  /** Null: none. */
  readonly guards: readonly LiveGuard[] | null;
  readonly guard_keys_revision: number;
}

/**
 * Longest time that an answer may take, milliseconds. A read of the whole journal has more data and
 * gets more time, and so does a read after one that was not answered: the process may lack many rows.
 * A server that is away shows when the new connection is opened.
 */
const answerMs = 1000;
const wholeAnswerMs = 10_000;

/**
 * Names the server that answers: its cluster, and the number of its failovers. Only a primary has a
 * timeline.
 */
const server = `concat_ws('.', (select system_identifier from pg_control_system()),
  case when not pg_is_in_recovery() then left(pg_walfile_name(pg_current_wal_lsn()), 8) end)`;

/** @param isContinued SQL: whether the newest applied entry still stands where it stood */
const head = (isContinued: string): string => `
  select null::uuid as id, null::xid8 as xid, null as kind, null::integer as epoch, null::bigint as keep_until,
         null::boolean as keeps_sessions, null::uuid as tenant_id, null::tid as place,
         json_build_object(
           'snapshot', pg_current_snapshot()::text,
           'is_primary', not pg_is_in_recovery(),
           'history', (select history from deployment),
           'is_named_here', (select history_server from deployment) is not distinct from ${server},
           'is_continued', ${isContinued},
           'database_ms', ${databaseMs},
           'is_member', exists (select 1 from member where id = $1 and state = 'live'),
           'members', (select count(*) from member where kind is distinct from 'guard'),
           'guards', (select json_agg(json_build_object('id', id, 'keyId', key, 'leaseMs', lease_ms))
                        from member where kind = 'guard' and state = 'live'),
           'guard_keys_revision', (select guard_keys_revision from deployment))::text as key`;
const entries = 'select id, xid, kind, epoch, keep_until, keeps_sessions, tenant_id, ctid, key from journal';
const wasApplied = `($2::xid8 = '0' or exists (select 1 from journal where xid = $2 and id = $4))`;
// The head first, then the rows in the order of their transactions, and within a transaction in the
// order of writing.
const order = 'order by xid nulls first, place';
const readAll = statement('journal_read_all', `${head('true')} union all ${entries} ${order}`);
// Two branches instead of one condition with "or": each must be one descent of the index, however
// many rows there are.
const readNew = statement(
  'journal_read_new',
  `${head(wasApplied)} union all ${entries} where xid > $2 union all ${entries} where xid = any($3::xid8[]) ${order}`,
);

// One plan for all values, by the index, whatever the statistics say about a journal that has just
// grown. Never compiled: after a wrong estimate compiling would cost more than the read.
const planning = { plan_cache_mode: 'force_generic_plan', enable_seqscan: 'off', jit: 'off' };

const register = statement(
  'member_register',
  `insert into member (id, state, lease_ms, kind) values ($1, 'live', $2, 'worker')`,
);
const unregister = statement('member_unregister', 'delete from member where id = any($1)');
// Its commit does not wait for the disk: a lost acknowledgement is harmless.
const acknowledge = statement(
  'member_acknowledge',
  `with quick as materialized (select set_config('synchronous_commit', 'off', true))
   update member set applied = $2, applied_history = $3::uuid from quick where id = $1`,
);
// Never backwards: another process may have heard a later poll of the same guard. Both ends of a
// snapshot grow with what a guard has.
const acknowledgeFor = statement(
  'member_acknowledge_for',
  `with quick as materialized (select set_config('synchronous_commit', 'off', true))
   update member m set applied = a.applied, applied_history = $1::uuid
     from quick, jsonb_to_recordset($2) as a (id uuid, applied text)
    where m.id = a.id and m.kind = 'guard'
      and (m.applied is null or m.applied_history is distinct from $1::uuid
           or (split_part(m.applied, ':', 2)::xid8, split_part(m.applied, ':', 1)::xid8)
              < (split_part(a.applied, ':', 2)::xid8, split_part(a.applied, ':', 1)::xid8))`,
);
// Several processes may find another history. The first of them names it, and the others find that
// name.
const rename = statement(
  'journal_rename_history',
  `update deployment set history = gen_random_uuid(), history_server = ${server} where history = $1::uuid`,
);

/**
 * Statements for a service that opens the database. Rows of another cluster (a restored dump) carry
 * transaction ids that this cluster has not assigned yet. They get new ids, because later rows must
 * stand behind them. On another server than before, the history gets a new name. A logical copy
 * brings rows without the sequence that numbered them, so the sequence is set behind the rows.
 */
export const openHistory: readonly string[] = [
  'update journal set xid = pg_current_xact_id() where xid >= pg_snapshot_xmax(pg_current_snapshot())',
  `update deployment set history = gen_random_uuid(), history_server = ${server} where history_server is distinct from ${server}`,
  `select set_config('catalytic.tenant', '*', false)`,
  `select setval('audit_pos_seq', newest) from (select max(pos) as newest from audit) a where newest > (select last_value from audit_pos_seq)`,
];
const restore = statement(
  'journal_restore',
  `insert into journal (id, kind, key, epoch, keep_until, keeps_sessions)
   select e.id, e.kind, e.key, e.epoch, e."keepUntilMs", e."keepsSessions"
     from jsonb_to_recordset($1)
            as e (id uuid, kind text, key text, epoch integer, "keepUntilMs" bigint, "keepsSessions" boolean)
   on conflict (id) do nothing`,
);

/** A coverage as a snapshot that shows exactly what it holds. */
const snapshotOf = ({ upTo, except }: Coverage): string => {
  const end = upTo + 1n;
  const lowest = except.reduce((low, xid) => (xid < low ? xid : low), end);
  return `${lowest}:${end}:${except.join(',')}`;
};

/** The first transaction id that the database had not assigned yet. */
const nextXid = (snapshot: string): bigint => BigInt(snapshot.split(':')[1] ?? 0);

const nextCursor = (
  before: PostgresCursor | undefined,
  rows: readonly PlacedRow[],
  snapshot: string,
): PostgresCursor => {
  let newest = { xid: BigInt(before?.m ?? 0), id: before?.id ?? null };
  // The row of a dump may carry a higher id than this cluster has assigned. Then it says nothing
  // about later rows.
  const end = nextXid(snapshot);
  for (const { xid, id } of rows) if (BigInt(xid) >= newest.xid && BigInt(xid) < end) newest = { xid: BigInt(xid), id };
  const inProgress = snapshot.split(':')[2] ?? '';
  const open = inProgress === '' ? [] : inProgress.split(',').filter((xid) => BigInt(xid) < newest.xid);
  return { m: String(newest.xid), id: newest.id, open };
};

/** See {@link JournalSource}. */
export class PostgresJournalSource implements JournalSource<PostgresCursor> {
  readonly #connector: Connector;
  readonly #onReplaced: (silentSinceMs: number) => void;
  /** When the read was sent that the last connection did not answer; monotonic, milliseconds. */
  #silentSinceMs: number | undefined;
  /** Whether the last read was not answered in time. */
  #isUnanswered = false;
  #client: Client | undefined;
  /**
   * Warnings of the server on the present connection: a commit that may not survive a failover does
   * not count.
   */
  #warning: string | undefined;
  /** What the last read on the present connection has shown, and in which history. */
  #shown: { readonly applied: string; readonly snapshot: string; readonly history: string } | undefined;

  /**
   * @param onReplaced called when a new connection works after one did not answer; connections on
   *   which nothing was heard since that moment are as silent
   */
  constructor(url: string, onReplaced: (silentSinceMs: number) => void = () => {}) {
    const settings = { ...ownSettings(wholeAnswerMs), ...planning };
    const kind = { name: 'catalytic journal', settings, connectMs: answerMs };
    this.#connector = new Connector({ url, statementMs: wholeAnswerMs, mayLag: true }, kind);
    this.#onReplaced = onReplaced;
  }

  async register(member: MemberId, leaseMs: number): Promise<void> {
    await this.#ask(register(member, leaseMs));
  }

  async read(member: MemberId, cursor: PostgresCursor | undefined): Promise<JournalPage<PostgresCursor>> {
    const isLong = cursor === undefined || this.#isUnanswered;
    this.#isUnanswered = true;
    const [first, ...rows] = await this.#ask<PlacedRow>(
      cursor === undefined ? readAll(member) : readNew(member, cursor.m, cursor.open, cursor.id),
      isLong ? wholeAnswerMs : answerMs,
    );
    this.#isUnanswered = false;
    const head = JSON.parse(first?.key ?? '') as Head;
    const { snapshot, history } = head;
    const applied = placeIn(history, snapshot);
    this.#shown = { applied, snapshot, history };
    // After a failover the balancer leads to another server, now or soon: the next read opens a new
    // connection.
    if (!head.is_primary) void this.#drop();
    const isBehind = cursor !== undefined && BigInt(cursor.m) >= nextXid(snapshot);
    const next = nextCursor(cursor, rows, snapshot);
    return {
      identity: history,
      isContinued: head.is_named_here && head.is_continued && !isBehind,
      databaseMs: head.database_ms,
      isPrimary: head.is_primary,
      isMember: head.is_member,
      members: head.members,
      guards: head.guards ?? [],
      guardKeysRevision: head.guard_keys_revision,
      entries: rows.map(toPlacedEntry),
      coverage: { history, upTo: BigInt(next.m), id: next.id, except: next.open.map(BigInt) },
      cursor: next,
      applied,
    };
  }

  async acknowledgeFor(guards: ReadonlyMap<MemberId, Coverage>): Promise<void> {
    const history = this.#shown?.history;
    const rows = [...guards]
      .filter(([, coverage]) => coverage.history === history)
      .map(([id, coverage]) => ({ id, applied: snapshotOf(coverage) }));
    if (history !== undefined && rows.length > 0) await this.#ask(acknowledgeFor(history, JSON.stringify(rows)));
  }

  async acknowledge(member: MemberId, applied: string): Promise<void> {
    const shown = this.#shown;
    if (applied === shown?.applied) await this.#ask(acknowledge(member, shown.snapshot, shown.history));
  }

  async unregister(members: readonly MemberId[]): Promise<void> {
    await this.#ask(unregister(members));
  }

  async renameHistory(from: string): Promise<void> {
    await this.#ask(rename(from));
  }

  async restore(lost: readonly JournalEntry[]): Promise<void> {
    await this.#ask(restore(JSON.stringify(lost)), wholeAnswerMs);
  }

  async close(): Promise<void> {
    await this.#drop();
  }

  async #ask<Row>({ name, text, values }: Statement, deadlineMs = answerMs): Promise<readonly Row[]> {
    const askedMs = performance.now();
    try {
      this.#client ??= await this.#connect();
      const query = { name, text, values: [...values], query_timeout: deadlineMs };
      const { rows } = await this.#client.query(query);
      if (this.#warning !== undefined) throw new Error(`The server has warned: ${this.#warning}`);
      return rows as Row[];
    } catch (error) {
      // Not even a healthy connection is kept: the next read starts with a new one, so that an
      // abandoned answer cannot arrive later.
      void this.#drop();
      if (sqlState(error) === undefined) this.#silentSinceMs ??= askedMs;
      throw asPortError(error);
    }
  }

  async #connect(): Promise<Client> {
    const client = await this.#connector.connect();
    client.on('error', () => {
      if (this.#client === client) void this.#drop();
    });
    client.on('notice', (notice) => {
      if (isDoubtful(notice)) this.#warning = notice.message;
    });
    // Waits while "catalytic after-restore" begins a new history.
    await client.query(servingLock.share);
    if (this.#silentSinceMs !== undefined) this.#onReplaced(this.#silentSinceMs);
    this.#silentSinceMs = undefined;
    return client;
  }

  async #drop(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    this.#shown = undefined;
    this.#warning = undefined;
    if (client !== undefined) await leave(client);
  }
}
