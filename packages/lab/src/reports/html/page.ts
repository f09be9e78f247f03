/**
 * The report as one HTML file: offline, with charts, and with another run laid over it or not.
 * Derived from results alone.
 * @module
 */

import type { RunResult } from '../../results/result.ts';
import { sectionsOf } from '../all-sections.ts';
import { runData, stepOf } from '../page/run-data.js';
import type { Section } from '../section.ts';
import { readAssets } from './assets.ts';
import { dataBlock, html, type Markup } from './markup.ts';
import { htmlSection } from './section.ts';
import { endingInFull, headerOf } from './verdict.ts';

/** Sections that the top of the page leads to, by what the link says. */
const linkNames: Readonly<Record<string, string>> = {
  bottleneck: 'Bottleneck',
  endpoints: 'Endpoints',
  errors: 'Errors',
  baseline: 'Baseline',
  connections: 'Connections',
  faults: 'Faults',
  consistency: 'Consistency',
  revocation: 'Revocation',
  validity: 'Validity',
};

const links = (sections: readonly Section[]): Markup => html`<nav aria-label="Sections">
${[
  ['criteria', 'Criteria'],
  ['time', 'Over time'],
  ['percentiles', 'Percentiles'],
  ...Object.entries(linkNames).filter(([id]) => sections.some((section) => section.id === id)),
].map(([id = '', name = '']) => html`<a href="#${id}">${name}</a>`)}
<span class="tools"><button type="button" id="theme">theme: auto</button>
<label class="button">compare with another run<input type="file" id="lay-over" accept=".json,application/json"></label></span></nav>
<p id="drop-said" role="status"></p>`;

const comparison = (): Markup => html`<section id="comparison" hidden><h2>Beside another run</h2>
<p>Other run, drawn in dashed lines: <b id="other-name"></b>. Under 5 % apart is called neither better nor worse; a single pair of runs proves no smaller difference than their own scatter.</p>
<div class="scroll" tabindex="0" role="region" aria-label="Ratios"><table><caption>Judged windows side by side</caption>
<thead><tr><th scope="col"></th><th scope="col">this run</th><th scope="col">other run</th><th scope="col">ratio</th><th scope="col">this run is</th></tr></thead>
<tbody id="ratios"></tbody></table></div></section>`;

const serverLine = ({ server }: RunResult): string => {
  if (server === null) return "The target's metrics were not asked.";
  if (server.not_measured !== null)
    return `The target's metrics were not measured: ${server.not_measured} (${server.url}).`;
  return `The target's own figures come from ${server.url}, asked every ${Number(server.every_s.toFixed(2))} s${server.missed === 0 ? '' : `; ${server.missed} times it did not answer`}.`;
};

/**
 * Writes the page.
 * @param other a run that is laid over the first
 */
export const htmlReport = (result: RunResult, other?: RunResult): string => {
  const { head, scripts } = readAssets();
  const step = Math.max(stepOf(result.seconds.length), stepOf(other?.seconds.length ?? 0));
  const data = { run: runData(result, step), other: other === undefined ? null : runData(other, step) };
  const { word } = endingInFull(result);
  const sections = sectionsOf(result);
  // The charts stand between the criteria and everything else.
  const isFirst = ({ id }: Section): boolean => id === 'criteria';
  return `<!doctype html>\n${
    html`<html lang="en">
<head><meta charset="utf-8">${head}
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark"><meta name="referrer" content="no-referrer">
<title>${word}: ${result.scenario}, ${result.options.users} users</title></head>
<body>
<a class="skip" href="#criteria">Skip to the criteria</a>
<main>
${headerOf(result)}
${links(sections)}
${comparison()}
${sections.filter(isFirst).map(htmlSection)}
<section id="time"><h2>Over time <button type="button" id="reset" hidden>whole run</button></h2>
<p class="note">Drag over a chart to zoom, double-click to see all; by keyboard: arrows, Home, End, + and −, Esc, and l for a logarithmic axis. Grey: before the steady window. Red: something was broken. <span id="missing"></span> ${serverLine(result)}</p>
<noscript><p>The charts need JavaScript; everything else does not.</p></noscript>
<div id="charts"></div></section>
<section id="percentiles"><h2>Percentiles</h2><div id="curve"></div></section>
${sections.filter((section) => !isFirst(section)).map(htmlSection)}
<footer><p>Written by catalytic-lab ${result.lab_version} from the result of ${result.started_at}. This page loads nothing from elsewhere; the figures are in the JSON file beside it.</p></footer>
</main>
<p id="said" class="hidden" role="status" aria-live="polite"></p>
${dataBlock('run-data', data)}
${scripts}
</body></html>
`.markup
  }`;
};
