/**
 * Criteria with their margins, and whether the run may be believed.
 * @module
 */
import type { RunResult } from '../../results/result.ts';
import type { Verdict } from '../../results/verdict.ts';
import { barOf, type Cell, type SectionMaker, type Table, type Tone, tableOf } from '../section.ts';
import { number } from '../tables.ts';
import { boundOf, measuredOf, notJudgedOf, unjudgedFailuresOf } from '../verdict-texts.ts';

type Judged = Pick<Verdict, 'limit' | 'at_least' | 'measured'> & {
  readonly name: string;
  readonly verdict: string;
  /** The measured value, or the reason why there is none. */
  readonly said: string;
};

const tones: Readonly<Record<string, Tone>> = { passed: 'good', kept: 'good', failed: 'bad', broken: 'bad' };

/** Share of the limit that is used up. */
const shareOf = ({ limit, measured }: Judged): number => {
  if (measured === null) return 0;
  return limit === 0 ? Number(measured > 0) : measured / limit;
};

/** The rest of a limit. */
const marginOf = ({ limit, measured, at_least }: Judged): string => {
  if (measured === null) return '–';
  if (at_least === true)
    return measured >= limit ? `${number(measured - limit, 2)} above it` : `${number(limit - measured, 2)} missing`;
  if (limit === 0) return measured === 0 ? 'none allowed, none found' : 'none allowed';
  const left = 100 * (1 - measured / limit);
  return left >= 0 ? `${number(left)} % left` : `${number(measured / limit, 1)} times the limit`;
};

const rowOf = (each: Judged): readonly Cell[] => {
  const tone = tones[each.verdict] ?? 'doubt';
  return [
    each.name,
    { text: each.verdict, tone, isPill: true, ...(tone === 'bad' ? { isStrong: true } : {}) },
    each.said,
    boundOf(each),
    barOf(shareOf(each), tone),
    marginOf(each),
  ];
};

const judgedTable = (title: string, what: string, judged: readonly Judged[]): Table =>
  tableOf(title, [what, 'verdict', 'measured', 'limit', 'used of the limit', 'margin'], judged.map(rowOf));

const criteriaTitle = ({ judged, steady, outage }: RunResult): string => {
  if (outage !== null) return 'Criteria, judged phase by phase';
  if (judged === 'steady') return 'Criteria, judged over the steady window';
  const reason = steady === null ? 'there was no steady window' : 'the steady window is too short to speak for it';
  return `Criteria, judged over the whole run: ${reason}`;
};

/** The criteria. */
export const criteriaSection: SectionMaker = (result) => {
  const judged = result.verdicts.map((each) => ({ ...each, name: each.criterion, said: measuredOf(each) }));
  const unjudged = unjudgedFailuresOf(result);
  return [
    {
      id: 'criteria',
      title: criteriaTitle(result),
      parts: [
        judged.length === 0 ? `None: ${notJudgedOf(result)}.` : judgedTable('', 'criterion', judged),
        ...(unjudged === undefined ? [] : [`${unjudged}.`]),
      ],
    },
  ];
};

const littleLine = ({ little }: RunResult): string =>
  little === null
    ? "Little's law is not judged: the steady window is missing, under 20 s or under 400 tasks, or the run followed the open model."
    : `Little's law, users = throughput × (response + wait): ${number(little.tasks_per_second, 1)} tasks a second × ` +
      `(${number(little.response_s, 3)} s + ${number(little.wait_s, 1)} s) = ` +
      `${number(little.tasks_per_second * (little.response_s + little.wait_s))}, and there were ${number(little.users)}.`;

const generatorLine = ({ generator }: RunResult): string =>
  `Generator: ${number(generator.cpu_seconds, 1)} CPU-seconds, ${number(generator.cpu_us_per_request)} CPU-µs per request, ` +
  `${number(generator.rss_mb_max)} MB at most, ${number(generator.connections_opened)} connections for ` +
  `${number(generator.users_started)} users, ${number(generator.reconnects)} reconnects, ` +
  `${number(generator.cut_requests)} requests cut at the end.`;

const targetLine = ({ target_process: target }: RunResult): string =>
  target === null
    ? 'The target could not be measured from here.'
    : `Target (process ${target.pid} and its children): ${number(target.cpu_seconds, 1)} CPU-seconds, ` +
      `${number(target.cpu_us_per_request)} CPU-µs per request, ${number(target.rss_mb_start)} MB at the start, ` +
      `${number(target.rss_mb_end)} MB at the end, ${number(target.rss_mb_max)} MB at most.`;

/** The validity certificate. */
export const validitySection: SectionMaker = (result) => {
  const judged = result.validity.map((each) => ({
    ...each,
    name: each.rule,
    said: each.measured === null ? '–' : number(each.measured, 2),
  }));
  const isValid = result.validity.every(({ verdict }) => verdict !== 'broken');
  return [
    {
      id: 'validity',
      title: 'Validity',
      parts: [
        isValid
          ? 'Generator and machine kept every rule that could be judged: what was measured is the target.'
          : 'At least one rule is broken: what was measured may be the generator or another process, not the target.',
        judgedTable('May the run be believed?', 'rule', judged),
        littleLine(result),
        generatorLine(result),
        targetLine(result),
      ],
    },
  ];
};
