/**
 * One virtual user: one connection, one token at a time, one request at a time.
 * @module
 */
import { paths } from '@catalytic/protocol/paths';
import type { ConsistencyChecker } from '../measures/consistency.ts';
import { type Exchange, outcomeOf, type TokenState } from '../measures/outcome.ts';
import type { Recorder } from '../measures/recorder.ts';
import type { Credentials } from '../targets/accounts.ts';
import type { Connection, Reply, Request } from '../targets/connection.ts';
import { flawOf, type Grant, problemCodeOf, readGrant, readPendingMs } from './answers.ts';

/** The token a user holds, and what has happened to it. */
interface HeldToken extends TokenState {
  readonly value: string;
  /** Session the target said the token belongs to. */
  readonly sessionId: string | undefined;
  /** Number of the token in the run: reports name it by this, never by its text. */
  readonly serial: number;
  revokeSentAtMs?: number;
  deadFromMs?: number;
  refusedAtMs?: number;
}

/** What a user works with. */
export interface UserParts {
  readonly connection: Connection;
  readonly credentials: Credentials;
  /** Whether the account is there already, or has to be registered first. */
  readonly hasAccount: boolean;
  readonly recorder: Recorder;
  readonly checker: ConsistencyChecker;
  readonly nowMs: () => number;
}

interface Answered {
  readonly status: number | undefined;
  readonly code: string | undefined;
  readonly text: string;
  readonly sentAtMs: number;
  readonly answeredAtMs: number;
}

const json = { 'content-type': 'application/json' };

/** Acts, measures, sorts. */
export class VirtualUser {
  readonly #parts: UserParts;
  #hasAccount: boolean;
  #token: HeldToken | undefined;

  constructor(parts: UserParts) {
    this.#parts = parts;
    this.#hasAccount = parts.hasAccount;
  }

  /** Whether the user has ever logged in: it holds a token from then on, alive or dead. */
  get holdsToken(): boolean {
    return this.#token !== undefined;
  }

  /** Logs in, after registering when there is no account yet. A failure of either is measured and may be tried again. */
  async enter(): Promise<void> {
    if (!this.#hasAccount) await this.#register();
    if (this.#hasAccount) await this.login();
  }

  async #register(): Promise<void> {
    const { email, password } = this.#parts.credentials;
    const body = JSON.stringify({ email, password });
    const request: Request = { method: 'POST', path: paths.register, headers: json, body };
    const { status, code } = await this.#exchange('register', request);
    // An earlier registration whose answer was lost may have made the account.
    this.#hasAccount = status === 201 || code === 'email_taken';
  }

  /** Signs in; the token held before is let go, alive or dead. */
  async login(): Promise<void> {
    const body = JSON.stringify(this.#parts.credentials);
    const request: Request = { method: 'POST', path: paths.login, headers: json, body };
    const { status, text, answeredAtMs } = await this.#exchange('login', request);
    const grant = status === 200 ? readGrant(text) : undefined;
    if (grant !== undefined) this.#hold(grant, answeredAtMs);
  }

  #hold({ value, expiresInSeconds, sessionId }: Grant, answeredAtMs: number): void {
    const { checker } = this.#parts;
    if (this.#token !== undefined) checker.release(this.#token.serial);
    const expiresAtMs = answeredAtMs + expiresInSeconds * 1000;
    this.#token = { value, sessionId, serial: checker.issue(answeredAtMs), expiresAtMs };
  }

  /** Calls the protected resource, with a dead token too if that is what the user holds: then it must be refused. */
  async callProtected(): Promise<void> {
    const token = this.#token;
    const { status, code, answeredAtMs } = await this.#exchange(
      'protected',
      { method: 'GET', path: paths.protectedSample },
      token,
    );
    if (token?.revokeSentAtMs !== undefined && status === 401 && code !== 'token_expired')
      token.refusedAtMs ??= answeredAtMs;
  }

  /** Signs out. The token is kept: calling on with it is how the run asks whether it is dead. */
  async logout(): Promise<void> {
    const token = this.#token;
    if (token === undefined) return;
    const { status, text, sentAtMs, answeredAtMs } = await this.#exchange(
      'logout',
      { method: 'POST', path: paths.logout },
      token,
    );
    const { recorder } = this.#parts;
    if (status === 200) {
      recorder.recordLogout('completed', sentAtMs);
      token.deadFromMs = Math.min(token.deadFromMs ?? answeredAtMs, answeredAtMs);
    } else if (status === 202) {
      recorder.recordLogout('pending', sentAtMs);
      const pendingMs = readPendingMs(text);
      // Without a time nothing was promised; the answer itself has been counted as a failure.
      if (pendingMs !== undefined) token.deadFromMs ??= answeredAtMs + pendingMs;
    }
  }

  async #exchange(task: Exchange['task'], request: Request, token?: HeldToken): Promise<Answered> {
    const { connection, recorder, checker, nowMs } = this.#parts;
    const headers =
      token === undefined ? request.headers : { ...request.headers, authorization: `Bearer ${token.value}` };
    const sentAtMs = nowMs();
    if (task === 'logout' && token !== undefined) token.revokeSentAtMs ??= sentAtMs;
    const reply: Reply = await connection.send({ ...request, ...(headers === undefined ? {} : { headers }) });
    const answeredAtMs = nowMs();
    const answer =
      'failure' in reply
        ? { status: undefined, code: reply.failure, text: '', bytes: 0 }
        : { ...reply, code: reply.status >= 400 ? problemCodeOf(reply.text) : undefined };
    const flaw = answer.status === undefined ? undefined : flawOf(task, answer.status, answer.text, token?.sessionId);
    const exchange: Exchange = {
      task,
      sentAtMs,
      answeredAtMs,
      ...(answer.status === undefined ? {} : { status: answer.status }),
      ...(answer.code === undefined ? {} : { code: answer.code }),
      ...(flaw === undefined ? {} : { flaw }),
      ...(token === undefined ? {} : { token }),
    };
    recorder.record(request.method, request.path, outcomeOf(exchange), sentAtMs, answeredAtMs, answer.bytes);
    if (token !== undefined) checker.observe(token.serial, exchange);
    return { status: answer.status, code: answer.code, text: answer.text, sentAtMs, answeredAtMs };
  }
}
