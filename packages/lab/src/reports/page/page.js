/**
 * Brings a report to life in the reader's browser: charts with a common cursor and zoom, keys, themes, print, and another run laid over it.
 * @module
 */
import { chartList, chartOf, curveOf, percentileAt } from './chart-list.js';
import { clock, drawChart, element, figure } from './charts.js';
import { ratiosOf, runData } from './run-data.js';

const embedded = JSON.parse(document.getElementById('run-data').textContent);
const run = embedded.run;
let other = embedded.other;
/** Charts that are drawn, by id. */
let drawn = new Map();
/** Whether each chart is logarithmic and which of its lines are shown, by its id: kept when it is drawn anew. */
const kept = new Map();
const byId = (id) => document.getElementById(id);

const heightOf = ({ isLarge }) => (isLarge && innerWidth > 700 ? 300 : 210);
const timeCharts = () => [...drawn.values()].filter(({ chart }) => !chart.isCurve);

/** Latencies that span orders of magnitude are read on a logarithmic axis, others not. */
const isBestLog = ({ hasLog, lines }) => {
  if (!hasLog) return false;
  const values = lines.flatMap(({ values: all }) => all.filter((value) => value !== null && value > 0));
  const sorted = values.toSorted((a, b) => a - b);
  return sorted.length > 0 && sorted.at(-1) > 20 * sorted[Math.floor(sorted.length / 2)];
};

const bandAt = (seconds) =>
  run.bands.filter(({ from, to }) => seconds >= from && seconds <= to).map(({ name }) => name);

const writeX = (chart, index) =>
  chart.isCurve
    ? percentileAt(chart.x[index])
    : [
        clock(chart.x[index]),
        ...bandAt(chart.x[index]),
        ...(chart.x[index] <= (run.steadyFrom ?? 0) ? ['warming up'] : []),
      ].join(' · ');

/** Values at the cursor: in the legend of every chart, in the tooltip of the one that is pointed at. */
const showValues = (entry, u) => {
  const { chart, values, tip } = entry;
  const { idx, left } = u.cursor;
  const isOn = idx !== null && idx !== undefined && left >= 0;
  chart.lines.forEach(({ values: column }, index) => {
    values[index].textContent = isOn ? figure(column[idx]) : '';
  });
  const isPointed = isOn && (entry.box.matches(':hover') || entry.box === document.activeElement);
  tip.hidden = !isPointed;
  if (!isPointed) return;
  tip.replaceChildren(
    element('strong', { textContent: writeX(chart, idx) }),
    ...chart.lines.flatMap(({ label, values: column, tint }, index) =>
      entry.shown[index]
        ? [
            element('span', { className: `tint-${tint}` }),
            element('span', { textContent: label }),
            element('b', { textContent: figure(column[idx]) }),
          ]
        : [],
    ),
  );
  const isRight = left > u.over.clientWidth / 2;
  tip.style.left = `${u.over.offsetLeft + (isRight ? left - tip.offsetWidth - 14 : left + 14)}px`;
};

let isScaling = false;
/** What one chart shows of the time, all show. */
const followScale = (u) => {
  if (isScaling) return;
  const { min, max } = u.scales.x;
  isScaling = true;
  for (const { plot } of timeCharts()) if (plot !== undefined && plot !== u) plot.setScale('x', { min, max });
  isScaling = false;
  const [all] = timeCharts();
  byId('reset').hidden = all === undefined || (min <= all.chart.x[0] && max >= all.chart.x.at(-1));
};

const render = (entry) => {
  const { chart, box } = entry;
  const scale = entry.plot?.scales.x;
  entry.plot?.destroy();
  entry.shown = kept.get(chart.id).shown;
  const heard = {
    cursor: (u) => showValues(entry, u),
    // uPlot scales once while it is made; the others are not asked to follow that.
    scale: (u) => entry.plot === u && !chart.isCurve && followScale(u),
  };
  entry.plot = drawChart(entry.place, chart, {
    isLog: kept.get(chart.id).isLog,
    shown: entry.shown,
    height: heightOf(chart),
    heard,
  });
  if (scale?.min !== undefined && !chart.isCurve) entry.plot.setScale('x', { min: scale.min, max: scale.max });
  entry.plot.over.append(entry.tip);
  box.dataset['drawn'] = 'true';
};

const moveCursor = (entry, step) => {
  const { x, isCurve } = entry.chart;
  const now = entry.plot.cursor.idx ?? (step < 0 ? x.length : -1);
  const index = Math.min(x.length - 1, Math.max(0, now + step));
  for (const { plot } of isCurve ? [entry] : timeCharts())
    plot.setCursor({ left: plot.valToPos(x[index], 'x'), top: plot.over.clientHeight / 2 }, true);
  byId('said').textContent = `${writeX(entry.chart, index)}: ${entry.chart.lines
    .map(({ label, values }) => `${label} ${figure(values[index])}`)
    .join(', ')}`;
};

const zoom = (entry, factor) => {
  if (entry.chart.isCurve) return;
  const { plot, chart } = entry;
  const { min, max } = plot.scales.x;
  const middle = chart.x[plot.cursor.idx ?? Math.floor(chart.x.length / 2)];
  const half = ((max - min) / 2) * factor;
  plot.setScale('x', { min: Math.max(chart.x[0], middle - half), max: Math.min(chart.x.at(-1), middle + half) });
};

const resetZoom = () => {
  const [first] = timeCharts();
  if (first === undefined) return;
  const [min, max] = [first.chart.x[0], first.chart.x.at(-1)];
  // A single point lies in the middle: a scale without a length shows nothing.
  first.plot.setScale('x', min === max ? { min: min - 1, max: max + 1 } : { min, max });
};

const toggleLog = (entry) => {
  const state = kept.get(entry.chart.id);
  state.isLog = !state.isLog;
  entry.logButton.setAttribute('aria-pressed', String(state.isLog));
  render(entry);
};

const keys = {
  ArrowLeft: (entry, event) => moveCursor(entry, event.shiftKey ? -10 : -1),
  ArrowRight: (entry, event) => moveCursor(entry, event.shiftKey ? 10 : 1),
  Home: (entry) => moveCursor(entry, -1e9),
  End: (entry) => moveCursor(entry, 1e9),
  '+': (entry) => zoom(entry, 0.5),
  '-': (entry) => zoom(entry, 2),
  Escape: resetZoom,
  l: (entry) => entry.logButton && toggleLog(entry),
};

const legendItem = (entry, line, index, shown) => {
  const value = element('output');
  entry.values.push(value);
  const button = element(
    'button',
    { type: 'button', className: `key tint-${line.tint}${line.isOther ? ' other' : ''}` },
    [element('span', { textContent: line.label }), value],
  );
  button.setAttribute('aria-pressed', String(shown[index]));
  button.addEventListener('click', () => {
    shown[index] = !shown[index];
    button.setAttribute('aria-pressed', String(shown[index]));
    render(entry);
  });
  return button;
};

const build = (chart) => {
  const before = kept.get(chart.id);
  const isSame = before?.shown.length === chart.lines.length;
  kept.set(chart.id, {
    isLog: before?.isLog ?? isBestLog(chart),
    shown: isSame ? before.shown : chart.lines.map(() => true),
  });
  const { isLog, shown } = kept.get(chart.id);
  const place = element('div', { className: 'plot' });
  const entry = { chart, place, values: [], tip: element('div', { className: 'tip', hidden: true }) };
  const logButton = element('button', {
    type: 'button',
    className: 'small',
    textContent: 'log',
    title: 'logarithmic axis (key: l)',
  });
  logButton.setAttribute('aria-pressed', String(isLog));
  logButton.addEventListener('click', () => toggleLog(entry));
  if (chart.hasLog) entry.logButton = logButton;
  const legend = element('div', { className: 'legend' });
  entry.box = element(
    'figure',
    { className: chart.isLarge ? 'chart large' : 'chart', id: `chart-${chart.id}`, tabIndex: 0 },
    [
      element('figcaption', {}, [
        element('h3', { textContent: chart.title }),
        element('span', { textContent: chart.unit }),
        ...(chart.hasLog ? [logButton] : []),
      ]),
      place,
      legend,
    ],
  );
  legend.append(...chart.lines.map((line, index) => legendItem(entry, line, index, shown)));
  entry.box.setAttribute('role', 'group');
  entry.box.setAttribute('aria-label', `${chart.title}, chart. Arrow keys move the cursor, plus and minus zoom.`);
  entry.box.addEventListener('keydown', (event) => {
    const act =
      event.target === entry.box && !event.ctrlKey && !event.metaKey && !event.altKey ? keys[event.key] : undefined;
    if (act === undefined) return;
    event.preventDefault();
    act(entry, event);
  });
  return entry;
};

const drawAll = () => {
  for (const { plot } of drawn.values()) plot?.destroy();
  const charts = chartList.map((entry) => ({ ...entry, chart: chartOf(entry, run, other) }));
  const found = charts.flatMap(({ chart }) => (chart === undefined ? [] : [{ ...chart, writeX: clock }]));
  const curve = curveOf(run, other);
  drawn = new Map(found.map((chart) => [chart.id, build(chart)]));
  if (curve !== undefined) drawn.set('curve', build({ ...curve, writeX: percentileAt }));
  byId('charts').replaceChildren(...timeCharts().map(({ box }) => box));
  byId('curve').replaceChildren(
    ...(drawn.has('curve') ? [drawn.get('curve').box] : [element('p', { textContent: 'Too few requests.' })]),
  );
  const missing = charts.filter(({ chart }) => chart === undefined).map(({ title }) => title);
  byId('missing').textContent = missing.length === 0 ? '' : `Not measured in this run: ${missing.join(', ')}.`;
  for (const entry of drawn.values()) render(entry);
  resetZoom();
};

const showRatios = () => {
  byId('comparison').hidden = other === null;
  if (other === null) return;
  byId('other-name').textContent = other.name;
  byId('ratios').replaceChildren(
    ...ratiosOf(run.figures, other.figures).map(({ name, value, other: theirs, ratio, trend }) =>
      element('tr', {}, [
        element('th', { scope: 'row', textContent: name }),
        element('td', { textContent: figure(value) }),
        element('td', { textContent: figure(theirs) }),
        element('td', { textContent: ratio === null ? '–' : `× ${ratio.toFixed(2)}` }),
        element('td', { className: `trend ${trend}`, textContent: trend === 'even' ? '' : trend }),
      ]),
    ),
  );
};

const say = (text) => {
  byId('drop-said').textContent = text;
};

/** Lays the result in a file over this one. */
const layOver = async (file) => {
  try {
    const result = JSON.parse(await file.text());
    if (result?.format !== 'catalytic-lab/1') return say(`${file.name} is no result of the lab: choose a PREFIX.json`);
    other = runData(result, run.step);
    say(`${file.name} is laid over this run, in dashed lines.`);
    showRatios();
    drawAll();
  } catch (error) {
    say(`${file.name} cannot be read: ${error.message}`);
  }
};

const redraw = () => {
  for (const { plot } of drawn.values()) plot.redraw(false);
};

const themes = ['auto', 'light', 'dark'];
const setTheme = (theme) => {
  if (theme === 'auto') delete document.documentElement.dataset['theme'];
  else document.documentElement.dataset['theme'] = theme;
  byId('theme').textContent = `theme: ${theme}`;
  redraw();
};

const fit = () => {
  for (const { plot, place, chart } of drawn.values())
    plot.setSize({ width: Math.max(200, place.clientWidth), height: heightOf(chart) });
};

let theme = 'auto';
byId('theme').addEventListener('click', () => {
  theme = themes[(themes.indexOf(theme) + 1) % themes.length];
  setTheme(theme);
});
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', redraw);
byId('reset').addEventListener('click', resetZoom);
byId('lay-over').addEventListener('change', (event) => {
  const [file] = event.target.files;
  if (file !== undefined) void layOver(file);
});
addEventListener('dragover', (event) => event.preventDefault());
addEventListener('drop', (event) => {
  event.preventDefault();
  const [file] = event.dataTransfer.files;
  if (file !== undefined) void layOver(file);
});
new ResizeObserver(fit).observe(byId('charts'));
matchMedia('print').addEventListener('change', () => {
  fit();
  redraw();
});
addEventListener('beforeprint', () => setTheme('light'));
addEventListener('afterprint', () => setTheme(theme));

drawAll();
showRatios();
