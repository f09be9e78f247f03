/**
 * The settings of a guard.
 * @module
 */

/** The settings of a guard. */
export interface GuardOptions {
  /**
   * How verdicts come about. `ask`: one request to the service for each, always right, and 503 while the service is away.
   */
  readonly mode: 'ask';
  /** URL of the service, its `ISSUER`. */
  readonly issuer: string;
  /** Where the service is asked, if that is another URL than the issuer, such as one inside your network. */
  readonly url?: string;
  /** Accept tokens of this tenant only, by its id. */
  readonly tenant?: string;
  /** Longest time for an answer of the service, milliseconds. @default 2000 */
  readonly timeoutMs?: number;
  /** Called once when verdicts are not to be had any more, and once when they are again. @default a warning of the
   * process, which Node writes to standard error */
  readonly onProblem?: (message: string) => void;
  /** Another `fetch`, such as one with an agent for your proxy. */
  readonly fetch?: typeof fetch;
}

/** The settings, read. */
export interface ReadOptions {
  readonly url: string;
  readonly tenant: string | undefined;
  readonly timeoutMs: number;
  readonly onProblem: (message: string) => void;
  readonly fetch: typeof fetch;
}

const names = new Set(['mode', 'issuer', 'url', 'tenant', 'timeoutMs', 'onProblem', 'fetch']);

const timeoutMsUsual = 2000;
const timeoutMsMax = 60_000;

const readUrl = (name: string, value: unknown): string => {
  if (typeof value === 'string' && URL.canParse(value)) {
    const { protocol, search, hash, username, href } = new URL(value);
    if (/^https?:$/.test(protocol) && search === '' && hash === '' && username === '') return href.replace(/\/+$/, '');
  }
  throw new TypeError(`Cannot guard with ${name} ${JSON.stringify(value)}: give a URL like https://id.example.com`);
};

/** @throws {TypeError} for settings that cannot work, naming the setting and what it takes */
export const readOptions = (options: GuardOptions): ReadOptions => {
  for (const name of Object.keys(options))
    if (!names.has(name)) throw new TypeError(`There is no setting "${name}"; there are ${[...names].join(', ')}`);
  const { mode, issuer, url = issuer, tenant, timeoutMs = timeoutMsUsual } = options;
  if (mode !== 'ask') throw new TypeError(`Cannot guard in mode ${JSON.stringify(mode)}: give mode: 'ask'`);
  readUrl('issuer', issuer);
  if (tenant !== undefined && !/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(tenant))
    throw new TypeError(
      `Cannot guard the tenant ${JSON.stringify(tenant)}: give its id, as "catalytic tenants list" shows it`,
    );
  if (!Number.isFinite(timeoutMs) || timeoutMs < 1 || timeoutMs > timeoutMsMax)
    throw new TypeError(`Cannot wait for ${timeoutMs} ms: give timeoutMs from 1 to ${timeoutMsMax}`);
  return {
    url: readUrl('url', url),
    tenant,
    timeoutMs,
    onProblem: options.onProblem ?? ((message) => process.emitWarning(message, 'CatalyticGuard')),
    fetch: options.fetch ?? ((input, init) => globalThis.fetch(input, init)),
  };
};
