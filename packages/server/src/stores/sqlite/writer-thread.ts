/**
 * The writer thread: the only connection that writes. `node:sqlite` is synchronous and a commit
 * waits for the disk, so a commit must not block the event loop of the service. Operations that
 * arrive during a commit are committed together in the next one.
 * @module
 */
import type { DatabaseSync } from 'node:sqlite';
import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { openDatabase } from './database.ts';
import { explain } from './explain.ts';
import { watchFile } from './same-file.ts';
import { byFullName, createWrites } from './writes.ts';

/** One operation on its way to the thread. */
export interface WriteRequest {
  readonly id: number;
  /** Port and operation: `sessions.open`. */
  readonly name: string;
  readonly input: unknown;
}

/** The outcome of an operation. */
export type WriteReply =
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly error: string };

/** Most operations in one commit. It bounds how long the first of them waits for the others. */
const batchMax = 500;

/** @param assertSameFile throws when the database file was replaced or deleted */
const run = (port: MessagePort, database: DatabaseSync, assertSameFile: () => void): void => {
  const operations = byFullName(createWrites(database));
  const [begin, commit, savepoint, release, undo] = [
    'begin immediate',
    'commit',
    'savepoint operation',
    'release operation',
    'rollback to operation',
  ].map((sql) => database.prepare(sql)) as [Statement, Statement, Statement, Statement, Statement];

  const perform = ({ id, name, input }: WriteRequest): WriteReply => {
    const operation = operations.get(name);
    if (operation === undefined) throw new Error(`there is no operation ${name}`);
    return { id, result: operation(input as never) };
  };

  /** Performs one of several operations, whose failure undoes nothing of the others. */
  const performApart = (request: WriteRequest): WriteReply => {
    savepoint.run();
    try {
      return perform(request);
    } catch (error) {
      undo.run();
      return { id: request.id, error: explain(error) };
    } finally {
      release.run();
    }
  };

  const commitTogether = (requests: readonly WriteRequest[]): readonly WriteReply[] => {
    try {
      assertSameFile();
      begin.run();
      // One alone is undone with the transaction: a savepoint would copy every page that it changes.
      const replies = requests.map(requests.length === 1 ? perform : performApart);
      commit.run();
      // Checked again after the commit: a commit to a deleted file is not durable.
      assertSameFile();
      return replies;
    } catch (error) {
      if (database.isTransaction) database.exec('rollback');
      return requests.map(({ id }) => ({ id, error: explain(error) }));
    }
  };

  port.on('message', (first: readonly WriteRequest[] | 'close') => {
    const requests: WriteRequest[] = [];
    let isClosing = false;
    for (let next: { message: typeof first } | undefined = { message: first }; next !== undefined; ) {
      if (next.message === 'close') isClosing = true;
      else requests.push(...next.message);
      next = requests.length < batchMax ? receiveMessageOnPort(port) : undefined;
    }
    if (requests.length > 0) port.postMessage(commitTogether(requests));
    if (isClosing) {
      database.close();
      port.close();
    }
  });
};

type Statement = ReturnType<DatabaseSync['prepare']>;

if (parentPort === null) throw new Error('The writer thread runs in a worker thread only');
const { path } = workerData as { path: string };
run(parentPort, openDatabase(path), watchFile(path));
