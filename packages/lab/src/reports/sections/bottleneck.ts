/**
 * The bottleneck, and the score card.
 * @module
 */
import { bottleneckRule, bottleneckSentence, findBottleneck } from '../bottleneck.ts';
import { meanScore, scoreRule, scoresOf } from '../score-card.ts';
import { barOf, type SectionMaker, tableOf } from '../section.ts';
import { number } from '../tables.ts';

/** Resources that were at their limits when latency rose. */
export const bottleneckSection: SectionMaker = (result) => {
  const found = findBottleneck(result);
  const notes = [
    ...(found.step > 1 ? [`In this run ${found.step} seconds are taken together.`] : []),
    ...(result.server === null ? ["The target's metrics were not asked."] : []),
    ...(result.server?.not_measured == null
      ? []
      : [`The target's metrics were not measured: ${result.server.not_measured}.`]),
  ];
  const resources = found.evidence.map(({ resource, limit, highest, slowPercent, otherPercent, isNamed }) => [
    resource,
    isNamed ? ({ text: 'yes', tone: 'doubt', isPill: true, isStrong: true } as const) : '',
    limit,
    number(highest, highest < 100 ? 2 : 0),
    { text: `${number(slowPercent)} %`, share: slowPercent / 100, tone: isNamed ? 'bad' : 'plain' } as const,
    { text: `${number(otherPercent)} %`, share: otherPercent / 100, tone: 'plain' } as const,
  ]);
  const head = ['resource', 'named', 'at its limit when', 'highest', 'in slow seconds', 'in the others'];
  return [
    {
      id: 'bottleneck',
      title: 'Bottleneck',
      parts: [
        bottleneckSentence(found),
        resources.length === 0 ? 'No resource was measured.' : tableOf('', head, resources),
        `Rule: ${bottleneckRule}`,
        ...notes,
      ],
    },
  ];
};

/** The score card; nothing where nothing was counted. */
export const scoreSection: SectionMaker = (result) => {
  if (result.counted.length === 0) return [];
  const scores = scoresOf(result);
  const measured = scores.filter(({ score }) => score !== null).length;
  const missing = measured < scores.length ? '; the others are not measured' : '';
  const mean = meanScore(scores)?.toFixed(1) ?? '–';
  const rows = scores.map(({ component, done, all, score, source }) => [
    component,
    done === null ? '–' : number(done),
    all === null ? '–' : number(all),
    score === null ? 'not measured' : score.toFixed(1),
    score === null ? '' : barOf(score / 10, 'plain'),
    source,
  ]);
  return [
    {
      id: 'score',
      title: 'Score card',
      parts: [
        `${mean} of 10, over ${measured} of ${scores.length} components${missing}.`,
        tableOf('', ['component', 'counted', 'of', 'score', 'drawn', 'what was counted'], rows),
        `Rule: ${scoreRule}`,
      ],
    },
  ];
};
