/**
 * The criteria of a run: those of its scenario, of a file and of the command line, and those that
 * may end it early.
 * @module
 */
import { canBeBeyondSaving } from '../measures/beyond-saving.ts';
import {
  type AskedCriterion,
  type Criterion,
  combine,
  failuresByDefault,
  measures,
  nameOf,
} from '../measures/criterion.ts';
import { checkDeclared, type Declared, off, readCriteria } from '../measures/read-criteria.ts';
import type { Scenario } from '../scenarios/scenario.ts';
import { didYouMean } from '../texts/did-you-mean.ts';
import { readCriteriaFile } from './criteria-file.ts';
import type { Flags } from './run-flags.ts';

const declaredBy = ({ name, custom, asksEveryWorker }: Scenario): Declared => {
  const metrics = Object.entries(custom?.metrics ?? {});
  const named = (kind: string): readonly string[] => metrics.filter(([, each]) => each === kind).map(([each]) => each);
  return {
    name,
    checks: custom?.checks ?? [],
    counters: named('counter'),
    trends: named('trend'),
    measuresRejection: asksEveryWorker,
  };
};

const camelCase = (word: string): string => word.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());

/** Criteria of `--p95` and the like. */
const ofOptions = (flags: Flags): readonly Criterion[] =>
  Object.keys(measures.run).flatMap((measure) => {
    const limit = (flags as unknown as Readonly<Record<string, number | typeof off | undefined>>)[camelCase(measure)];
    return limit === undefined ? [] : [{ of: 'run', name: '', measure, limit: limit === off ? null : limit }];
  });

/**
 * The criteria of a run: real failures at 1 %, unless the scenario is judged phase by phase; then
 * the scenario's, those of a file, and those of the command line: the last word wins.
 * @throws Error that says what is wrong and what is allowed
 */
export const makeCriteria = (scenario: Scenario, flags: Flags): readonly AskedCriterion[] => {
  const declared = declaredBy(scenario);
  const ofFile =
    flags.criteria === undefined ? [] : readCriteriaFile(flags.criteria, (read) => checkDeclared(read, declared));
  const typed = [...ofOptions(flags), ...flags.criterion];
  checkDeclared(typed, declared);
  return combine(
    scenario.isBroken === true ? [] : [failuresByDefault],
    readCriteria(scenario.criteria, 'key'),
    ofFile,
    typed,
  );
};

/** The word that lets any criterion end a run early. */
const anyCriterion = 'any';

/**
 * The criteria that end a run early when they are beyond saving, by their names.
 * @param words of `--abort-when`
 * @throws Error that says what is wrong and what is allowed
 */
export const makeAbortWhen = (typed: readonly string[], criteria: readonly AskedCriterion[]): readonly string[] => {
  // Spaces around the last colon are as one likes, as in --criterion.
  const words = typed.map((word) => word.trim().replace(/\s*:\s*([a-z0-9-]+)$/, ': $1'));
  const able = criteria.filter(canBeBeyondSaving).map(nameOf);
  for (const word of words) {
    if (word === anyCriterion || able.includes(word)) continue;
    const isAsked = criteria.some((criterion) => nameOf(criterion) === word);
    throw new Error(
      isAsked
        ? `--abort-when "${word}": what comes later may always save it; name another criterion`
        : `--abort-when "${word}": this run has no such criterion${didYouMean(word, [anyCriterion, ...able])}`,
    );
  }
  if (words.length > 0 && able.length === 0)
    throw new Error('--abort-when: this run has no criterion that can be beyond saving before its end');
  return words.includes(anyCriterion) ? able : words;
};
