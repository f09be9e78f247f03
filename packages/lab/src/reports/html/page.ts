/**
 * The report as one HTML file: offline, with charts, and with another run laid over it or not. Derived from results alone.
 * @module
 */
import { furtherTables } from '../further-tables.ts';
import { runData, stepOf } from '../page/run-data.js';
import type { RunResult } from '../result.ts';
import { readAssets } from './assets.ts';
import { bottleneckOf, scoreCardOf } from './bottleneck.ts';
import { criteriaOf, validityOf } from './judgements.ts';
import { dataBlock, html, htmlTable, type Markup } from './markup.ts';
import { endpointsOf, errorsOf, faultsOf } from './requests.ts';
import { revocationOf } from './revocation.ts';
import { endingInFull, headerOf } from './verdict.ts';

const links = (result: RunResult): Markup => html`<nav aria-label="Sections">
${[
  ['criteria', 'Criteria'],
  ['time', 'Over time'],
  ['percentiles', 'Percentiles'],
  ['bottleneck', 'Bottleneck'],
  ['endpoints', 'Endpoints'],
  ['errors', 'Errors'],
  ...(furtherTables(result).length === 0 ? [] : [['further', 'Connections and more']]),
  ...(result.faults.length === 0 ? [] : [['faults', 'Faults']]),
  ['revocation', 'Revocation'],
  ['validity', 'Validity'],
].map(([id = '', name = '']) => html`<a href="#${id}">${name}</a>`)}
<span class="tools"><button type="button" id="theme">theme: auto</button>
<label class="button">compare with another run<input type="file" id="lay-over" accept=".json,application/json"></label></span></nav>
<p id="drop-said" role="status"></p>`;

const furtherOf = (result: RunResult): Markup | null => {
  const tables = furtherTables(result);
  return tables.length === 0
    ? null
    : html`<section id="further"><h2>Connections, stages, checks</h2>
${tables.map(({ title, head, rows }) => htmlTable(title, head, rows))}</section>`;
};

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
  return `<!doctype html>\n${
    html`<html lang="en">
<head><meta charset="utf-8">${head}
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark"><meta name="referrer" content="no-referrer">
<title>${word}: ${result.scenario}, ${result.options.users} users</title></head>
<body>
<a class="skip" href="#criteria">Skip to the criteria</a>
<main>
${headerOf(result)}
${links(result)}
${comparison()}
${criteriaOf(result)}
<section id="time"><h2>Over time <button type="button" id="reset" hidden>whole run</button></h2>
<p class="note">Drag over a chart to zoom, double-click to see all; by keyboard: arrows, Home, End, + and −, Esc, and l for a logarithmic axis. Grey: before the steady window. Red: something was broken. <span id="missing"></span> ${serverLine(result)}</p>
<noscript><p>The charts need JavaScript; everything else does not.</p></noscript>
<div id="charts"></div></section>
<section id="percentiles"><h2>Percentiles</h2><div id="curve"></div></section>
${bottleneckOf(result)}
${endpointsOf(result)}
${errorsOf(result)}
${furtherOf(result)}
${faultsOf(result)}
${revocationOf(result)}
${validityOf(result)}
${scoreCardOf(result)}
<footer><p>Written by catalytic-lab ${result.lab_version} from the result of ${result.started_at}. This page asks nobody for anything; the figures are in the JSON file beside it.</p></footer>
</main>
<p id="said" class="hidden" role="status" aria-live="polite"></p>
${dataBlock('run-data', data)}
${scripts}
</body></html>
`.markup
  }`;
};
