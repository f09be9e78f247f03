/**
 * The settings of a guard.
 * @module
 */
import { hostname } from 'node:os';
import { readWhenStale } from './auth.ts';
import { type Mode, modes, type WhenStale } from './verdicts.ts';

/** The settings of a guard. */
export interface GuardOptions {
  /**
   * How verdicts come about. `strict`: a sign-out waits until this process has applied it. `follow`:
   * this process applies it usually within milliseconds, and no sign-out waits. `ask`: one request to
   * the service for each verdict. @default 'strict'
   */
  readonly mode?: Mode | undefined;
  /** URL of the service, its `ISSUER`. */
  readonly issuer: string;
  /** Audience of the tokens, the `AUDIENCE` of the service. @default the issuer */
  readonly audience?: string | undefined;
  /** Guard key, of `catalytic guard-keys create`. Needed for `strict` and `follow`. */
  readonly key?: string | undefined;
  /** Where the service is asked, if that is another URL than the issuer, such as one inside your network. */
  readonly url?: string | undefined;
  /** Accept tokens of this tenant only, by its id. */
  readonly tenant?: string | undefined;
  /**
   * URL of the API, where it publishes metadata (RFC 9728): then the challenge of a 401 names them,
   * and `guard.protectedResource()` makes them. @default none
   */
  readonly resource?: string | undefined;
  /** Tells guards apart in logs and metrics of the service. @default the name of this machine */
  readonly name?: string | undefined;
  /** What routes do while the guard is not current, unless they say otherwise. @default 'deny' */
  readonly whenStale?: WhenStale | undefined;
  /** What a strict guard does while the service registers no further one. @default 'wait' */
  readonly ifRefused?: 'wait' | 'follow' | undefined;
  /**
   * Longest time for an answer of the service, milliseconds, and for the guard to become current when
   * it is made. @default 2000
   */
  readonly timeoutMs?: number | undefined;
  /** Called once when verdicts are not to be had any more, and once when they are again. @default a warning of the
   * process, which Node writes to standard error */
  readonly onProblem?: ((message: string) => void) | undefined;
  /** Another `fetch` to ask about tokens with, such as one with an agent for your proxy. */
  readonly fetch?: typeof fetch | undefined;
}

/** The settings, read. */
export interface ReadOptions {
  readonly mode: Mode;
  readonly issuer: string;
  readonly audience: string;
  readonly key: string | undefined;
  readonly url: string;
  readonly tenant: string | undefined;
  readonly resource: string | undefined;
  readonly name: string;
  readonly whenStale: WhenStale;
  readonly followsIfRefused: boolean;
  readonly timeoutMs: number;
  readonly onProblem: (message: string) => void;
  readonly fetch: typeof fetch;
}

const names = new Set([
  ...['mode', 'issuer', 'audience', 'key', 'url', 'tenant', 'resource', 'name', 'whenStale', 'ifRefused', 'timeoutMs'],
  ...['onProblem', 'fetch'],
]);

const timeoutMsUsual = 2000;
const timeoutMsMax = 60_000;
/** Longest name, characters. */
const nameCharactersMax = 100;

const readUrl = (name: string, value: unknown): string => {
  if (typeof value === 'string' && URL.canParse(value)) {
    const { protocol, search, hash, username, href } = new URL(value);
    if (/^https?:$/.test(protocol) && search === '' && hash === '' && username === '') return href.replace(/\/+$/, '');
  }
  throw new TypeError(`Cannot guard with ${name} ${JSON.stringify(value)}: give a URL like https://id.example.com`);
};

/** The key is a secret: no message repeats it. */
const readKey = (mode: Mode, key: unknown): string | undefined => {
  if (mode === 'ask') return undefined;
  if (typeof key === 'string' && /^[\x21-\x7e]{1,512}$/.test(key)) return key;
  throw new TypeError(
    key === undefined || key === ''
      ? `Cannot guard in mode '${mode}' without a key: make one with "catalytic guard-keys create", and give it as key. Mode 'ask' needs none`
      : `Cannot guard with this key: give it as "catalytic guard-keys create" has shown it`,
  );
};

const readName = (name: unknown): string => {
  if (name === undefined)
    return (
      hostname()
        .replaceAll(/[^ -~]/g, '?')
        .slice(0, nameCharactersMax) || 'guard'
    );
  if (typeof name === 'string' && /^[ -~]+$/.test(name) && name.length <= nameCharactersMax) return name;
  throw new TypeError(
    `Cannot name the guard ${JSON.stringify(name)}: give 1 to ${nameCharactersMax} characters of printable ASCII`,
  );
};

const readChoice = <Choice extends string>(setting: string, choices: readonly Choice[], value: Choice): Choice => {
  if (choices.includes(value)) return value;
  throw new TypeError(
    `Cannot guard with ${setting} ${JSON.stringify(value)}: give ${choices.map((choice) => `'${choice}'`).join(' or ')}`,
  );
};

/** Whether a text is the id of a tenant, and not its name, which no token holds. */
export const isTenantId = (text: string): boolean => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text);

/** @throws {TypeError} for settings that cannot work, naming the setting and what it takes */
export const readOptions = (options: GuardOptions): ReadOptions => {
  for (const name of Object.keys(options))
    if (!names.has(name)) throw new TypeError(`There is no setting "${name}"; there are ${[...names].join(', ')}`);
  const { issuer, url = issuer, audience = issuer, tenant, resource, ifRefused, timeoutMs = timeoutMsUsual } = options;
  const mode = readChoice('mode', modes, options.mode ?? 'strict');
  readUrl('issuer', issuer);
  if (resource !== undefined) readUrl('resource', resource);
  if (typeof audience !== 'string' || audience === '')
    throw new TypeError(`Cannot guard for the audience ${JSON.stringify(audience)}: give the one of the tokens`);
  if (tenant !== undefined && !isTenantId(tenant))
    throw new TypeError(
      `Cannot guard the tenant ${JSON.stringify(tenant)}: give its id, as "catalytic tenants list" shows it`,
    );
  if (!Number.isFinite(timeoutMs) || timeoutMs < 1 || timeoutMs > timeoutMsMax)
    throw new TypeError(`Cannot wait for ${timeoutMs} ms: give timeoutMs from 1 to ${timeoutMsMax}`);
  return {
    ...{ mode, issuer, audience, tenant, resource, timeoutMs },
    key: readKey(mode, options.key),
    url: readUrl('url', url),
    name: readName(options.name),
    whenStale: readWhenStale(mode, options.whenStale) ?? 'deny',
    followsIfRefused: readChoice('ifRefused', ['wait', 'follow'], ifRefused ?? 'wait') === 'follow',
    onProblem: options.onProblem ?? ((message) => process.emitWarning(message, 'CatalyticGuard')),
    fetch: options.fetch ?? ((input, init) => globalThis.fetch(input, init)),
  };
};
