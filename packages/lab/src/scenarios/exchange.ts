/**
 * One request of a scenario and its answer: sent, measured, judged, and entered into the token's
 * history.
 * @module
 */
import type { ConsistencyChecker } from '../measures/consistency.ts';
import { type Exchange, isRefusal, outcomeOf, type Task, type TokenState } from '../measures/outcome.ts';
import type { Recorder } from '../measures/recorder.ts';
import type { Reply, Request } from '../targets/connection.ts';
import { problemCodeOf } from '../targets/problem-code.ts';
import { flawOf } from './answers.ts';

/** The pair of tokens of a user, and its history. */
export interface HeldToken extends TokenState {
  /** The access token. */
  value: string;
  refreshToken: string | undefined;
  /** Session the target said the tokens belong to. */
  readonly sessionId: string | undefined;
  /** Number of the session in the run: reports name it by this, never by its text. */
  readonly serial: number;
  expiresAtMs: number;
  revokeSentAtMs?: number;
  deadFromMs?: number;
  revokedAtMs?: number;
  refusedAtMs?: Map<string, number>;
  refreshFirstSentAtMs?: number | undefined;
}

/** Where exchanges are entered. */
export interface Measures {
  readonly recorder: Recorder;
  readonly checker: ConsistencyChecker;
  readonly nowMs: () => number;
  /** Is told which worker answered, where the target names its workers. */
  readonly onWorker?: (worker: string) => void;
}

/** Something that sends requests over one connection or several. */
export interface Sender {
  send(request: Request): Promise<Reply>;
}

/** An answer, as far as a scenario goes on with it. */
export interface Answered {
  readonly status: number | undefined;
  /** `code` of a problem answer, or the name of the transport failure. */
  readonly code: string | undefined;
  readonly text: string;
  readonly worker: string | undefined;
  readonly sentAtMs: number;
  readonly answeredAtMs: number;
}

/** Purpose of a request. */
export interface Purpose {
  readonly task: Task;
  /** Token it carries; in the header unless `isInBody`. */
  readonly token?: HeldToken | undefined;
  readonly isInBody?: true;
  /** When it should have been sent: then its latency counts from there. */
  readonly intendedAtMs?: number | undefined;
}

/** Remembers which worker has refused a token whose logout had been sent. */
const noteRefusal = (token: HeldToken, worker: string, atMs: number): void => {
  token.refusedAtMs ??= new Map();
  if (!token.refusedAtMs.has(worker)) token.refusedAtMs.set(worker, atMs);
};

/** Sends a request and records its outcome. */
export const exchange = async (
  { recorder, checker, nowMs, onWorker }: Measures,
  sender: Sender,
  request: Request,
  { task, token, isInBody, intendedAtMs }: Purpose,
): Promise<Answered> => {
  const askedAtMs = nowMs();
  // From here on a refusal may be the doing of this logout.
  if (task === 'logout' && token !== undefined) token.revokeSentAtMs ??= askedAtMs;
  const reply = await sender.send(
    token === undefined || isInBody
      ? request
      : { ...request, headers: { ...request.headers, authorization: `Bearer ${token.value}` } },
  );
  // From the writing of the request's bytes to the last byte of the answer: the opening of a
  // connection and the work of this process do not count against the target.
  const { sentAtMs, endedAtMs: answeredAtMs } = reply;
  const answer =
    'failure' in reply
      ? { status: undefined, code: reply.failure, text: '', bytes: 0, worker: undefined }
      : { ...reply, worker: reply.worker, code: reply.status >= 400 ? problemCodeOf(reply.text) : undefined };
  const { status, code, text, bytes, worker } = answer;
  const flaw = status === undefined ? undefined : flawOf(task, status, text, token?.sessionId);
  const judged: Exchange = {
    task,
    // Its own moment does not excuse the refusal of a logout.
    sentAtMs: task === 'logout' ? askedAtMs : sentAtMs,
    answeredAtMs,
    ...(status === undefined ? {} : { status }),
    ...(code === undefined ? {} : { code }),
    ...(flaw === undefined ? {} : { flaw }),
    ...(worker === undefined ? {} : { worker }),
    ...(token === undefined ? {} : { token }),
  };
  const outcome = outcomeOf(judged);
  const { method, path: name } = request;
  recorder.record({ method, name, outcome, sentAtMs: intendedAtMs ?? sentAtMs, answeredAtMs, bytes, worker });
  if (token !== undefined) checker.observe(token.serial, judged, outcome);
  if (worker !== undefined) onWorker?.(worker);
  if (token?.revokeSentAtMs !== undefined && worker !== undefined && task !== 'logout' && isRefusal(judged))
    noteRefusal(token, worker, answeredAtMs);
  return { status, code, text, worker, sentAtMs, answeredAtMs };
};
