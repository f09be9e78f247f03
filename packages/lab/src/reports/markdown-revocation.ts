/**
 * What the report in words says of revocation: was the promise kept, and how fast.
 * @module
 */
import type { RunResult } from './result.ts';
import { ms, number, table } from './tables.ts';
import type { TimesResult, WindowResult } from './window-result.ts';

const timelines = ({ consistency }: RunResult): string =>
  consistency.timelines
    .slice(0, 5)
    .map(
      ({ token, rule, events }) =>
        `\n\nToken ${token}, ${rule}:\n\n${table(
          ['at ms', 'event', 'worker'],
          events.map(({ at_ms, what, worker }) => [number(at_ms, 1), what, worker ?? '']),
        )}`,
    )
    .join('');

/** Was the promise kept? */
export const consistencySection = (result: RunResult): string => {
  const { consistency, logouts } = result;
  return `## Consistency

${number(consistency.revoked_tokens)} tokens revoked, ${number(consistency.dead_checks)} answers to requests sent with a token after its logout had been answered, ${number(consistency.rotations)} successors given for refresh tokens, ${number(consistency.violations)} violations.${timelines(result)}

${number(logouts.completed)} logouts were answered 200 and ${number(logouts.pending)} were answered 202 (pending).
`;
};

const timesRow = (name: string, { count, percentiles_ms, max_ms }: TimesResult): readonly string[] => [
  name,
  number(count),
  ms(percentiles_ms['50']),
  ms(percentiles_ms['99']),
  count === 0 ? '–' : ms(max_ms),
];

const workerTable = ({ requests_by_worker }: WindowResult): string =>
  Object.keys(requests_by_worker).length === 0
    ? ''
    : `\n${table(
        ['worker', 'requests'],
        Object.entries(requests_by_worker).map(([worker, requests]) => [worker, number(requests)]),
      )}\n`;

/** How fast revocations took effect, and which worker answered how much; empty when neither was measured. */
export const revocationSection = ({ revocation, whole }: RunResult): string => {
  if (revocation === null) return workerTable(whole);
  const { asked, workers, logout, rejection, propagation, probe_every, unrefused, lost_workers } = revocation;
  const who =
    asked === 'workers'
      ? `Every dead token was tried on each worker (${number(workers.length)} at the end)`
      : 'The target does not name its workers (`EXPOSE_WORKER=1` makes it), so every dead token was tried over several fresh connections: which workers they reached is not known';
  return `## Revocation

${who}. One logout in ${number(probe_every)} was probed: its token was verified on each without a pause from the moment the logout was sent.

${table(
  ['from … to', 'samples', 'p50', 'p99', 'max ms'],
  [
    timesRow('logout sent … answered', logout),
    timesRow('logout answered 200 … last refusal, all asked at once', rejection),
    timesRow('logout sent … first refusal on the slowest worker (probed)', propagation),
  ],
)}

${number(unrefused)} workers went on accepting for as long as a probe waited; ${number(lost_workers)} questions went unanswered by the worker they were meant for, because it had gone.
${workerTable(whole)}`;
};
