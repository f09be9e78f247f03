/**
 * Connections to PostgreSQL: to the first host that serves, with the settings that the service
 * relies on.
 * @module
 */
import type { Socket } from 'node:net';
import { Client, type ClientBase, type ClientConfig, type CustomTypesConfig, escapeLiteral, types } from 'pg';
import { readAddress } from './address.ts';
import { NoPrimary } from './unavailable.ts';

/** How to reach the server. */
export interface ConnectionOptions {
  /** See {@link readAddress}. */
  readonly url: string;
  /** Longest time a transaction may take from the call to the answer, milliseconds. */
  readonly statementMs: number;
  /** Whether the server may be a standby, whose answers may be old. @default false */
  readonly mayLag?: boolean;
}

/** What one kind of connection needs. */
export interface ConnectionKind {
  /** `application_name`, by which an operator tells connections apart. @default 'catalytic' */
  readonly name?: string;
  /** Settings of the server on this connection. @default those of {@link ownSettings} */
  readonly settings?: Readonly<Record<string, string | number>>;
  /** Longest time until the connection is ready, milliseconds. @default the time of a statement */
  readonly connectMs?: number;
}

/** Longest time for one of several hosts, milliseconds: the next one may be the primary. */
const hostMsMax = 2000;

/** Idle time after which the kernel asks whether the other side is there, milliseconds. */
const keepAliveMs = 5000;

/** `bigint` is read as a number: times and counts stay far below 2^53. */
export const numbers: CustomTypesConfig = {
  getTypeParser: (oid, format) => (oid === types.builtins.INT8 ? Number : types.getTypeParser(oid, format)),
};

/**
 * Settings that override role, database and URL: a commit is durable before it is answered, each
 * statement sees what was committed before it began, row-level security filters instead of failing,
 * and the server ends what the service no longer waits for.
 */
export const ownSettings = (statementMs: number): Readonly<Record<string, string | number>> => ({
  synchronous_commit: 'on',
  default_transaction_isolation: 'read committed',
  default_transaction_read_only: 'off',
  row_security: 'on',
  statement_timeout: statementMs,
  lock_timeout: 0,
  idle_in_transaction_session_timeout: statementMs,
});

/**
 * Applies settings and asks which kind of server answers. Sent as a statement, because a pooler
 * such as PgBouncer refuses them as parameters of the start.
 */
const greet = (settings: Readonly<Record<string, string | number>>): string => {
  const set = Object.entries(settings).map(
    ([name, value]) => `set_config('${name}', ${escapeLiteral(String(value))}, false)`,
  );
  return `select pg_is_in_recovery() as is_standby${set.map((call) => `, ${call}`).join('')}`;
};

/**
 * Whether a notice of the server means that the commit may not survive a failover: "canceling wait
 * for synchronous replication". Then the transaction is committed on this server and perhaps on no
 * standby. The notice is recognised by the routine that reports it, because its text is in the
 * server's language, and by the first letters of that routine, because its name changes between
 * versions.
 */
export const isDoubtful = ({ routine }: { readonly routine?: string | undefined }): boolean =>
  routine?.startsWith('SyncRep') === true;

/** The socket of a client. */
export const socketOf = (client: ClientBase): Socket =>
  (client as unknown as { connection: { stream: Socket } }).connection.stream;

/**
 * Longest time for closing a connection, milliseconds: a frozen server must not keep the process
 * from ending.
 */
const goodbyeMs = 1000;

/** Closes a connection. */
export const leave = async (client: Client): Promise<void> => {
  const timer = setTimeout(() => socketOf(client).destroy(), goodbyeMs);
  timer.unref();
  await client.end();
  clearTimeout(timer);
};

/** Closes a connection; nothing waits for that, not even the end of the process. */
export const part = (client: Client): void => {
  leave(client).catch(() => {});
  socketOf(client).unref();
};

/** What a failed check of the server's certificate needs beside the message of the library. */
const certificateRemedies: readonly (readonly [RegExp, string])[] = [
  [/^ERR_TLS_CERT_ALTNAME_INVALID$/, 'name the host in the URL as its certificate does'],
  [/^(CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_)/, 'name its authority with sslrootcert=FILE in the URL'],
];

const explain = (error: unknown): unknown => {
  const { code = '', message } = error as NodeJS.ErrnoException;
  const remedy = certificateRemedies.find(([codes]) => codes.test(code))?.[1];
  if (remedy === undefined) return error;
  return new Error(`${message}; ${remedy}, or encrypt without checking with sslmode=no-verify`, { cause: error });
};

/** Opens connections, to the host that served last, then to the others in their order. */
export class Connector {
  readonly #options: ConnectionOptions;
  readonly #configs: readonly ClientConfig[];
  readonly #greeting: string;
  readonly #connectMs: number;
  #preferred = 0;

  /** @throws Error when the URL cannot be read */
  constructor(options: ConnectionOptions, { name = 'catalytic', settings, connectMs }: ConnectionKind = {}) {
    const { urls } = readAddress(options.url);
    this.#options = options;
    this.#greeting = greet(settings ?? ownSettings(options.statementMs));
    this.#connectMs = Math.min(
      connectMs ?? options.statementMs,
      urls.length > 1 ? hostMsMax : Number.POSITIVE_INFINITY,
    );
    this.#configs = urls.map((url) => ({
      connectionString: url,
      application_name: name,
      connectionTimeoutMillis: this.#connectMs,
      keepAlive: true,
      keepAliveInitialDelayMillis: keepAliveMs,
      types: numbers,
    }));
  }

  /**
   * A connection to the primary, else to a standby where that may lag. Errors before its owner
   * listens to it reject the call.
   * @throws the error of the host tried last; {@link NoPrimary} when only standbys answer
   */
  async connect(): Promise<Client> {
    const count = this.#configs.length;
    const first = this.#preferred;
    let standby: Client | undefined;
    let failure: unknown;
    for (let attempt = 0; attempt < count; attempt++) {
      const index = (first + attempt) % count;
      try {
        const { client, isStandby } = await this.#connectTo(this.#configs[index] ?? {});
        if (!isStandby) {
          this.#preferred = index;
          if (standby !== undefined) part(standby);
          return client;
        }
        if (this.#options.mayLag === true && standby === undefined) standby = client;
        else part(client);
        failure = new NoPrimary();
      } catch (error) {
        failure = explain(error);
      }
    }
    if (standby !== undefined) return standby;
    throw failure;
  }

  async #connectTo(config: ClientConfig): Promise<{ readonly client: Client; readonly isStandby: boolean }> {
    const client = new Client(config);
    client.on('error', () => {});
    try {
      await client.connect();
      const greeting = { text: this.#greeting, query_timeout: this.#connectMs };
      const { rows } = await client.query<{ is_standby: boolean }>(greeting);
      return { client, isStandby: rows[0]?.is_standby !== false };
    } catch (error) {
      part(client);
      throw error;
    }
  }
}
