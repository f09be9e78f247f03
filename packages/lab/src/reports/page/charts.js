/**
 * Draws one chart of a report in the reader's browser, with uPlot. A chart is data (`chart-list.js`); this file knows how they all look.
 * @module
 */

/** uPlot comes before this file in the page. */
const { uPlot } = globalThis;

const root = document.documentElement;
const colour = (name) => getComputedStyle(root).getPropertyValue(`--${name}`).trim();
const font = '12px system-ui, sans-serif';

/** Seconds as 95 s, 12:30 or 1:02:05. */
export const clock = (seconds) => {
  const whole = Math.round(seconds);
  if (whole < 120) return `${whole} s`;
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (value) => String(value).padStart(2, '0');
  return hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
};

/** A figure with three digits that matter. */
export const figure = (value) => {
  if (value === null || value === undefined || !Number.isFinite(value)) return '–';
  const size = Math.abs(value);
  const digits = size === 0 || size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3;
  return value.toLocaleString('en-US', { minimumFractionDigits: 0, maximumFractionDigits: digits });
};

/** Makes an element. Text is set as text, whatever it holds. */
export const element = (name, properties = {}, children = []) => {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
};

const withAlpha = (hex, alpha) =>
  hex +
  Math.round(alpha * 255)
    .toString(16)
    .padStart(2, '0');

/** Shades what lies before the steady window, and the outages with their names. */
const drawBands = (u, { bands, steadyFrom, hasNames }) => {
  const { ctx } = u;
  const { left, top, width, height } = u.bbox;
  const { devicePixelRatio: ratio } = globalThis;
  const at = (seconds) => Math.min(left + width, Math.max(left, u.valToPos(seconds, 'x', true)));
  ctx.save();
  if (steadyFrom !== null && at(steadyFrom) > left) {
    ctx.fillStyle = withAlpha(colour('muted'), 0.1);
    ctx.fillRect(left, top, at(steadyFrom) - left, height);
    ctx.fillStyle = withAlpha(colour('muted'), 0.55);
    ctx.fillRect(at(steadyFrom), top, ratio, height);
  }
  ctx.font = `${11 * ratio}px system-ui, sans-serif`;
  ctx.textBaseline = 'top';
  ctx.textAlign = 'left';
  bands.forEach(({ name, from, to }, index) => {
    const begin = at(from);
    const wide = Math.max(2 * ratio, at(to) - begin);
    if (at(to) <= left || begin >= left + width) return;
    ctx.fillStyle = withAlpha(colour('real'), 0.13);
    ctx.fillRect(begin, top, wide, height);
    ctx.fillStyle = colour('real');
    ctx.fillRect(begin, top, wide, 2 * ratio);
    const next = bands[index + 1] === undefined ? left + width : at(bands[index + 1].from);
    const room = Math.max(wide, hasNames ? next - begin : 0);
    if (ctx.measureText(name).width + 8 * ratio < room) ctx.fillText(name, begin + 4 * ratio, top + 5 * ratio);
  });
  ctx.restore();
};

/** Dashed lines at the limits of the criteria, where the scale reaches them. */
const drawLimits = (u, limits) => {
  const { ctx } = u;
  const { left, top, width, height } = u.bbox;
  const { devicePixelRatio: ratio } = globalThis;
  ctx.save();
  ctx.font = `${11 * ratio}px system-ui, sans-serif`;
  ctx.textBaseline = 'bottom';
  ctx.textAlign = 'right';
  ctx.setLineDash([2 * ratio, 4 * ratio]);
  for (const { name, value, tint } of limits) {
    const y = u.valToPos(value, 'y', true);
    if (!(y > top + 12 * ratio && y < top + height)) continue;
    ctx.strokeStyle = ctx.fillStyle = colour(tint);
    ctx.lineWidth = ratio;
    ctx.beginPath();
    ctx.moveTo(left, y);
    ctx.lineTo(left + width, y);
    ctx.stroke();
    ctx.fillText(`${name} at most ${figure(value)}`, left + width - 4 * ratio, y - ratio);
  }
  ctx.restore();
};

const axisOf = (scale, side, values, extra = {}) => ({
  scale,
  side,
  font,
  stroke: () => colour('muted'),
  grid: { show: side !== 1, stroke: () => colour('line'), width: 1 },
  ticks: { show: false },
  values,
  ...extra,
});

/** Places of values that stand alone between missing ones: no line leads to them. `null`: there are none. */
const isolated = (u, index) => {
  const values = u.data[index];
  const isThere = (at) => (values[at] ?? null) !== null;
  const isLine = u.series[index].spanGaps && values.filter((value) => value !== null).length > 1;
  const alone = isLine ? [] : [...values.keys()].filter((at) => isThere(at) && !isThere(at - 1) && !isThere(at + 1));
  return alone.length === 0 ? null : alone;
};

const seriesOf = ({ label, tint, isFilled, isOther, scale = 'y', isStep, isPointed }) => ({
  label,
  scale,
  stroke: () => (isOther ? withAlpha(colour(tint), 0.75) : colour(tint)),
  width: isOther ? 1.25 : 1.75,
  spanGaps: isPointed === true,
  points: { show: false, filter: isolated, size: 7, fill: () => colour(tint) },
  ...(isOther ? { dash: [6, 4] } : {}),
  ...(isFilled ? { fill: () => withAlpha(colour(tint), 0.8), width: 0 } : {}),
  ...(isStep ? { paths: uPlot.paths.stepped({ align: -1 }) } : {}),
});

/** Sums of a series and all below it, so that filled areas lie on each other. Hidden ones add nothing. */
const stacked = (columns, shown) => {
  const below = columns[0].map(() => 0);
  return columns.map((column, index) =>
    shown[index]
      ? column.map((value, at) => {
          below[at] += value ?? 0;
          return below[at];
        })
      : column.map(() => null),
  );
};

/** Distances of time marks, seconds: whole ones that a reader counts in. */
const timeSteps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 43_200, 86_400];
/** Marks of the percentile axis: p0, p50, p75, p90, p95, p99 and so on, one nine more each time. */
const nines = [1, 2, 4, 10, 20, 100, 1000, 1e4, 1e5, 1e6, 1e7];

/**
 * Draws a chart into an element.
 * @param place where
 * @param chart x, lines, whether they are stacked, how x is written, bands and limits
 * @param isLog whether its y axis is logarithmic
 * @param heard called when the cursor moves or x is scaled
 */
export const drawChart = (place, chart, { isLog, shown, height, heard }) => {
  const { x, lines, isStacked, isCurve, bands, limits } = chart;
  const columns = lines.map(({ values }) =>
    isLog ? values.map((value) => (value !== null && value > 0 ? value : null)) : values,
  );
  // Stacked areas are drawn from the top down, so that each covers what lies below it.
  const data = [x, ...(isStacked ? stacked(columns, shown).reverse() : columns)];
  const ordered = isStacked ? lines.toReversed() : lines;
  const visible = isStacked ? shown.toReversed() : shown;
  const hasRight = lines.some(({ scale }) => scale === 'right');
  const number = (_, splits) => splits.map((value) => (value === null ? '' : figure(value)));
  const range = (_, least, most) => [Math.min(0, least ?? 0), (most ?? 0) <= 0 ? 1 : most * 1.08];
  return new uPlot(
    {
      width: Math.max(200, place.clientWidth),
      height,
      padding: [10, hasRight ? 6 : 24, 0, 0],
      legend: { show: false },
      cursor: {
        y: false,
        focus: { prox: -1 },
        points: { size: 7, width: 2 },
        drag: { x: !isCurve, y: false },
        ...(isCurve ? {} : { sync: { key: 'seconds' } }),
      },
      scales: {
        x: isCurve ? { time: false, distr: 3, log: 10, range: [1, x.at(-1)] } : { time: false },
        y: isLog ? { distr: 3, log: 10 } : { range },
        ...(hasRight ? { right: { range } } : {}),
        // Whether something is there: without an axis, as high as the chart.
        ...(lines.some(({ scale }) => scale === 'flag') ? { flag: { range: [0, 1.06] } } : {}),
      },
      axes: [
        axisOf('x', 2, (_, splits) => splits.map((value) => (value === null ? '' : chart.writeX(value))), {
          size: 30,
          space: isCurve ? 40 : 70,
          ...(isCurve
            ? { splits: () => nines.filter((mark) => mark <= x.at(-1)), filter: (_, splits) => splits }
            : { incrs: timeSteps }),
        }),
        axisOf('y', 3, number, { size: 52 }),
        ...(hasRight ? [axisOf('right', 1, number, { size: 46 })] : []),
      ],
      series: [{}, ...ordered.map((line, index) => ({ ...seriesOf(line), show: visible[index] }))],
      hooks: {
        drawClear: [
          (u) => drawBands(u, { bands: bands ?? [], steadyFrom: chart.steadyFrom ?? null, hasNames: chart.isLarge }),
        ],
        draw: [(u) => drawLimits(u, limits ?? [])],
        setCursor: [(u) => heard.cursor(u)],
        setScale: [(u, key) => key === 'x' && heard.scale(u)],
      },
    },
    data,
    place,
  );
};
