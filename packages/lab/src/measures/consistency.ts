/**
 * The consistency checker: every token is a register that goes one way, from valid to revoked, and
 * every refresh token has one successor within the grace.
 *
 * It keeps one line of times per session, on one monotonic clock, so no clock skew can hide or
 * invent a violation: verifications, refreshes and revocations, and which worker answered. What
 * breaks a promise is judged with the outcome (`outcome.ts`); two successors of one refresh token
 * are found here, because it takes two exchanges to see them. Linear in the number of exchanges.
 * @module
 */
import type { GuardAnswer, GuardBreach } from './guard-measure.ts';
import { type Breach, type Exchange, isRefusal, type Outcome } from './outcome.ts';

/** One line of a violation's timeline. */
export interface TimelineEvent {
  readonly atMs: number;
  readonly what: string;
  /** Worker that answered, where the target names its workers. */
  readonly worker?: string;
}

/** A violation, and the events before it. */
export interface Violation {
  /** Number of the session in the run; reports never hold a token's text. */
  readonly token: number;
  readonly rule: Breach | GuardBreach | 'two successors of one refresh token';
  readonly timeline: readonly TimelineEvent[];
}

interface History {
  readonly serial: number;
  readonly issuedAtMs: number;
  readonly events: TimelineEvent[];
  /** Successor by the refresh token it was given for. */
  readonly successors: Map<string, string>;
  isRevoked?: true;
}

/** A session that somebody follows, also after its user has let go of it. */
export type Followed = Readonly<Pick<History, 'serial'>>;

/**
 * Events kept per token: a reader needs a timeline of the last ones, and those of the logout are
 * kept apart.
 */
const eventsMax = 64;
/** Violations kept whole; all are counted. */
const violationsKept = 100;

/** The findings of a checker as they travel between processes. */
export interface CheckerDump {
  readonly violations: readonly Violation[];
  readonly violationCount: number;
  readonly deadChecks: number;
  readonly revokedTokens: number;
  readonly rotations: number;
}

/** Follows all tokens of a run. */
export class ConsistencyChecker {
  readonly violations: Violation[] = [];
  violationCount = 0;
  /**
   * Requests sent with a token after its revocation was promised: how often the promise was put to
   * the test.
   */
  deadChecks = 0;
  /** Tokens whose revocation was promised. */
  revokedTokens = 0;
  /**
   * Answers that gave a successor for a refresh token: how often "one winner" was put to the test,
   * replays included.
   */
  rotations = 0;

  readonly #histories = new Map<number, History>();
  #nextSerial = 0;

  /** Enters a new session. Returns its number in the run. */
  issue(issuedAtMs: number): number {
    const serial = this.#nextSerial++;
    this.#histories.set(serial, { serial, issuedAtMs, events: [], successors: new Map() });
    return serial;
  }

  /** Forgets a session whose user has let go of it and will never send its tokens again. */
  release(serial: number): void {
    this.#histories.delete(serial);
  }

  /** Takes an exchange that carried a token of the session, and how it was judged. */
  observe(serial: number, exchange: Exchange, outcome: Outcome): void {
    const history = this.#histories.get(serial);
    if (history === undefined) return;
    const { task, status, code, worker, sentAtMs, answeredAtMs, token } = exchange;
    enter(
      history,
      { atMs: sentAtMs, what: `${task} sent` },
      {
        atMs: answeredAtMs,
        what: `${task} answered ${wordsOf(status, code)}`,
        ...(worker === undefined ? {} : { worker }),
      },
    );
    if (task === 'logout' && (status === 200 || status === 202) && history.isRevoked === undefined) {
      history.isRevoked = true;
      this.revokedTokens += 1;
    }
    const deadFromMs = token?.deadFromMs;
    if (
      task !== 'logout' &&
      deadFromMs !== undefined &&
      deadFromMs <= sentAtMs &&
      (status === 200 || isRefusal(exchange))
    )
      this.deadChecks += 1;
    if (outcome.breach !== undefined) this.#violate(history, outcome.breach);
  }

  /** The session, to be observed at guards for as long as they are asked about its tokens. */
  follow(serial: number): Followed | undefined {
    return this.#histories.get(serial);
  }

  /**
   * Takes the answer of a guarded API about a token of the session.
   * @param where names the API in timelines
   */
  observeGuard(followed: Followed, where: string, answer: GuardAnswer, breach: GuardBreach | undefined): void {
    const history = followed as History;
    const { status, code, sentAtMs, answeredAtMs } = answer;
    enter(
      history,
      { atMs: sentAtMs, what: `${where} asked` },
      { atMs: answeredAtMs, what: `${where} answered ${wordsOf(status, code)}` },
    );
    if (breach !== undefined) this.#violate(history, breach);
  }

  /**
   * Takes a successor that was given for a refresh token. A replay gets the same one.
   * @param presented any text that stands for the refresh token, such as the token itself
   * @param isLate whether the target may have read the replay after the grace: then it may give
   *   another successor, which takes the place of the first
   */
  observeSuccessor(serial: number, presented: string, successor: string, isLate = false): void {
    const history = this.#histories.get(serial);
    if (history === undefined) return;
    this.rotations += 1;
    const known = history.successors.get(presented);
    if (known === undefined || isLate) history.successors.set(presented, successor);
    else if (known !== successor) this.#violate(history, 'two successors of one refresh token');
  }

  /**
   * Returns the findings since the last call, for another checker to absorb; the sessions are
   * remembered.
   */
  take(): CheckerDump {
    const { violationCount, deadChecks, revokedTokens, rotations } = this;
    const violations = this.violations.splice(0);
    Object.assign(this, { violationCount: 0, deadChecks: 0, revokedTokens: 0, rotations: 0 });
    return { violations, violationCount, deadChecks, revokedTokens, rotations };
  }

  /**
   * Adds the findings of another process.
   * @param clock from its monotonic clock to ours, milliseconds
   * @param serialOf its number of a token to ours
   */
  absorb(dump: CheckerDump, clock: number, serialOf: (serial: number) => number): void {
    this.violationCount += dump.violationCount;
    this.deadChecks += dump.deadChecks;
    this.revokedTokens += dump.revokedTokens;
    this.rotations += dump.rotations;
    for (const { token, rule, timeline } of dump.violations.slice(0, violationsKept - this.violations.length))
      this.violations.push({
        token: serialOf(token),
        rule,
        timeline: timeline.map((event) => ({ ...event, atMs: event.atMs + clock })),
      });
  }

  #violate({ serial: token, issuedAtMs, events }: History, rule: Violation['rule']): void {
    this.violationCount += 1;
    if (this.violations.length >= violationsKept) return;
    const timeline = [{ atMs: issuedAtMs, what: 'token issued' }, ...events].sort((a, b) => a.atMs - b.atMs);
    this.violations.push({ token, rule, timeline });
  }
}

const wordsOf = (status: number | undefined, code: string | undefined): string =>
  status === undefined ? `no answer (${code})` : `${status}${code === undefined ? '' : ` ${code}`}`;

const enter = ({ events }: History, ...exchange: readonly TimelineEvent[]): void => {
  events.push(...exchange);
  if (events.length > eventsMax) forgetOldest(events);
};

/** Removes the oldest exchange that is no logout: without the promise a timeline proves nothing. */
const forgetOldest = (events: TimelineEvent[]): void => {
  const at = events.findIndex(({ what }) => !what.startsWith('logout'));
  events.splice(Math.max(0, at), 2);
};
