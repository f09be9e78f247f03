/**
 * Was the promise kept, and how fast?
 * @module
 */
import type { RevocationResult, RunResult } from '../../results/result.ts';
import type { TimesResult } from '../../results/window-result.ts';
import { type Part, type SectionMaker, type Table, tableOf } from '../section.ts';
import { ms, number } from '../tables.ts';

/** Timelines of violations that are shown; the JSON file has more. */
const timelinesMax = 10;

const timelinesOf = ({ consistency }: RunResult): readonly Table[] =>
  consistency.timelines.slice(0, timelinesMax).map(({ token, rule, events }) =>
    tableOf(
      `Token ${token}, ${rule}`,
      ['at ms', 'event', 'worker'],
      events.map(({ at_ms, what, worker }) => [number(at_ms, 1), what, worker ?? '']),
    ),
  );

/** Whether any promise was broken. */
export const consistencySection: SectionMaker = (result) => {
  const { consistency, logouts } = result;
  return [
    {
      id: 'consistency',
      title: 'Consistency',
      parts: [
        `${number(consistency.revoked_tokens)} tokens revoked, ${number(consistency.dead_checks)} answers to requests sent with a token ` +
          `after its logout had been answered, ${number(consistency.rotations)} successors given for refresh tokens, ` +
          `${number(consistency.violations)} violations.`,
        ...timelinesOf(result),
        `${number(logouts.completed)} logouts were answered 200 and ${number(logouts.pending)} were answered 202 (pending).`,
      ],
    },
  ];
};

const timesRow = (name: string, { count, percentiles_ms: at, max_ms }: TimesResult): readonly string[] => [
  name,
  number(count),
  ms(at['50']),
  ms(at['95']),
  ms(at['99']),
  count === 0 ? '–' : ms(max_ms),
];

const speedParts = (revocation: RevocationResult): readonly Part[] => {
  const { asked, workers, logout, rejection, propagation, probe_every, unrefused, lost_workers } = revocation;
  const who =
    asked === 'workers'
      ? `Every dead token was tried on each worker (${number(workers.length)} at the end)`
      : 'The target does not name its workers (`EXPOSE_WORKER=1` makes it), so every dead token was tried over several fresh connections: which workers they reached is not known';
  return [
    `${who}. One logout in ${number(probe_every)} was probed: its token was verified on each without a pause from the moment the logout was sent.`,
    tableOf(
      '',
      ['from … to', 'samples', 'p50', 'p95', 'p99', 'max ms'],
      [
        timesRow('logout sent … answered', logout),
        timesRow('logout answered 200 … last refusal, all asked at once', rejection),
        timesRow('logout sent … first refusal on the slowest worker (probed)', propagation),
      ],
    ),
    `${number(unrefused)} workers went on accepting for as long as a probe waited; ${number(lost_workers)} questions went unanswered by the ` +
      'worker they were meant for, because it had gone.',
  ];
};

const workersOf = ({ whole }: RunResult): readonly Table[] => {
  const rows = Object.entries(whole.requests_by_worker).map(([worker, requests]) => [worker, number(requests)]);
  return rows.length === 0 ? [] : [tableOf('Requests by worker', ['worker', 'requests'], rows)];
};

/**
 * How fast revocations took effect, and how much each worker answered; nothing when neither was
 * measured.
 */
export const revocationSection: SectionMaker = (result) => {
  const { revocation } = result;
  const parts = [...(revocation === null ? [] : speedParts(revocation)), ...workersOf(result)];
  return parts.length === 0 ? [] : [{ id: 'revocation', title: 'Revocation', parts }];
};
