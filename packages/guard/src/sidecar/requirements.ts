/**
 * What a request must have besides a token that is alive, in the words of a query and of rules.
 * @module
 */
import { durationMs, type Needs, readNeeds } from '../auth.ts';
import { isTenantId } from '../options.ts';
import { type Mode, staleChoices, type WhenStale } from '../verdicts.ts';

/** Requirements, each read. */
export interface Requirements extends Needs {
  readonly role: readonly string[];
  readonly scope: readonly string[];
  readonly freshSignIn?: number;
}

/** None: a token that is alive is enough. */
export const noRequirements: Requirements = { role: [], scope: [] };

const names = ['role', 'scope', 'tenant', 'fresh', 'when-stale'];

/**
 * Both requirements together.
 * @throws {TypeError} for two tenants: nobody could meet both
 */
export const bothRequirements = (one: Requirements, other: Requirements): Requirements => {
  const tenant = other.tenant ?? one.tenant;
  if (one.tenant !== undefined && one.tenant !== tenant)
    throw new TypeError(`Cannot require two tenants at once: a token belongs to one`);
  const whenStale = other.whenStale ?? one.whenStale;
  const freshSignIn = Math.min(
    one.freshSignIn ?? Number.POSITIVE_INFINITY,
    other.freshSignIn ?? Number.POSITIVE_INFINITY,
  );
  return {
    role: [...one.role, ...other.role],
    scope: [...one.scope, ...other.scope],
    ...(tenant !== undefined && { tenant }),
    ...(whenStale !== undefined && { whenStale }),
    ...(Number.isFinite(freshSignIn) && { freshSignIn }),
  };
};

/** Longest text that an error repeats, characters: some gateways pass on the query of their client, and with it secrets. */
const shownCharactersMax = 40;

const shown = (text: string): string => (text.length <= shownCharactersMax ? `"${text}"` : 'of that length');

/** One requirement. @throws {TypeError} for one that does not exist or cannot be met */
const readOne = (name: string, value: string): Requirements => {
  if (!names.includes(name))
    throw new TypeError(`There is no requirement ${shown(name)}; there are ${names.join(', ')}`);
  if (value === '') throw new TypeError(`Cannot require an empty ${name}: give ${name}=VALUE`);
  switch (name) {
    case 'role':
      return { ...noRequirements, role: [value] };
    case 'scope':
      return { ...noRequirements, scope: value.split(' ').filter((scope) => scope !== '') };
    case 'tenant':
      if (isTenantId(value)) return { ...noRequirements, tenant: value };
      throw new TypeError(`Cannot require a tenant ${shown(value)}: give its id, as "catalytic tenants list" shows it`);
    case 'fresh':
      if (value.length <= shownCharactersMax) return { ...noRequirements, freshSignIn: durationMs(value) };
      throw new TypeError('Cannot require fresh of that length: write it like 5m');
    default:
      if ((staleChoices as readonly string[]).includes(value))
        return { ...noRequirements, whenStale: value as WhenStale };
      throw new TypeError(`Cannot require when-stale ${shown(value)}: give ${staleChoices.join(' or ')}`);
  }
};

/**
 * Reads requirements from pairs of names and values.
 * @throws {TypeError} for anything that is not understood: a misspelled requirement must not let
 *   everybody in
 */
export const readRequirements = (mode: Mode, pairs: Iterable<readonly [string, string]>): Requirements => {
  let all = noRequirements;
  const once = new Set<string>();
  for (const [name, value] of pairs) {
    if (once.has(name) && name !== 'role' && name !== 'scope')
      throw new TypeError(`Cannot require ${name} twice: give it once`);
    once.add(name);
    all = bothRequirements(all, readOne(name, value));
  }
  // The mode may rule out a choice.
  readNeeds(mode, all);
  return all;
};

/**
 * Reads the query of a target.
 * @throws {TypeError} as {@link readRequirements}, for a query that is not well encoded, and for one
 *   that lets more tokens in
 */
export const requirementsOfQuery = (mode: Mode, target: string): Requirements => {
  const start = target.indexOf('?');
  if (start === -1) return noRequirements;
  const query = target.slice(start + 1);
  try {
    decodeURIComponent(query);
  } catch {
    throw new TypeError('Cannot read the query: it is not encoded as UTF-8');
  }
  const requirements = readRequirements(mode, new URLSearchParams(query));
  // Some gateways pass the query of their client on: it may ask for more, never for less.
  if (requirements.whenStale === 'allow')
    throw new TypeError('Cannot take when-stale=allow from a query: give it to the sidecar itself');
  return requirements;
};
