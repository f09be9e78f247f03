/**
 * Moves an embedded deployment to PostgreSQL.
 * @module
 */
import { auditColumns } from './audit-row.ts';
import { type MovingTarget, moveIn, UnknownCommit } from './postgres/move-in.ts';
import { type MovingSource, openMovingSource, type SourceRow } from './sqlite/move-out.ts';

interface Table {
  readonly name: string;
  readonly columns: readonly string[];
  /** Columns that SQLite keeps as a JSON text and PostgreSQL as an array. */
  readonly arrays?: readonly string[];
  /** Columns that SQLite keeps as 1 or 0. */
  readonly booleans?: readonly string[];
  /** Which rows are moved, in SQL. @default all */
  readonly where?: string;
  /** Further columns, with the value that each row gets in them. */
  readonly given?: Readonly<Record<string, string>>;
}

/**
 * The tables that are moved, parents first. Workers have ended, so their rows stay behind. Guards may
 * accept tokens until their leases end; they register anew in the new history. Journal and audit rows
 * get new positions, in order.
 */
const tables: readonly Table[] = [
  { name: 'tenant', columns: ['id', 'name', 'status', 'epoch', 'registration', 'created_at'] },
  { name: 'invitation', columns: ['hash', 'tenant_id', 'expires_at', 'created_at'] },
  {
    name: 'account',
    columns: [
      ...['id', 'tenant_id', 'email', 'email_key', 'password_hash', 'status', 'epoch', 'roles', 'created_at'],
      'deleted_at',
    ],
    arrays: ['roles'],
  },
  {
    name: 'session',
    columns: [
      ...['id', 'tenant_id', 'account_id', 'account_epoch', 'tenant_epoch', 'amr', 'authenticated_at', 'created_at'],
      ...['expires_at', 'ended_at', 'end_reason'],
    ],
    arrays: ['amr'],
  },
  {
    name: 'refresh_token',
    columns: ['hash', 'tenant_id', 'session_id', 'expires_at', 'used_at', 'successor_hash', 'successor_box', 'number'],
  },
  {
    name: 'journal',
    columns: ['id', 'kind', 'key', 'epoch', 'keep_until', 'keeps_sessions', 'tenant_id'],
    booleans: ['keeps_sessions'],
  },
  {
    name: 'signing_key',
    columns: ['kid', 'algorithm', 'public_jwk', 'private_box', 'created_at', 'activates_at', 'retires_at'],
  },
  {
    name: 'admin_key',
    columns: ['hash', 'tenant_id', 'scopes', 'description', 'created_at', 'expires_at', 'last_used_at'],
    arrays: ['scopes'],
  },
  {
    name: 'guard_key',
    columns: [
      ...['hash', 'tenant_id', 'description', 'guards_max', 'expires_at', 'created_at', 'last_used_at'],
      ...['marks', 'marked_at'],
    ],
  },
  {
    name: 'member',
    columns: ['id', 'lease_ms', 'kind', 'key', 'name', 'kinds'],
    where: "kind = 'guard'",
    given: { state: 'leaving' },
  },
  { name: 'audit', columns: auditColumns },
];

/** Rows in one statement: about 500 kB. */
const batchRows = 1000;

/** Called with the progress of a table. */
export type OnMoved = (table: string, moved: number, total: number) => void;

/** A row as JSON that PostgreSQL reads: bytes in hexadecimal, lists as arrays, 1 and 0 as truths. */
const toJson = (row: SourceRow, { arrays = [], booleans = [], given = {} }: Table): object => ({
  ...given,
  ...Object.fromEntries(
    Object.entries(row).map(([column, value]) => {
      if (value instanceof Uint8Array) return [column, `\\x${Buffer.from(value).toString('hex')}`];
      if (booleans.includes(column)) return [column, value === null ? null : value === 1];
      return [column, arrays.includes(column) ? JSON.parse(String(value)) : value];
    }),
  ),
});

const moveTable = async (source: MovingSource, target: MovingTarget, table: Table, onMoved: OnMoved): Promise<void> => {
  const { name, columns, where, given = {} } = table;
  const total = source.count(name, where);
  let moved = 0;
  let batch: object[] = [];
  const send = async (): Promise<void> => {
    await target.insert(name, [...columns, ...Object.keys(given)], batch);
    moved += batch.length;
    batch = [];
    onMoved(name, moved, total);
  };
  for (const row of source.rows(name, columns, where)) {
    batch.push(toJson(row, table));
    if (batch.length === batchRows) await send();
  }
  if (batch.length > 0 || total === 0) await send();
};

/**
 * Moves all rows from the SQLite database of a data folder to an empty PostgreSQL database, in one
 * transaction there. A failure leaves both as they were. After success the SQLite file is called
 * `catalytic.db.moved`. The master key stays where it is.
 * @throws when a server process uses the folder, or the PostgreSQL database is in use; and when
 *   PostgreSQL went away during the commit. Then the SQLite file is put aside, because PostgreSQL
 *   may have committed
 */
export const moveToPostgres = async (
  dataDir: string,
  url: string,
  onProblem: (message: string) => void,
  onMoved: OnMoved,
): Promise<void> => {
  const source = openMovingSource(dataDir);
  let isAside = false;
  try {
    const fill = async (target: MovingTarget): Promise<void> => {
      for (const table of tables) await moveTable(source, target, table, onMoved);
      const columns = ['generation', 'token_seconds_max', 'newest_iat'];
      for (const { generation, token_seconds_max, newest_iat } of source.rows('deployment', columns))
        await target.continueHistory(Number(generation), Number(token_seconds_max), Number(newest_iat));
    };
    // Before the commit: if this process ends between the two steps, there must not be two
    // databases that can be served.
    await moveIn(url, onProblem, fill, () => {
      source.putAside();
      isAside = true;
    });
  } catch (error) {
    if (error instanceof UnknownCommit)
      throw new Error(
        `${error.message}; if it has no tenant, rename catalytic.db.moved to catalytic.db and move again, else it is done`,
        { cause: error },
      );
    if (isAside) source.takeBack();
    throw error;
  } finally {
    source.close();
  }
};
