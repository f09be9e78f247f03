/**
 * The report of a search for capacity.
 * @module
 */

import { ms, number, table } from '../reports/tables.ts';
import { exitCodes } from '../results/result.ts';
import { mapTexts, markdownText } from '../texts/printable.ts';
import type { Capacity } from './find-capacity.ts';
import { gradeRules, limitRule } from './step.ts';

const upTo = ({ steps }: Capacity, isWanted: (step: Capacity['steps'][number]) => boolean): string => {
  const found = steps.findLast(isWanted);
  return found === undefined ? 'none of the steps' : `${number(found.users)} users`;
};

/** Whether a step met its criteria, in words. */
const criteriaOf = ({ isMet, exitCode }: Capacity['steps'][number]): string => {
  if (isMet) return 'met';
  if (exitCode === exitCodes.notJudged) return 'not judged';
  return exitCode === exitCodes.invalid ? 'invalid' : 'not met';
};

/** The limit of the target, in a sentence or two. */
export const limitSentence = ({ limit, steps }: Capacity): string => {
  const { users, named, isGenerator } = limit;
  if (users === undefined)
    return `No step was saturated: the target carries ${number(steps.at(-1)?.users ?? 0)} users or more.`;
  const names = named.map(
    ({ resource, percent, limit: at }) => `${resource} (${at} for ${percent.toFixed(0)} % of the time)`,
  );
  const found =
    names.length === 0
      ? 'no resource that was measured was at its limit so much more than with few users'
      : `at their limit then, and not before: ${names.join('; ')}`;
  const whose = isGenerator
    ? ' The generator was among them: what was found is its capacity, not that of the target. Give it --processes, or a machine of its own.'
    : '';
  return `With ${number(users)} users: ${found}.${whose}`;
};

/** The law, in a sentence or two. */
export const lawSentence = ({ law, steps }: Capacity): string => {
  if (law === null) return 'Too few steps for the law of scalability: it needs three.';
  const { sigma, kappa, peakThroughput, peakLow, peakHigh } = law;
  const terms = `σ = ${sigma.toFixed(4)}, κ = ${kappa.toExponential(2)}`;
  if (!Number.isFinite(peakThroughput)) return `The law of scalability sees no ceiling in these steps (${terms}).`;
  const [base] = steps;
  const asked =
    base === undefined || base.throughput === 0
      ? ''
      : ` which so many users ask for: ${number((peakThroughput * base.users) / base.throughput)}`;
  const high = Number.isFinite(peakHigh) ? number(peakHigh) : 'no ceiling';
  return `By the law of scalability the target does ${number(peakThroughput)} requests a second at most (95 % interval: ${number(peakLow)} to ${high}; ${terms}),${asked}.`;
};

/** The report. @param typed the command line, without its secrets */
export const capacityMarkdown = (found: Capacity, typed: string): string => {
  const [capacity, command] = mapTexts([found, typed] as const, markdownText);
  const { scenario, machine, steps, stepSeconds, spawnRate, seed, startedAt, ended } = capacity;
  const violated = steps.some(({ exitCode }) => exitCode === exitCodes.violated)
    ? '\n**Consistency was violated: a revoked token was accepted.**\n'
    : '';
  return `# Capacity for ${scenario}

\`${command}\`, ${startedAt.slice(0, 10)}; ${machine.cores} cores of ${machine.cpu}, ${machine.memory_gib} GiB, Node ${machine.node}. Seed ${seed}; ${number(spawnRate)} users started
a second, ${stepSeconds} s of each step measured, from the first login of its last user on.${ended === 'completed' ? '' : ` Not complete: ${ended}.`}
${violated}
- ${limitSentence(capacity)}
- ${lawSentence(capacity)}
- Every criterion judged and met: up to ${upTo(capacity, ({ isMet }) => isMet)}. Optimal: up to ${upTo(capacity, ({ grade }) => grade === 'optimal')}. Not saturated: up to ${upTo(capacity, ({ grade }) => grade !== 'saturated')}.

${table(
  ['users', 'req/s', 'for each user', 'at a time', 'p50 ms', 'p95 ms', 'p99 ms', 'failed', 'criteria', ''],
  steps.map((step) => [
    number(step.users),
    number(step.throughput),
    `${(100 * step.share).toFixed(0)} %`,
    number(step.concurrency, 1),
    ms(step.p50Ms),
    ms(step.p95Ms),
    ms(step.p99Ms),
    `${step.failedPercent.toFixed(2)} %`,
    criteriaOf(step),
    `${step.grade}${step.isSteady ? '' : ' (never steady)'}`,
  ]),
)}

_For each user_: throughput beside that of the smallest step. _At a time_: requests in the target, throughput times mean latency.

## Rules

${gradeRules}

${limitRule} Being named is evidence, no proof.

The law is N. Gunther's universal scalability law, X(N) = λN / (1 + σ(N − 1) + κN(N − 1)), over the requests that the target has at a time;
the interval is a bootstrap over the relative residuals of the steps.

## Limits in each step

Per cent of the time in which a resource was at its limit.

${limitsTable(capacity)}
`;
};

const limitsTable = ({ steps }: Capacity): string => {
  const resources = [...new Set(steps.flatMap(({ limits }) => limits.map(({ resource }) => resource)))];
  return table(
    ['resource', 'limit', ...steps.map(({ users }) => number(users))],
    resources.map((resource) => {
      const cells = steps.map(({ limits }) => limits.find((each) => each.resource === resource));
      const limit = cells.find((cell) => cell !== undefined)?.limit ?? '';
      return [resource, limit, ...cells.map((cell) => (cell === undefined ? '–' : cell.percent.toFixed(0)))];
    }),
  );
};
