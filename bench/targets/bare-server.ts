/**
 * The least that Node can do for a request: `node:http`, fixed bytes, nothing looked at.
 * @module
 */
import { startHttpServer } from '../../tests/harness/http-server.ts';
import { type Child, type ChildOptions, serveTasks, startChild } from '../harness/child.ts';

/** The answer to every request. */
export interface FixedAnswer {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const serve = async ({ headers, body }: FixedAnswer): Promise<string> => {
  const { url } = await startHttpServer((_request, response) => {
    response.writeHead(200, headers);
    response.end(body);
  });
  return url;
};

/** What the process does. */
export type BareServerTasks = {
  /** Serves from now on. Returns its URL. */
  serve(answer: FixedAnswer): Promise<string>;
};

/** Starts a process that can serve. */
export const startBareServer = (options: ChildOptions): Child<BareServerTasks> => startChild(import.meta.url, options);

if (import.meta.main) serveTasks({ serve } satisfies BareServerTasks);
