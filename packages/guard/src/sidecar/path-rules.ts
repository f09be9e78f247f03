/**
 * Rules of paths: what requests for a path and everything below it must have.
 * @module
 */
import type { Mode } from '../verdicts.ts';
import { pathOf } from './original-path.ts';
import { bothRequirements, noRequirements, type Requirements, readRequirements } from './requirements.ts';

/** One rule, with the requirements of all rules whose paths lie above its own. */
export interface PathRule {
  /** Decoded, in lower case, without a slash at its end; empty: every path. */
  readonly prefix: string;
  readonly requirements: Requirements;
}

/** Rules, the longest prefix first. */
export type PathRules = readonly PathRule[];

const decode = (value: string): string => {
  try {
    return decodeURIComponent(value);
  } catch {
    throw new TypeError(`Cannot read "${value}": a percent sign in it is written %25`);
  }
};

/**
 * Whether a path is that of the prefix or lies below it. An ending like `.json` does not lead out:
 * several frameworks find `/admin` under it.
 */
const isBelow = (path: string, prefix: string): boolean =>
  path.startsWith(prefix) && ['/', '.', undefined].includes(path[prefix.length]);

const readRule = (mode: Mode, text: string): PathRule => {
  const [given = '', ...pairs] = text.trim().split(/\s+/);
  const path = pathOf(given);
  if (path === undefined || given.includes('?'))
    throw new TypeError(`Cannot read the rule "${text}": it begins with a path in its plain form, like /notes`);
  if (pairs.length === 0)
    throw new TypeError(`Cannot read the rule "${text}": after the path say what it requires, like role=editor`);
  const requirements = readRequirements(
    mode,
    pairs.map((pair): readonly [string, string] => {
      const [name = '', ...value] = pair.split('=');
      return [name, decode(value.join('='))];
    }),
  );
  return { prefix: path.replace(/\/$/, ''), requirements };
};

/**
 * Reads rules such as `/notes role=editor scope=notes:write`; values may be percent-encoded.
 * @throws {TypeError} for a rule that is not understood, or that nobody could meet
 */
export const readPathRules = (mode: Mode, texts: readonly string[]): PathRules => {
  const rules = texts.map((text) => readRule(mode, text));
  const prefixes = [...new Set(rules.map(({ prefix }) => prefix))].sort((one, other) => other.length - one.length);
  return prefixes.map((prefix) => ({
    prefix,
    requirements: rules
      .filter((rule) => isBelow(prefix, rule.prefix))
      // What stands further down decides where two rules cannot both be true.
      .sort((one, other) => one.prefix.length - other.prefix.length)
      .reduce((all, rule) => bothRequirements(all, rule.requirements), noRequirements),
  }));
};

/** What the rules require of a path, as `pathOf` has read it. */
export const requirementsOfPath = (rules: PathRules, path: string): Requirements =>
  rules.find(({ prefix }) => isBelow(path, prefix))?.requirements ?? noRequirements;
