/**
 * The score card: components that were counted, scored by one rule. A component without a count is
 * not measured, never guessed.
 * @module
 */
import { exitCodes, type RunResult } from '../results/result.ts';

/** A component of the score. */
export interface Score {
  readonly component: string;
  readonly done: number | null;
  readonly all: number | null;
  /** Out of ten; `null`: not measured. */
  readonly score: number | null;
  readonly source: string;
}

const components = [
  ['techniques', 'mapped techniques'],
  ['defences', 'defences'],
  ['tests', 'test coverage'],
  ['documentation', 'documentation'],
] as const;

const scored = (component: string, done: number, all: number, source: string): Score => ({
  component,
  done,
  all,
  score: (10 * done) / all,
  source,
});

const missing = (component: string, source: string): Score => ({
  component,
  done: null,
  all: null,
  score: null,
  source,
});

const performanceOf = ({ verdicts, exit_code }: RunResult): Score => {
  const isJudged = verdicts.some(({ verdict }) => verdict !== 'not judged');
  if (exit_code === exitCodes.invalid || exit_code === exitCodes.unreachable || !isJudged)
    return missing('performance', 'this run judges no criterion that may be believed');
  // A criterion that could not be judged counts as not met: left out, it would raise the score of a
  // run that shows less.
  const passed = verdicts.filter(({ verdict }) => verdict === 'passed').length;
  return scored('performance', passed, verdicts.length, 'criteria of this run that were judged and kept, of all');
};

/** The rule in words. */
export const scoreRule =
  'Each component scores 10 × done / all of things that were counted; the whole is the mean of the components that were measured, each weighing the same. The counts are given by `--count NAME=DONE/ALL` or `--count NAME=FILE`; performance counts the criteria of this run.';

/** The components. */
export const scoresOf = (result: RunResult): readonly Score[] => [
  ...components.map(([name, component]) => {
    const counted = result.counted.find((each) => each.name === name);
    return counted === undefined
      ? missing(component, `not measured: give --count ${name}=DONE/ALL`)
      : scored(component, counted.done, counted.all, counted.what);
  }),
  performanceOf(result),
];

/** Mean of the measured values; `null` where there are none. */
export const meanScore = (scores: readonly Score[]): number | null => {
  const measured = scores.flatMap(({ score }) => (score === null ? [] : [score]));
  return measured.length === 0 ? null : measured.reduce((sum, score) => sum + score, 0) / measured.length;
};
