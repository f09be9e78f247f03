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

/** The token a user holds, and what has happened to it. */
interface HeldToken extends TokenState {
  readonly value: string;
  /** Number of the token in the run: reports name it by this, never by its text. */
  readonly serial: number;
  revokeSentAtMs?: number;
  deadFromMs?: number;
}

/** What a user works with. */
export interface UserParts {
  readonly connection: Connection;
  readonly credentials: Credentials;
  readonly recorder: Recorder;
  readonly checker: ConsistencyChecker;
  readonly nowMs: () => number;
}

const json = { 'content-type': 'application/json' };

const codeOf = (text: string): string | undefined => {
  try {
    const { code } = JSON.parse(text) as { code?: unknown };
    return typeof code === 'string' ? code : undefined;
  } catch {
    return undefined;
  }
};

/** Acts, measures, sorts. */
export class VirtualUser {
  readonly #parts: UserParts;
  #token: HeldToken | undefined;

  constructor(parts: UserParts) {
    this.#parts = parts;
  }

  get holdsToken(): boolean {
    return this.#token !== undefined;
  }

  /** Makes the account. Returns whether it exists afterwards. */
  async register(): Promise<boolean> {
    const { email, password } = this.#parts.credentials;
    const body = JSON.stringify({ email, password });
    const { status, code } = await this.#exchange('register', {
      method: 'POST',
      path: paths.register,
      headers: json,
      body,
    });
    return status === 201 || code === 'email_taken';
  }

  /** Signs in; the token held before is let go, alive or dead. Returns whether it worked. */
  async login(): Promise<boolean> {
    const body = JSON.stringify(this.#parts.credentials);
    const { checker } = this.#parts;
    const { status, text, answeredAtMs } = await this.#exchange('login', {
      method: 'POST',
      path: paths.login,
      headers: json,
      body,
    });
    if (status !== 200) return false;
    const { access_token, expires_in } = JSON.parse(text) as { access_token: string; expires_in: number };
    if (this.#token !== undefined) checker.release(this.#token.serial);
    this.#token = {
      value: access_token,
      serial: checker.issue(answeredAtMs),
      expiresAtMs: answeredAtMs + expires_in * 1000,
    };
    return true;
  }

  /** Calls the protected resource, with a dead token too if that is what the user holds: then it must be refused. */
  async callProtected(): Promise<void> {
    await this.#exchange('protected', { method: 'GET', path: paths.protectedSample }, this.#token);
  }

  /** Signs out. The token is kept: calling on with it is how the run asks whether it is dead. */
  async logout(): Promise<void> {
    const token = this.#token;
    if (token === undefined) return;
    token.revokeSentAtMs ??= this.#parts.nowMs();
    const { status, text, answeredAtMs } = await this.#exchange(
      'logout',
      { method: 'POST', path: paths.logout },
      token,
    );
    const { recorder } = this.#parts;
    if (status === 200) {
      recorder.completedLogouts += 1;
      token.deadFromMs = Math.min(token.deadFromMs ?? answeredAtMs, answeredAtMs);
    } else if (status === 202) {
      recorder.pendingLogouts += 1;
      const { complete_within_ms = 0 } = JSON.parse(text) as { complete_within_ms?: number };
      token.deadFromMs ??= answeredAtMs + complete_within_ms;
    }
  }

  async #exchange(
    task: Exchange['task'],
    request: Request,
    token?: HeldToken,
  ): Promise<{ status: number | undefined; code: string | undefined; text: string; answeredAtMs: number }> {
    const { connection, recorder, checker, nowMs } = this.#parts;
    const headers =
      token === undefined ? request.headers : { ...request.headers, authorization: `Bearer ${token.value}` };
    const sentAtMs = nowMs();
    const reply: Reply = await connection.send({ ...request, ...(headers === undefined ? {} : { headers }) });
    const answeredAtMs = nowMs();
    const answer =
      'failure' in reply
        ? { status: undefined, code: reply.failure, text: '' }
        : { status: reply.status, code: reply.status >= 400 ? codeOf(reply.text) : undefined, text: reply.text };
    const exchange: Exchange = {
      task,
      sentAtMs,
      answeredAtMs,
      ...(answer.status === undefined ? {} : { status: answer.status }),
      ...(answer.code === undefined ? {} : { code: answer.code }),
      ...(token === undefined ? {} : { token }),
    };
    const outcome = outcomeOf(exchange);
    const path = task === 'protected' ? paths.protectedSample : request.path;
    recorder.record(request.method, path, outcome, sentAtMs, answeredAtMs, answer.text.length);
    if (token !== undefined) checker.observe(token.serial, exchange);
    return { ...answer, answeredAtMs };
  }
}
