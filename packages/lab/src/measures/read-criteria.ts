/**
 * Reads criteria in any of their spellings. An unknown criterion is refused with a suggestion.
 * @module
 */
import { didYouMean } from '../texts/did-you-mean.ts';
import { type Criterion, measures, type Subject } from './criterion.ts';

/**
 * Where a criterion was found, as the keys that lead to it: `['endpoints', 'GET /items',
 * 'p95MsMax']`.
 */
export type Place = readonly string[];

/** A refusal, with the place that it is about. */
export class RefusedCriterion extends Error {
  readonly place: Place;

  constructor(place: Place, reason: string) {
    super(reason);
    this.place = place;
  }
}

const groups = {
  endpoints: 'endpoint',
  checks: 'check',
  counters: 'counter',
  trends: 'trend',
} as const satisfies Record<string, Subject>;
const isGroup = (name: string): name is keyof typeof groups => Object.hasOwn(groups, name);

/** How the switch is spelt that turns a criterion off. */
export const off = 'none';

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** An endpoint as it is counted: method and path. */
const endpointGrammar = /^[A-Z]+ \S/;

/** A limit, checked. @throws RefusedCriterion */
const limitOf = (of: Subject, measure: string, value: unknown, place: Place): number | null => {
  if (value === null || value === off) return null;
  const unit = measures[of][measure]?.unit;
  const called = place.at(-1) ?? measure;
  const isNumber = typeof value === 'number' && Number.isFinite(value);
  const isAllowed = isNumber && (unit === '' || value >= 0) && (unit !== '%' || value <= 100);
  if (isAllowed) return value;
  const allowed = unit === '%' ? 'a number from 0 to 100' : unit === 'ms' ? 'a number of 0 or more' : 'a number';
  const said = typeof value === 'number' || typeof value === 'string' ? String(value) : typeof value;
  throw new RefusedCriterion(place, `"${called}" is ${said}: give ${allowed}, or ${off} to switch it off`);
};

type Spelling = 'key' | 'short';

const spelt = (of: Subject, spelling: Spelling): ReadonlyMap<string, string> =>
  new Map(Object.entries(measures[of]).map(([short, { key }]) => [spelling === 'key' ? key : short, short]));

const readOne = (of: Subject, name: string, value: unknown, spelling: Spelling, place: Place): readonly Criterion[] => {
  if (!isObject(value)) throw new RefusedCriterion(place, `"${place.at(-1)}" holds no object of limits`);
  const known = spelt(of, spelling);
  return Object.entries(value).map(([word, limit]) => {
    const measure = known.get(word);
    if (measure === undefined)
      throw new RefusedCriterion(
        [...place, word],
        `there is no criterion "${word}"${didYouMean(word, [...known.keys()])}`,
      );
    return { of, name, measure, limit: limitOf(of, measure, limit, [...place, word]) };
  });
};

const readGroup = (
  group: keyof typeof groups,
  value: unknown,
  spelling: Spelling,
  place: Place,
): readonly Criterion[] => {
  if (!isObject(value)) throw new RefusedCriterion(place, `"${group}" holds no object, with a name for each`);
  return Object.entries(value).flatMap(([name, limits]) => {
    if (group === 'endpoints' && !endpointGrammar.test(name))
      throw new RefusedCriterion(
        [...place, name],
        `"${name}" is no endpoint: write method and path, such as "GET /items"`,
      );
    const read = readOne(groups[group], name, limits, spelling, [...place, name]);
    if (read.length === 0) throw new RefusedCriterion([...place, name], `"${name}" has no limit: give one`);
    return read;
  });
};

/**
 * Reads an object of criteria.
 * @param spelling `key` as in a scenario, `short` as in a file of criteria
 * @throws RefusedCriterion
 */
export const readCriteria = (value: unknown, spelling: Spelling): readonly Criterion[] => {
  if (!isObject(value)) throw new RefusedCriterion([], 'the criteria are no object');
  const known = [...spelt('run', spelling).keys(), ...Object.keys(groups)];
  return Object.entries(value).flatMap(([word, inner]) => {
    if (isGroup(word)) return readGroup(word, inner, spelling, [word]);
    if (!known.includes(word))
      throw new RefusedCriterion([word], `there is no criterion "${word}"${didYouMean(word, known)}`);
    return readOne('run', '', { [word]: inner }, spelling, []);
  });
};

/** How criteria are written on the command line, in one line. */
export const criterionExample = "'endpoint GET /items: p95=100, failures=0'";

/**
 * Reads a criterion of the command line: `endpoint GET /items: p95=100, failures=0`, `check NAME:
 * failed=0`, `counter NAME: min=10`.
 * @throws Error that says what is wrong and what is allowed
 */
export const parseCriterion = (text: string): readonly Criterion[] => {
  // The last colon: names and paths may hold some.
  const colon = text.lastIndexOf(':');
  const [, of, name = ''] = /^\s*(endpoint|check|counter|trend)\s+(\S.*?)\s*$/.exec(text.slice(0, colon)) ?? [];
  if (colon < 0 || of === undefined)
    throw new Error(`write what it is about, its name, and its limits, such as ${criterionExample}`);
  const limits = text
    .slice(colon + 1)
    .split(',')
    .map((part): readonly [string, unknown] => {
      const [, measure, limit = ''] = /^\s*([a-z0-9-]+)\s*=\s*(\S+)\s*$/.exec(part) ?? [];
      if (measure === undefined) throw new Error(`"${part.trim()}" is no limit: write such as p95=100`);
      return [measure, /^-?\d+(?:\.\d+)?$/.test(limit) ? Number(limit) : limit];
    });
  return readGroup(`${of}s` as keyof typeof groups, { [name]: Object.fromEntries(limits) }, 'short', [`${of}s`]);
};

/** Checks, counters and trends that a scenario declares. */
export interface Declared {
  readonly name: string;
  readonly checks: readonly string[];
  readonly counters: readonly string[];
  readonly trends: readonly string[];
  /** Whether the time from a logout until its token is refused everywhere is measured. */
  readonly measuresRejection: boolean;
}

/**
 * Checks that the subjects of criteria exist.
 * @throws RefusedCriterion
 */
export const checkDeclared = (criteria: readonly Criterion[], declared: Declared): void => {
  for (const { of, name, measure, limit } of criteria) {
    if (of === 'run' && measure === 'rejected' && limit !== null && !declared.measuresRejection)
      throw new RefusedCriterion(
        ['rejectedMsMax'],
        `nothing measures "rejected" in ${declared.name}: it belongs to the scenario revocation`,
      );
    if (of === 'run' || of === 'endpoint') continue;
    const names = declared[`${of}s`];
    if (names.includes(name)) continue;
    const there =
      names.length === 0 ? `it declares no ${of}s` : `it declares ${names.map((each) => `"${each}"`).join(', ')}`;
    throw new RefusedCriterion(
      [`${of}s`, name],
      `${declared.name} has no ${of} "${name}"; ${there}${didYouMean(name, names)}`,
    );
  }
};
