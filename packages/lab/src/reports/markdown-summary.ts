/**
 * The executive summary of the report in words: question, result, validity.
 * @module
 */

import type { RunResult } from '../results/result.ts';
import { bottleneckSentence, findBottleneck } from './bottleneck.ts';
import { endingOf } from './ending.ts';
import { judgedWindow } from './judged-window.ts';
import { ms, number, percent, percentile } from './tables.ts';
import { notJudgedOf } from './verdict-texts.ts';

const verdictLine = (result: RunResult): string => {
  const failed = result.verdicts.filter(({ verdict }) => verdict === 'failed');
  const judged = result.verdicts.filter(({ verdict }) => verdict !== 'not judged');
  const isUnjudged = judged.length < result.verdicts.length || judged.length === 0;
  return `**${endingOf(result)}.** ${number(judged.length - failed.length)} of ${number(judged.length)} criteria that could be judged were kept${
    failed.length === 0 ? '' : `; not kept: ${failed.map(({ criterion }) => criterion).join('; ')}`
  }${isUnjudged ? `; not judged: ${notJudgedOf(result)}` : ''}.`;
};

const validityLine = ({ validity }: RunResult): string => {
  const broken = validity.filter(({ verdict }) => verdict === 'broken').map(({ rule }) => rule);
  return broken.length === 0
    ? 'Generator and machine kept every rule of validity that could be judged.'
    : `**The figures may not be believed**: broken rules of validity: ${broken.join('; ')}.`;
};

const slowestEndpoint = (result: RunResult): string => {
  const [slowest] = judgedWindow(result).endpoints.toSorted(
    (a, b) => (b.percentiles_ms['95'] ?? 0) - (a.percentiles_ms['95'] ?? 0),
  );
  return slowest === undefined
    ? 'No request was sent.'
    : `Slowest request: ${slowest.method} ${slowest.name}, p95 ${percentile(slowest, 95)} ms over ${number(slowest.requests)} requests.`;
};

/** The section. */
export const summarySection = (result: RunResult): string => {
  const { total } = judgedWindow(result);
  const { consistency, options } = result;
  return `## Executive summary

- ${verdictLine(result)}
- ${validityLine(result)}
- ${number(options.users)} users over ${number(options.duration_s)} s, ${result.judged === 'steady' ? 'steady window' : 'whole run'}: ${number(total.requests)} requests, ${number(total.requests_per_second, 1)} a second, p50 ${percentile(total, 50)}, p95 ${percentile(total, 95)}, p99 ${percentile(total, 99)} ms, slowest ${ms(total.max_ms)} ms.
- Real failures ${percent(total.real, total.requests)} (${number(total.real)}), expected refusals ${percent(total.expected, total.requests)} (${number(total.expected)}).
- Revocation: ${number(consistency.dead_checks)} requests with a dead token, ${number(consistency.violations)} accepted against the promise.
- ${slowestEndpoint(result)}
- Bottleneck: ${bottleneckSentence(findBottleneck(result))}
`;
};
