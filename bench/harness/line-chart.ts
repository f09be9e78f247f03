/**
 * A chart of one series as SVG: a picture for a report that loads nothing.
 * @module
 */
import { round } from './figures.ts';

/** A series to draw. */
export interface Chart {
  readonly title: string;
  readonly points: readonly (readonly [at: number, value: number])[];
  /** Of the axis to the right. @default minutes */
  readonly unit?: string;
  /** Drawn over the points, from the end of the warm-up on. */
  readonly line: { readonly slope: number; readonly atZero: number; readonly from: number } | undefined;
}

const width = 720;
const height = 180;
const margin = { left: 60, right: 16, top: 28, bottom: 28 };

const drawOne = ({ title, points, line, unit = 'min' }: Chart, top: number): string => {
  const toEnd = Math.max(...points.map(([at]) => at), 1e-9);
  const most = Math.max(...points.map(([, value]) => value), 1e-9) * 1.1;
  const x = (at: number): number => round(margin.left + (at / toEnd) * (width - margin.left - margin.right), 1);
  const y = (value: number): number =>
    round(top + height - margin.bottom - (value / most) * (height - margin.top - margin.bottom), 1);
  const label = (value: number): string =>
    `<text x="${margin.left - 6}" y="${y(value) + 4}" text-anchor="end">${round(value, 1)}</text>`;
  const path = points.map(([at, value], index) => `${index === 0 ? 'M' : 'L'}${x(at)} ${y(value)}`).join('');
  const fitted = (at: number): number => (line === undefined ? 0 : line.atZero + line.slope * at);
  return [
    `<text x="${margin.left}" y="${top + 18}" font-weight="bold">${title}</text>`,
    `<path d="M${margin.left} ${y(0)}H${width - margin.right}M${margin.left} ${y(0)}V${top + margin.top}" stroke="#999" fill="none"/>`,
    label(0),
    label(most / 1.1),
    `<text x="${width - margin.right}" y="${y(0) + 18}" text-anchor="end">${round(toEnd, 1)} ${unit}</text>`,
    `<path d="${path}" stroke="#2563eb" stroke-width="1.5" fill="none"/>`,
    line === undefined
      ? ''
      : `<path d="M${x(line.from)} ${y(fitted(line.from))}L${x(toEnd)} ${y(fitted(toEnd))}" stroke="#dc2626" stroke-dasharray="6 4" fill="none"/>`,
  ].join('\n');
};

/** Draws charts below each other. Titles are ours: nothing in them is escaped. */
export const drawCharts = (charts: readonly Chart[]): string =>
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height * charts.length}" font-family="sans-serif" font-size="12">
<rect width="100%" height="100%" fill="#fff"/>
${charts.map((chart, index) => drawOne(chart, index * height)).join('\n')}
</svg>
`;
