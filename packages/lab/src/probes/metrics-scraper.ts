/**
 * Asks the target's `/metrics` while it is loaded.
 * @module
 */
import { Connection } from '../targets/connection.ts';
import type { Trust } from '../targets/trust.ts';
import { redact } from '../texts/redact.ts';
import { parsePrometheus, type Sample } from './prometheus-text.ts';
import { isWantedSample, type Scrape, serverSeries } from './server-series.ts';

/**
 * Time between two scrapes, seconds. Runs of over an hour scrape less often, so that there are at
 * most `scrapesMax`.
 */
const everySecondsMin = 2;
const scrapesMax = 1800;
/**
 * Longest wait for an answer, milliseconds: an answer that comes later than the next scrape is
 * none.
 */
const answerMsMax = 1500;
/** Longest answer that is read, characters. */
const textMax = 4_000_000;

/** The scrapes, in columns. */
export interface Scraped {
  /** Without the secrets that were in it. */
  readonly url: string;
  /** Why nothing was measured; `undefined` when something was. */
  readonly reason: string | undefined;
  readonly everySeconds: number;
  /** Scrapes that went unanswered. */
  readonly missed: number;
  /** Seconds from the start of the run. */
  readonly atSeconds: readonly number[];
  /** Values by the name of their series; a series that the target does not have is absent. */
  readonly series: Readonly<Record<string, readonly (number | null)[]>>;
}

const keyOf = ({ name, labels }: Sample): string => `${name}${JSON.stringify(Object.entries(labels).sort())}`;

/** User and password of a URL as a request carries them (RFC 7617). */
const authorizationOf = ({ username, password }: URL): Readonly<Record<string, string>> => {
  if (username === '' && password === '') return {};
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { authorization: `Basic ${Buffer.from(pair).toString('base64')}` };
};

/** Scrapes from its start to its end. */
export class MetricsScraper {
  readonly #url: string;
  readonly #everySeconds: number;
  readonly #connection: Connection;
  readonly #path: string;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #atSeconds: number[] = [];
  readonly #columns = new Map<string, (number | null)[]>(serverSeries.map(({ name }) => [name, []]));
  #before: { readonly scrape: Scrape; readonly atMs: number } | undefined;
  #timer: NodeJS.Timeout | undefined;
  #underWay: Promise<void> | undefined;
  #missed = 0;
  #failure = 'it was not asked';

  constructor(url: string, durationSeconds: number, trust?: Trust) {
    this.#url = redact(url);
    this.#everySeconds = Math.max(everySecondsMin, durationSeconds / scrapesMax);
    const place = new URL(url);
    this.#path = place.pathname + place.search;
    this.#headers = authorizationOf(place);
    const limits = { connectMs: answerMsMax, answerMs: answerMsMax };
    this.#connection = new Connection(place.origin, { ...limits, ...(trust && { trust }) });
  }

  /** Scrapes now and then every so often. @param startMs start of the run */
  start(startMs: number): void {
    const begin = (): void => {
      this.#underWay ??= this.#scrape(startMs).finally(() => {
        this.#underWay = undefined;
      });
    };
    begin();
    this.#timer = setInterval(begin, this.#everySeconds * 1000);
  }

  /** Scrapes a last time, unless there is no time for it, and closes. */
  async stop(startMs: number, { isHurried = false } = {}): Promise<Scraped> {
    clearInterval(this.#timer);
    if (isHurried) await this.#connection.destroy();
    await this.#underWay;
    if (!isHurried) await this.#scrape(startMs);
    await this.#connection.destroy();
    const isEmpty = ![...this.#columns.values()].some((column) => column.some((value) => value !== null));
    return {
      url: this.#url,
      reason: isEmpty ? this.#failure : undefined,
      everySeconds: this.#everySeconds,
      missed: this.#missed,
      atSeconds: isEmpty ? [] : this.#atSeconds,
      series: Object.fromEntries([...this.#columns].filter(([, column]) => column.some((value) => value !== null))),
    };
  }

  async #scrape(startMs: number): Promise<void> {
    const atMs = performance.now();
    const reply = await this.#connection.send({ method: 'GET', path: this.#path, headers: this.#headers });
    const scrape = this.#read(reply);
    this.#atSeconds.push((atMs - startMs) / 1000);
    if (scrape === undefined) this.#missed += 1;
    const seconds = this.#before === undefined ? 0 : (atMs - this.#before.atMs) / 1000;
    for (const { name, read } of serverSeries)
      this.#columns.get(name)?.push((scrape && read(scrape, this.#before?.scrape, seconds)) ?? null);
    this.#before = scrape && { scrape, atMs };
  }

  #read(reply: Awaited<ReturnType<Connection['send']>>): Scrape | undefined {
    if ('failure' in reply) this.#failure = `it does not answer: ${reply.failure}`;
    else if (reply.status !== 200) this.#failure = `it answers ${reply.status}`;
    else if (reply.text.length > textMax) this.#failure = `it answers more than ${textMax} characters`;
    else {
      const samples = parsePrometheus(reply.text, isWantedSample);
      if (samples.length > 0) return new Map(samples.map((sample) => [keyOf(sample), sample]));
      this.#failure = 'it has none of the series that the lab knows';
    }
    return undefined;
  }
}
