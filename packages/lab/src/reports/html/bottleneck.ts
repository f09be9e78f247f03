/**
 * What was at its limit when latency rose, and the score card.
 * @module
 */
import { bottleneckRule, bottleneckSentence, findBottleneck } from '../bottleneck.ts';
import type { RunResult } from '../result.ts';
import { meanScore, scoreRule, scoresOf } from '../score-card.ts';
import { number } from '../tables.ts';
import { bar } from './judgements.ts';
import { html, htmlTable, type Markup } from './markup.ts';

/** The bottleneck. */
export const bottleneckOf = (result: RunResult): Markup => {
  const found = findBottleneck(result);
  return html`<section id="bottleneck"><h2>Bottleneck</h2><p>${bottleneckSentence(found)}</p>${
    found.evidence.length === 0
      ? null
      : htmlTable(
          `Resources${found.step > 1 ? `; ${found.step} seconds are taken together` : ''}`,
          ['resource', 'named', 'at its limit when', 'highest', 'in slow seconds', 'in the others'],
          found.evidence.map(({ resource, limit, highest, slowPercent, otherPercent, isNamed }) => [
            resource,
            isNamed ? html`<span class="pill doubt">at its limit</span>` : '',
            limit,
            number(highest, highest < 100 ? 2 : 0),
            html`${number(slowPercent)} % ${bar(slowPercent / 100, isNamed ? 'bad' : 'plain')}`,
            html`${number(otherPercent)} % ${bar(otherPercent / 100, 'plain')}`,
          ]),
        )
  }<p class="note">${bottleneckRule}</p></section>`;
};

/** The score card; nothing where nothing was counted. */
export const scoreCardOf = (result: RunResult): Markup | null => {
  if (result.counted.length === 0) return null;
  const scores = scoresOf(result);
  return html`<section id="score"><h2>Score card</h2><p><strong>${meanScore(scores)?.toFixed(1) ?? '–'} of 10</strong>, the mean of what was measured.</p>${htmlTable(
    'Components',
    ['component', 'score', '', 'counted', 'what was counted'],
    scores.map(({ component, done, all, score, source }) => [
      component,
      score === null ? 'not measured' : score.toFixed(1),
      score === null ? '' : bar(score / 10, 'plain'),
      done === null || all === null ? '–' : `${number(done)} of ${number(all)}`,
      source,
    ]),
  )}<p class="note">${scoreRule.replaceAll('`', '')}</p></section>`;
};
