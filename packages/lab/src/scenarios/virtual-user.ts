/**
 * One virtual user: one connection, one session at a time, one request at a time.
 * @module
 */
import { paths } from '@catalytic/protocol/paths';
import { mayBeTheft } from '../measures/outcome.ts';
import type { Credentials } from '../targets/accounts.ts';
import type { Request } from '../targets/connection.ts';
import { type Grant, readGrant, readPendingMs } from './answers.ts';
import { type Answered, exchange, type HeldToken, type Measures, type Sender } from './exchange.ts';
import type { Guards } from './guards.ts';

/** Parts that a user works with. */
export interface UserParts {
  readonly connection: Sender;
  readonly credentials: Credentials;
  /** Whether the account is there already, or has to be registered first. */
  readonly hasAccount: boolean;
  readonly measures: Measures;
  /** Session that was signed in beforehand. */
  readonly token?: HeldToken;
  /** Guarded APIs, where the run has some: they are asked beside each call and after each logout. */
  readonly guards?: Guards | undefined;
}

/** One trade of a refresh token in this many is asked for twice. */
const replayEvery = 10;

const json = { 'content-type': 'application/json' };

/**
 * Whether an answer leaves the effect of the request open: no answer, or a failure of the target.
 */
const isInDoubt = (status: number | undefined): boolean => status === undefined || status >= 500;

/** Acts, measures, sorts. */
export class VirtualUser {
  readonly #parts: UserParts;
  #hasAccount: boolean;
  #token: HeldToken | undefined;
  #intendedAtMs: number | undefined;
  #trades = 0;
  /** The refresh token sent last, and when it was sent for the first time. */
  #presented: { readonly value: string; readonly firstSentAtMs: number } | undefined;

  constructor(parts: UserParts) {
    this.#parts = parts;
    this.#hasAccount = parts.hasAccount;
    this.#token = parts.token;
  }

  /** The session the user holds, alive or dead; `undefined` until its first login. */
  get token(): HeldToken | undefined {
    return this.#token;
  }

  /**
   * Gets ready for a task.
   * @param intendedAtMs when it should have begun, in the open model: its first request counts from
   * there
   */
  begin(intendedAtMs: number | undefined): void {
    this.#intendedAtMs = intendedAtMs;
  }

  /**
   * Logs in, after registering when there is no account yet. A failure of either is measured and
   * may be tried again.
   */
  async enter(): Promise<void> {
    if (!this.#hasAccount) await this.#register();
    if (this.#hasAccount) await this.login();
  }

  async #register(): Promise<void> {
    const { email, password } = this.#parts.credentials;
    const body = JSON.stringify({ email, password });
    const request: Request = { method: 'POST', path: paths.register, headers: json, body };
    const { status, code } = await this.#send(request, 'register');
    // An earlier registration whose answer was lost may have made the account.
    this.#hasAccount = status === 201 || code === 'email_taken';
  }

  /** Signs in; the session held before is let go, alive or dead. */
  async login(): Promise<void> {
    const body = JSON.stringify(this.#parts.credentials);
    const request: Request = { method: 'POST', path: paths.login, headers: json, body };
    const { status, text, answeredAtMs } = await this.#send(request, 'login');
    const grant = status === 200 ? readGrant(text) : undefined;
    if (grant !== undefined) this.#hold(grant, answeredAtMs);
  }

  #hold({ value, refreshToken, expiresInSeconds, sessionId }: Grant, answeredAtMs: number): void {
    const { checker } = this.#parts.measures;
    if (this.#token !== undefined) checker.release(this.#token.serial);
    const expiresAtMs = answeredAtMs + expiresInSeconds * 1000;
    this.#token = { value, refreshToken, sessionId, serial: checker.issue(answeredAtMs), expiresAtMs };
  }

  /** Calls the protected resource, also with a dead token, which must be refused. */
  async callProtected(): Promise<Answered> {
    const token = this.#token;
    const [answered] = await Promise.all([
      this.#send({ method: 'GET', path: paths.protectedSample }, 'protected', token),
      token === undefined ? undefined : this.#parts.guards?.askAll(token),
    ]);
    return answered;
  }

  /** Asks whether the token is accepted, dead ones too. */
  async verify(): Promise<Answered> {
    return this.#send({ method: 'GET', path: paths.verify }, 'verify', this.#token);
  }

  /**
   * Trades the refresh token for the next pair, which the user holds from then on; one of a dead
   * session must be refused. One trade in ten is asked for twice, as after a lost answer: within the
   * grace the same successor must come.
   */
  async refresh(): Promise<void> {
    const token = this.#token;
    if (token === undefined) return;
    const presented = token.refreshToken ?? '';
    await this.#trade(token, presented);
    const hasTraded = token.refreshToken !== presented;
    if (hasTraded && ++this.#trades % replayEvery === 0) await this.#trade(token, presented);
  }

  async #trade(token: HeldToken, presented: string): Promise<void> {
    const { measures, connection } = this.#parts;
    const isRepeated = this.#presented?.value === presented;
    if (!isRepeated) this.#presented = { value: presented, firstSentAtMs: measures.nowMs() };
    token.refreshFirstSentAtMs = isRepeated ? this.#presented?.firstSentAtMs : undefined;
    const body = JSON.stringify({ refresh_token: presented });
    const request: Request = { method: 'POST', path: paths.refresh, headers: json, body };
    const purpose = { task: 'refresh', token, isInBody: true, intendedAtMs: this.#takeIntended() } as const;
    const { status, code, text, sentAtMs, answeredAtMs } = await exchange(measures, connection, request, purpose);
    // Taken for theft, the session has ended; whether rightly so is the outcome's business. So it
    // may have without an answer that says so.
    if (code === 'refresh_reused' || (isInDoubt(status) && mayBeTheft(token, answeredAtMs)))
      token.revokeSentAtMs ??= sentAtMs;
    const grant = status === 200 ? readGrant(text) : undefined;
    if (grant?.refreshToken === undefined) return;
    const isLate = mayBeTheft(token, answeredAtMs);
    measures.checker.observeSuccessor(token.serial, presented, grant.refreshToken, isLate);
    token.value = grant.value;
    token.refreshToken = grant.refreshToken;
    token.expiresAtMs = answeredAtMs + grant.expiresInSeconds * 1000;
  }

  /**
   * Signs out. The tokens are kept: calling on with them is how the run asks whether they are dead.
   * @param intendedAtMs when it should have been sent, in the open model
   */
  async logout(intendedAtMs = this.#takeIntended()): Promise<Answered | undefined> {
    const token = this.#token;
    if (token === undefined) return undefined;
    const answered = await this.#send({ method: 'POST', path: paths.logout }, 'logout', token, intendedAtMs);
    const { status, text, sentAtMs, answeredAtMs } = answered;
    const { recorder } = this.#parts.measures;
    const isFirst = token.revokedAtMs === undefined;
    if (status === 200 || status === 202) token.revokedAtMs ??= answeredAtMs;
    if (status === 200) {
      recorder.recordLogout('completed', intendedAtMs ?? sentAtMs);
      token.deadFromMs = Math.min(token.deadFromMs ?? answeredAtMs, answeredAtMs);
    } else if (status === 202) {
      recorder.recordLogout('pending', intendedAtMs ?? sentAtMs);
      const pendingMs = readPendingMs(text);
      // Without a time nothing was promised; the answer itself has been counted as a failure.
      if (pendingMs !== undefined) token.deadFromMs ??= answeredAtMs + pendingMs;
    }
    // Not waited for: the user goes on as it would without guards.
    if (isFirst && token.deadFromMs !== undefined) this.#parts.guards?.watch(token);
    return answered;
  }

  #takeIntended(): number | undefined {
    const intended = this.#intendedAtMs;
    this.#intendedAtMs = undefined;
    return intended;
  }

  #send(
    request: Request,
    task: 'register' | 'login' | 'protected' | 'verify' | 'logout',
    token?: HeldToken,
    intendedAtMs = this.#takeIntended(),
  ): Promise<Answered> {
    return exchange(this.#parts.measures, this.#parts.connection, request, { task, token, intendedAtMs });
  }
}
