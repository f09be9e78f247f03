/**
 * The top of the report: the verdict, the run, and the figures that readers look for first.
 * @module
 */

import { exitCodes, type RunResult } from '../../results/result.ts';
import { asideOf } from '../ending.ts';
import { judgedWindow } from '../judged-window.ts';
import { ms, number, percent } from '../tables.ts';
import { brokenRuleOf, failedOf, notJudgedOf } from '../verdict-texts.ts';
import { html, type Markup } from './markup.ts';

interface Ending {
  readonly word: string;
  readonly tone: 'good' | 'bad' | 'doubt';
  readonly mark: string;
  readonly meaning: string;
}

const brokenOf = ({ validity }: RunResult): string =>
  validity
    .filter(({ verdict }) => verdict === 'broken')
    .map(brokenRuleOf)
    .join('; ');

/** How a run ended, for its headline. */
export const endingInFull = (result: RunResult): Ending => {
  switch (result.exit_code) {
    case exitCodes.passed:
      return {
        word: 'Passed',
        tone: 'good',
        mark: '✔',
        // Results of before pass with criteria that could not be judged.
        meaning: `Every criterion ${result.verdicts.every(({ verdict }) => verdict === 'passed') ? 'was judged and' : 'that could be judged was'} kept, and the measurement may be believed.`,
      };
    case exitCodes.notJudged:
      return {
        word: 'Not judged',
        tone: 'doubt',
        mark: '?',
        meaning: `No criterion failed, and not every one could be judged: ${notJudgedOf(result)}.`,
      };
    case exitCodes.violated:
      return {
        word: 'Consistency violated',
        tone: 'bad',
        mark: '✘',
        meaning: `A revoked token was accepted ${number(result.consistency.violations)} times after its revocation had been promised.`,
      };
    case exitCodes.unreachable:
      return { word: 'Unreachable', tone: 'doubt', mark: '?', meaning: 'The target answered not one request.' };
    case exitCodes.invalid:
      return {
        word: 'Invalid',
        tone: 'doubt',
        mark: '?',
        meaning: `Do not believe this measurement: ${brokenOf(result)}.`,
      };
    default:
      return { word: 'A criterion failed', tone: 'bad', mark: '✘', meaning: `${failedOf(result)}.` };
  }
};

const tile = (name: string, value: string, note = '', tone = ''): Markup =>
  html`<div class="tile ${tone}"><dt>${name}</dt><dd>${value}<small>${note}</small></dd></div>`;

const tiles = (result: RunResult): Markup => {
  const { total } = judgedWindow(result);
  const at = total.percentiles_ms;
  const { violations, dead_checks, revoked_tokens } = result.consistency;
  return html`<dl class="tiles">
${tile('requests', number(total.requests), `${number(total.requests_per_second, 1)} a second`)}
${tile('p50', `${ms(at['50'])} ms`)}
${tile('p95', `${ms(at['95'])} ms`)}
${tile('p99', `${ms(at['99'])} ms`, `slowest ${ms(total.max_ms)} ms`)}
${tile('real failures', percent(total.real, total.requests), number(total.real), total.real > 0 ? 'bad' : '')}
${tile('expected refusals', percent(total.expected, total.requests), number(total.expected))}
${tile('violations', number(violations), `${number(dead_checks)} checks of ${number(revoked_tokens)} dead tokens`, violations > 0 ? 'bad' : 'good')}
</dl>`;
};

const facts = (result: RunResult): readonly (readonly [string, string])[] => {
  const { options, machine, accounts, target_process: target } = result;
  const weights = Object.entries(options.weights).map(([task, weight]) => `${task} ${weight}`);
  return [
    ['scenario', `${result.scenario}${weights.length > 1 ? ` (${weights.join(', ')})` : ''}`],
    [
      'load',
      options.logouts_per_second === null
        ? `${number(options.users)} users, ${options.spawn_rate} started a second, waiting ${options.wait_s.join(' to ')} s`
        : `${options.logouts_per_second} logouts a second whatever the answers do, over at most ${number(options.users)} connections`,
    ],
    ['duration', `${number(options.duration_s)} s, ${result.ended}`],
    ['target', `${result.target}${target === null ? '' : `, process ${target.pid}`}`],
    ['started', result.started_at.replace('T', ' ').replace(/\.\d+Z$/, ' UTC')],
    ['seed', `${options.seed}, schedule ${result.schedule_fingerprint}`],
    ['accounts', `${accounts.kind}${accounts.reason === undefined ? '' : `: ${accounts.reason}`}`],
    [
      target === null ? 'machine of the generator' : 'machine of generator and target',
      `${machine.cores} cores of ${machine.cpu}, ${machine.memory_gib} GiB, ${machine.platform}`,
    ],
    ['versions', `lab ${result.lab_version}, Node ${machine.node}`],
  ];
};

/** The header. */
export const headerOf = (result: RunResult): Markup => {
  const { word, tone, mark, meaning } = endingInFull(result);
  const { options } = result;
  return html`<header>
<p class="kind">Load test</p>
<h1>${result.scenario}<span>${number(options.users)} users · ${number(options.duration_s)} s</span></h1>
<p class="ending ${tone}"><b><i aria-hidden="true">${mark}</i> ${word}${asideOf(result.ended)}</b> ${meaning}</p>
<p class="window">Figures of the ${result.judged === 'steady' ? `steady window, from ${number(judgedWindow(result).from_s)} s on, when every user had logged in once` : 'whole run'}.</p>
${tiles(result)}
<details open><summary>What was run</summary><dl class="facts">${facts(result).map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl></details>
</header>`;
};
