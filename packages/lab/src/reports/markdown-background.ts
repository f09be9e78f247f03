/**
 * What the report in words sets beside a run: the report of 3 October 2025, the services that it assumed, capacity, bottlenecks, and scores.
 * @module
 */
import { bottleneckRule, bottleneckSentence, findBottleneck } from './bottleneck.ts';
import { assumedServices, earlierDegradation, earlierErrors, earlierRating, earlierRuns } from './first-report.ts';
import { judgedWindow } from './judged-window.ts';
import type { RunResult } from './result.ts';
import { meanScore, scoreRule, scoresOf } from './score-card.ts';
import { ms, number, percent, percentile, table } from './tables.ts';
import type { WindowResult } from './window-result.ts';

const windowRow = (name: string, { total }: WindowResult): readonly string[] => [
  name,
  number(total.requests),
  number(total.requests_per_second),
  percent(total.real, total.requests),
  percent(total.expected, total.requests),
  percentile(total, 50),
  percentile(total, 95),
  percentile(total, 99),
];

const offeredLoad = ({ options, scenario }: RunResult): string => {
  if (scenario !== 'auth') return 'That report ran another mix of requests: its rows stand here for scale.';
  const [shortest, longest] = options.wait_s;
  const most = options.users / ((shortest + longest) / 2);
  return (
    `${number(options.users)} users that wait ${shortest} to ${longest} s between requests ask for at most ${number(most)} requests a second, ` +
    'however fast the answers come. That report asked for at least 800 a second of 1,000 users that wait 1 to 3 s: they ask for at most 500, so no target can give that.'
  );
};

/** The runs of the earlier report beside this one. */
export const earlierSection = (result: RunResult): string => `## Beside the report of 3 October 2025

${table(
  ['run', 'requests', 'req/s', 'failed', 'expected refusals', 'p50 ms', 'p95 ms', 'p99 ms'],
  [
    windowRow('this run, whole', result.whole),
    ...(result.steady === null
      ? []
      : [windowRow(`this run, steady window (from ${number(result.steady.from_s)} s)`, result.steady)]),
    ...earlierRuns.map((run) => [
      `report of 3 October 2025: ${run.name}`,
      number(run.requests),
      number(run.perSecond),
      `${run.failedPercent} %`,
      'in "failed"',
      ms(run.p50),
      ms(run.p95),
      run.p99 === undefined ? 'not given' : ms(run.p99),
    ]),
  ],
)}

That report is of an earlier Python system: its login checked no password, it had no database, each run lasted 3 minutes, and the size of its machine is not stated.
${offeredLoad(result)}
`;

/** The services that the earlier report assumed. */
export const industrySection = (result: RunResult): string => {
  const { total } = judgedWindow(result);
  return `## Comparison with services

${table(
  ['service', 'p50 ms', 'p95 ms', 'p99 ms', 'figures from'],
  [
    [
      `this run, ${number(result.options.users)} users`,
      percentile(total, 50),
      percentile(total, 95),
      percentile(total, 99),
      'measured here',
    ],
    ['the earlier Python system, 1,000 users', '14', '180', '2,100', 'its report of 3 October 2025'],
    ...assumedServices.map((row) => [...row, 'assumed by the report of 3 October 2025, without a source']),
  ],
)}

Nobody measured these services here, and they are reached over a network that this run does not have: the rows say what that report expected of them, no more.
`;
};

/** Capacity: only what this run has measured. */
export const capacitySection = (result: RunResult): string => {
  const { total } = judgedWindow(result);
  return `## Capacity

This run measured one load: ${number(result.options.users)} users gave ${number(total.requests_per_second, 1)} requests a second at p95 ${percentile(total, 95)} ms. Where latency would begin to rise was not measured.
For scale, how the earlier Python system described itself on one process, saturated at about 3,500 users:

${table(['users', 'p50', 'in its words'], earlierDegradation)}
`;
};

/** What was at its limit when latency rose. */
export const bottleneckSection = (result: RunResult): string => {
  const found = findBottleneck(result);
  return `## Bottleneck

${bottleneckSentence(found)}

${
  found.evidence.length === 0
    ? 'No resource was measured.'
    : table(
        ['resource', 'at its limit when', 'highest', 'in slow seconds', 'in the others', 'named'],
        found.evidence.map(({ resource, limit, highest, slowPercent, otherPercent, isNamed }) => [
          resource,
          limit,
          number(highest, highest < 100 ? 2 : 0),
          `${number(slowPercent)} %`,
          `${number(otherPercent)} %`,
          isNamed ? '**yes**' : '',
        ]),
      )
}

Rule: ${bottleneckRule}
${found.step > 1 ? `In this run ${found.step} seconds are taken together.\n` : ''}${result.server === null ? "The target's metrics were not asked.\n" : result.server.not_measured === null ? '' : `The target's metrics were not measured: ${result.server.not_measured}.\n`}`;
};

/** The score card. */
export const scoreSection = (result: RunResult): string => {
  const scores = scoresOf(result);
  const mean = meanScore(scores);
  const measured = scores.filter(({ score }) => score !== null).length;
  return `## Score card

${mean === null ? 'Nothing was counted.' : `**${mean.toFixed(1)} of 10**, over ${measured} of ${scores.length} components${measured < scores.length ? '; the others are not measured' : ''}.`} The report of 3 October 2025 rated itself ${earlierRating} of 10.

${table(
  ['component', 'counted', 'of', 'score', 'what was counted'],
  scores.map(({ component, done, all, score, source }) => [
    component,
    done === null ? '–' : number(done),
    all === null ? '–' : number(all),
    score === null ? 'not measured' : score.toFixed(1),
    source,
  ]),
)}

Rule: ${scoreRule}
`;
};

/** How the errors of the earlier report split. */
export const earlierErrorLine = (): string =>
  `For scale: of ${number(earlierErrors.requests)} requests in its baseline the report of 3 October 2025 counted ${number(earlierErrors.expected)} refusals of tokens that had been logged out and ${number(earlierErrors.real)} logins without an answer.`;
