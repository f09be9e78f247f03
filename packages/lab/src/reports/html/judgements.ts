/**
 * Criteria with their margins, and the validity certificate.
 * @module
 */
import type { Verdict } from '../../measures/criteria.ts';
import type { RunResult } from '../result.ts';
import { number } from '../tables.ts';
import { measuredOf, notJudgedOf } from '../verdict-texts.ts';
import { html, htmlTable, type Markup } from './markup.ts';

/** Share of the limit that is used up, drawn: a full bar is the limit. Without style attributes, which the policy of the page refuses. */
export const bar = (share: number, tone: string): Markup => {
  const filled = Math.min(100, Math.max(0, share * 100)).toFixed(1);
  return html`<svg class="bar ${tone}" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true"><rect class="all" width="100" height="8"/><rect class="part" width="${filled}" height="8"/></svg>`;
};

/** What is left of a limit. */
const margin = ({ limit, measured, at_least }: Judged): string => {
  if (measured === null) return '–';
  if (at_least === true)
    return measured >= limit ? `${number(measured - limit, 2)} above it` : `${number(limit - measured, 2)} missing`;
  if (limit === 0) return measured === 0 ? 'none allowed, none found' : 'none allowed';
  const left = 100 * (1 - measured / limit);
  return left >= 0 ? `${number(left)} % left` : `${number(measured / limit, 1)} times the limit`;
};

const pill = (text: string, tone: string): Markup => html`<span class="pill ${tone}">${text}</span>`;

const tones: Readonly<Record<string, string>> = {
  passed: 'good',
  kept: 'good',
  failed: 'bad',
  broken: 'bad',
  'not judged': 'doubt',
};

const shareOf = ({ limit, measured }: Judged): number => {
  if (measured === null) return 0;
  return limit === 0 ? Number(measured > 0) : measured / limit;
};

type Judged = Pick<Verdict, 'limit' | 'at_least' | 'measured' | 'reason'> & {
  readonly name: string;
  readonly verdict: string;
};

const rows = (judged: readonly Judged[]) =>
  judged.map((each) => {
    const { name, limit, at_least, verdict } = each;
    const tone = tones[verdict] ?? 'doubt';
    return [
      name,
      pill(verdict, tone),
      measuredOf(each),
      `${at_least === true ? '≥' : '≤'} ${number(limit, Number.isInteger(limit) ? 0 : 2)}`,
      bar(shareOf(each), tone),
      margin(each),
    ];
  });

const headOf = (what: string): readonly string[] => [
  what,
  'verdict',
  'measured',
  'limit',
  'used of the limit',
  'margin',
];

/** The criteria. */
export const criteriaOf = (result: RunResult): Markup => {
  const where =
    result.outage !== null
      ? 'judged phase by phase'
      : `judged over the ${result.judged === 'steady' ? 'steady window' : 'whole run'}`;
  return html`<section id="criteria"><h2>Criteria</h2>${
    result.verdicts.length === 0
      ? html`<p>None: ${notJudgedOf(result)}.</p>`
      : htmlTable(
          `Criteria, ${where}`,
          headOf('criterion'),
          rows(result.verdicts.map(({ criterion, ...verdict }) => ({ name: criterion, ...verdict }))),
        )
  }</section>`;
};

const littleLine = ({ little }: RunResult): string =>
  little === null
    ? "Little's law is not judged: the steady window is missing or too short, or the run followed the open model."
    : `Little's law, users = throughput × (response + wait): ${number(little.tasks_per_second, 1)} tasks a second × (${number(little.response_s, 3)} s + ${number(little.wait_s, 1)} s) = ${number(little.tasks_per_second * (little.response_s + little.wait_s))}, and there were ${number(little.users)}.`;

/** The validity certificate. */
export const validityOf = (result: RunResult): Markup => {
  const { generator } = result;
  const isValid = result.validity.every(({ verdict }) => verdict !== 'broken');
  return html`<section id="validity"><h2>Validity certificate</h2>
<p>${isValid ? 'Generator and machine kept every rule that could be judged: what was measured is the target.' : 'At least one rule is broken: what was measured may be the generator or a stranger, not the target.'}</p>
${htmlTable('May the run be believed?', headOf('rule'), rows(result.validity.map(({ rule, ...verdict }) => ({ name: rule, ...verdict }))))}
<p>${littleLine(result)}</p>
<p>Generator: ${number(generator.cpu_us_per_request)} CPU-µs per request, ${number(generator.rss_mb_max)} MB at most, ${number(generator.connections_opened)} connections for ${number(generator.users_started)} users, ${number(generator.reconnects)} reconnects, ${number(generator.cut_requests)} requests cut at the end.</p>
</section>`;
};
