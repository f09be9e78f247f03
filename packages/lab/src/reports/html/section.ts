/**
 * Sections of a report as HTML.
 * @module
 */
import type { Cell, Part, Section, Tone } from '../section.ts';
import { html, htmlTable, type Markup } from './markup.ts';

/** A bar; a full one is 1. Without style attributes, which the policy of the page refuses. */
const bar = (share: number, tone: Tone): Markup => {
  const filled = Math.min(100, Math.max(0, share * 100)).toFixed(1);
  return html`<svg class="bar ${tone}" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true"><rect class="all" width="100" height="8"/><rect class="part" width="${filled}" height="8"/></svg>`;
};

const cellOf = (cell: Cell): string | Markup => {
  if (typeof cell === 'string') return cell;
  const { text, tone, isPill, isStrong, share } = cell;
  if (share !== undefined) return html`${text === '' ? '' : `${text} `}${bar(share, tone ?? 'plain')}`;
  if (isPill === true) return html`<span class="pill ${tone ?? 'plain'}">${text}</span>`;
  return isStrong === true || tone === 'bad' ? html`<strong class="${tone ?? ''}">${text}</strong>` : text;
};

/** Code in a paragraph stands between backticks. */
const paragraph = (text: string): Markup =>
  html`<p>${text.split('`').map((piece, index) => (index % 2 === 1 ? html`<code>${piece}</code>` : piece))}</p>`;

const partOf = (part: Part, heading: string): Markup => {
  if (typeof part === 'string') return paragraph(part);
  switch (part.kind) {
    case 'table':
      return htmlTable(
        part.title === '' ? heading : part.title,
        part.head,
        part.rows.map((row) => row.map(cellOf)),
      );
    case 'drawing':
      return html`<pre>${part.text}</pre>`;
    case 'subsection': {
      const inner = part.parts.map((each) => partOf(each, part.title));
      return part.isFolded === true
        ? html`<details><summary>${part.title}</summary>${inner}</details>`
        : html`<h3>${part.title}</h3>${inner}`;
    }
  }
};

/** Writes a section under a heading of the second level. */
export const htmlSection = ({ id, title, parts }: Section): Markup => html`<section id="${id}"><h2>${title}</h2>
${parts.map(
  (part) => html`${partOf(part, title)}
`,
)}</section>`;
