/**
 * All statements of a transaction in one packet, and all answers in one.
 *
 * What PostgreSQL is sent before a Sync it runs as one transaction, which it commits there, or undoes as a whole after the first error
 * (PostgreSQL documentation, "Extended Query", Pipelining). So there is no BEGIN and no COMMIT to be sent and answered, and one answer is waited
 * for. Each statement still sees what was committed before it began.
 * @module
 */
import { type Connection, type CustomTypesConfig, Query, type QueryResult, type Submittable } from 'pg';

/** A prepared statement with its values. */
export interface Statement {
  readonly name: string;
  readonly text: string;
  readonly values: readonly unknown[];
}

/** What a client calls while it reads the answers. The types of `pg` leave it out; pg-cursor and pg-query-stream are built on it. */
interface Reader extends Query {
  readonly name: string;
  readonly text: string;
  handleRowDescription(message: unknown): void;
  handleDataRow(message: unknown): void;
  handleCommandComplete(message: unknown, connection: Connection): void;
  handleReadyForQuery(connection: Connection): void;
}

/** Names of statements that a connection has been sent and has not confirmed. */
interface Submitted {
  readonly submittedNamedStatements: Record<string, string>;
}

type Callback = (error: Error | null, replies: readonly QueryResult[]) => void;

/** One transaction on its way. */
export class Flight implements Submittable {
  readonly query_timeout: number;
  callback: Callback;
  readonly #readers: readonly Reader[];
  readonly #replies: QueryResult[] = [];
  #failure: Error | null = null;
  #at = 0;

  /** @param deadlineMs until the last answer @param callback is given the replies to the statements once they are committed */
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

  /** Name and text of the statement whose answer is read: the client notes what the server has parsed. */
  get name(): string | undefined {
    return this.#readers[this.#at]?.name;
  }

  get text(): string | undefined {
    return this.#readers[this.#at]?.text;
  }

  submit(connection: Connection): void {
    // A query ends with a Sync, which would commit: these share one.
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

  /** Everything is undone: the server skips what comes before the Sync, so it has not parsed what was to come either. */
  handleError(error: Error, connection: Connection): void {
    const { submittedNamedStatements: submitted } = connection as unknown as Submitted;
    for (const { name } of this.#readers.slice(this.#at)) delete submitted[name];
    this.callback(error, []);
  }

  /** Committed. */
  handleReadyForQuery(connection: Connection): void {
    for (const reader of this.#readers) reader.handleReadyForQuery(connection);
    this.callback(this.#failure, this.#replies);
  }
}
