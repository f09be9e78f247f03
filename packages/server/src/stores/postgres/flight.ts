/**
 * A pipelined transaction: all its statements in one packet, and all answers in one.
 *
 * PostgreSQL runs the statements before a Sync as one transaction. At the Sync it commits them, or
 * rolls all of them back after the first error (PostgreSQL documentation, "Extended Query",
 * Pipelining). So no BEGIN and COMMIT are sent, and the client waits for one answer only. Each
 * statement still sees what was committed before it began.
 * @module
 */
import { type Connection, type CustomTypesConfig, Query, type QueryResult, type Submittable } from 'pg';

/** A prepared statement with its values. */
export interface Statement {
  readonly name: string;
  readonly text: string;
  readonly values: readonly unknown[];
}

/**
 * Methods that the client calls while it reads the answers. The types of `pg` lack them; pg-cursor
 * and pg-query-stream use them.
 */
interface Reader extends Query {
  readonly name: string;
  readonly text: string;
  handleRowDescription(message: unknown): void;
  handleDataRow(message: unknown): void;
  handleCommandComplete(message: unknown, connection: Connection): void;
  handleReadyForQuery(connection: Connection): void;
}

/** Names of statements that were sent on a connection and are not confirmed yet. */
interface Submitted {
  readonly submittedNamedStatements: Record<string, string>;
}

type Callback = (error: Error | null, replies: readonly QueryResult[]) => void;

/** One pipelined transaction. */
export class Flight implements Submittable {
  readonly query_timeout: number;
  callback: Callback;
  readonly #readers: readonly Reader[];
  readonly #replies: QueryResult[] = [];
  #failure: Error | null = null;
  #at = 0;

  /**
   * @param deadlineMs longest time until the last answer
   * @param callback gets the replies once the transaction is committed
   */
  constructor(parts: readonly Statement[], types: CustomTypesConfig, deadlineMs: number, callback: Callback) {
    this.query_timeout = deadlineMs;
    this.callback = callback;
    const take = (error: Error | null | undefined, reply: QueryResult): void => {
      if (error) this.#failure ??= error;
      else this.#replies.push(reply);
    };
    this.#readers = parts.map(
      ({ name, text, values }) =>
        new Query({ name, text, values: [...values], types }, undefined, take) as Query as Reader,
    );
  }

  /**
   * Name and text of the statement whose answer is being read, by which the client notes what the
   * server has parsed.
   */
  get name(): string | undefined {
    return this.#readers[this.#at]?.name;
  }

  get text(): string | undefined {
    return this.#readers[this.#at]?.text;
  }

  submit(connection: Connection): void {
    // Each query would send a Sync, which commits. Here all queries share one.
    const shared = Object.create(connection, { sync: { value: () => {} } }) as Connection;
    connection.stream.cork();
    for (const reader of this.#readers) reader.submit(shared);
    connection.sync();
    connection.stream.uncork();
  }

  handleRowDescription(message: unknown): void {
    this.#readers[this.#at]?.handleRowDescription(message);
  }

  handleDataRow(message: unknown): void {
    this.#readers[this.#at]?.handleDataRow(message);
  }

  handleCommandComplete(message: unknown, connection: Connection): void {
    this.#readers[this.#at]?.handleCommandComplete(message, connection);
    this.#at += 1;
  }

  /**
   * The transaction is rolled back. The server skips the statements up to the Sync, so it has not
   * parsed those after the failed one.
   */
  handleError(error: Error, connection: Connection): void {
    const { submittedNamedStatements: submitted } = connection as unknown as Submitted;
    for (const { name } of this.#readers.slice(this.#at)) delete submitted[name];
    this.callback(error, []);
  }

  /** The transaction is committed. */
  handleReadyForQuery(connection: Connection): void {
    for (const reader of this.#readers) reader.handleReadyForQuery(connection);
    this.callback(this.#failure, this.#replies);
  }
}
