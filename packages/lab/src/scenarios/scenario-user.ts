/**
 * A user of a custom scenario: sends the requests of the scenario, measures them, and can sign in,
 * call and sign out as built-in users do.
 * @module
 */
import type { Random } from '../arrivals/random.ts';
import { isBlocked } from '../containment/watchdog.ts';
import type { CustomMeasures } from '../measures/custom-measures.ts';
import type { Outcome } from '../measures/outcome.ts';
import type { Credentials } from '../targets/accounts.ts';
import type { Reply } from '../targets/connection.ts';
import { problemCodeOf } from '../targets/problem-code.ts';
import { type CustomRequest, prepareRequest } from './custom-request.ts';
import type { Measures, Sender } from './exchange.ts';
import type { VirtualUser } from './virtual-user.ts';

/** An answer. A request without an answer has the status 0 and says why in `failure`. */
export interface CustomAnswer {
  readonly status: number;
  /** The body, decoded where the target has compressed it. */
  readonly text: string;
  /**
   * Whether the body was longer than the 16 MiB that are kept of it; one that decodes to more is
   * not decoded, and its text empty.
   */
  readonly isTruncated: boolean;
  readonly failure: string | undefined;
  readonly outcome: Outcome['kind'];
  /**
   * From the writing of its bytes to the last byte of the answer; without an answer until that was
   * clear.
   */
  readonly ms: number;
  /** The body as JSON; `undefined` when it is none. */
  json(): unknown;
  /** A header field; the first, when there are several. */
  header(name: string): string | undefined;
  /** All header fields of a name, such as `set-cookie`, in their order. */
  headers(name: string): readonly string[];
}

/** Parts that such a user works with. */
export interface ScenarioUserParts<Row> {
  readonly index: number;
  readonly connection: Sender;
  readonly credentials: Credentials;
  readonly measures: Measures;
  readonly custom: CustomMeasures;
  readonly account: VirtualUser;
  readonly random: Random;
  /** Draws a row for the next task. */
  readonly draw: () => Row;
}

const isIn = (status: number, statuses: readonly number[] | undefined): boolean => statuses?.includes(status) === true;

const outcomeOf = ({ ok, expected }: CustomRequest, reply: Reply): Outcome => {
  if ('failure' in reply) return { kind: 'real', name: `no answer: ${reply.failure}`, isUnanswered: true };
  const { status, text } = reply;
  const isOk = ok === undefined ? status >= 200 && status < 300 : isIn(status, ok);
  if (isOk) return { kind: 'ok', name: 'ok' };
  const code = problemCodeOf(text);
  const name = code === undefined ? String(status) : `${status} ${code}`;
  return { kind: isIn(status, expected) ? 'expected' : 'real', name };
};

const parseJson = (text: string): unknown => {
  try {
    // Some targets write a byte order mark, which a reader may leave out (RFC 8259 section 8.1).
    return JSON.parse(text.charCodeAt(0) === 0xfeff ? text.slice(1) : text);
  } catch {
    return undefined;
  }
};

const fieldsOf = (head: string, name: string): readonly string[] => {
  const wanted = name.toLowerCase();
  return head
    .split('\r\n')
    .slice(1)
    .flatMap((line) => {
      const colon = line.indexOf(':');
      return line.slice(0, colon).toLowerCase() === wanted ? [line.slice(colon + 1).trim()] : [];
    });
};

const unanswered = { status: 0, text: '', bytes: 0, isTruncated: false, head: '' } as const;

const never = new Promise<never>(() => {});

/** One user. Made by the lab; a scenario is handed it. */
export class ScenarioUser<Row = undefined> {
  /** Number of the user in the run, from 0. */
  readonly index: number;
  /** The account that the lab has prepared for it. */
  readonly credentials: Credentials;
  /**
   * Numbers in [0, 1) that follow the seed: use it in place of Math.random, and a run can be
   * repeated.
   */
  readonly random: Random;
  /** Whatever the scenario wants to remember of this user. */
  readonly state: Record<string, unknown> = {};

  readonly #parts: ScenarioUserParts<Row>;
  #data: Row;
  #intendedAtMs: number | undefined;
  #isCounted = true;

  constructor(parts: ScenarioUserParts<Row>) {
    this.#parts = parts;
    this.index = parts.index;
    this.credentials = parts.credentials;
    this.random = parts.random;
    this.#data = parts.draw();
  }

  /** The row of the data pool for this task. */
  get data(): Row {
    return this.#data;
  }

  /** The access token that the user holds, alive or dead. */
  get token(): string | undefined {
    return this.#parts.account.token?.value;
  }

  /**
   * Gets ready for a task.
   * @param intendedAtMs when it should have begun, in the open model: its first request counts from
   * there
   */
  begin(intendedAtMs?: number): void {
    this.#data = this.#parts.draw();
    this.#intendedAtMs = intendedAtMs;
  }

  /** Leaves later requests out of the counts. */
  stopCounting(): void {
    this.#isCounted = false;
  }

  /**
   * Signs in with its account, after registering where the lab could not import accounts. Answers
   * are judged as in the built-in scenarios.
   * @returns whether it holds a token now
   */
  async login(): Promise<boolean> {
    const { account } = this.#parts;
    const before = account.token;
    account.begin(this.#takeIntended());
    await account.enter();
    return account.token !== undefined && account.token !== before;
  }

  /**
   * Calls `GET /api/protected` with its token, which must be accepted while it lives and refused
   * once it is dead.
   */
  async callProtected(): Promise<void> {
    this.#parts.account.begin(this.#takeIntended());
    await this.#parts.account.callProtected();
  }

  /** Asks `GET /auth/verify` about its token; judged likewise. */
  async verify(): Promise<void> {
    this.#parts.account.begin(this.#takeIntended());
    await this.#parts.account.verify();
  }

  /** Trades its refresh token for the next pair. */
  async refresh(): Promise<void> {
    this.#parts.account.begin(this.#takeIntended());
    await this.#parts.account.refresh();
  }

  /** Signs out and keeps the dead token, so that calling on tests whether it is dead. */
  async logout(): Promise<void> {
    this.#parts.account.begin(this.#takeIntended());
    await this.#parts.account.logout();
  }

  /** Sends a GET request. */
  get(path: string, options: Omit<CustomRequest, 'path' | 'method'> = {}): Promise<CustomAnswer> {
    return this.request({ ...options, method: 'GET', path });
  }

  /** Sends a POST request with a JSON body. */
  post(path: string, json?: unknown, options: Omit<CustomRequest, 'path' | 'method'> = {}): Promise<CustomAnswer> {
    return this.request({ ...options, method: 'POST', path, json });
  }

  /**
   * Sends a request over one of the user's connections and counts it. Never throws because of the
   * target.
   * @throws RangeError when the request itself is none that could be sent
   */
  async request(asked: CustomRequest): Promise<CustomAnswer> {
    const { connection, measures } = this.#parts;
    const { request, name } = prepareRequest(asked, this.token);
    const sending = connection.send(request);
    const intendedAtMs = this.#takeIntended();
    const reply = await sending;
    // Code that blocked the thread was ended. The code after this answer may block it too, and the
    // run is about to end.
    if (isBlocked()) await never;
    const outcome = outcomeOf(asked, reply);
    const { sentAtMs, endedAtMs: answeredAtMs } = reply;
    const failure = 'failure' in reply ? reply.failure : undefined;
    const { status, text, bytes, isTruncated, head } = 'failure' in reply ? unanswered : reply;
    if (this.#isCounted)
      measures.recorder.record({
        method: request.method,
        name,
        outcome,
        sentAtMs: intendedAtMs ?? sentAtMs,
        answeredAtMs,
        bytes,
      });
    return {
      status,
      text,
      isTruncated,
      failure,
      outcome: outcome.kind,
      ms: answeredAtMs - sentAtMs,
      json: () => parseJson(text),
      header: (field) => fieldsOf(head, field)[0],
      headers: (field) => fieldsOf(head, field),
    };
  }

  /** Counts whether something holds, apart from requests. Returns whether it did. */
  check(name: string, holds: boolean): boolean {
    this.#parts.custom.check(name, holds);
    return holds;
  }

  /** Adds to a counter. */
  count(name: string, more = 1): void {
    this.#parts.custom.count(name, more);
  }

  /** Records a value from 0 to 4,000,000 of a trend, to three decimals. */
  trend(name: string, value: number): void {
    this.#parts.custom.trend(name, value);
  }

  #takeIntended(): number | undefined {
    const intended = this.#intendedAtMs;
    this.#intendedAtMs = undefined;
    return intended;
  }
}
