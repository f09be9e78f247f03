/**
 * The least that Node can do for a request: `node:http`, fixed bytes, nothing looked at.
 * @module
 */
import { createServer, type RequestListener } from 'node:http';
import { type Child, type ChildOptions, serveTasks, startChild } from '../harness/child.ts';
import { listenOnFreePort } from './free-port.ts';

/** What it answers to every request. */
export interface FixedAnswer {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const serve = ({ headers, body }: FixedAnswer): Promise<string> => {
  const answer: RequestListener = (_request, response) => {
    response.writeHead(200, headers);
    response.end(body);
  };
  return listenOnFreePort(createServer(answer));
};

/** What the process does. */
export type BareServerTasks = {
  /** Serves from now on. Returns its URL. */
  serve(answer: FixedAnswer): Promise<string>;
};

/** Starts a process that can serve. */
export const startBareServer = (options: ChildOptions): Child<BareServerTasks> => startChild(import.meta.url, options);

if (import.meta.main) serveTasks({ serve } satisfies BareServerTasks);
