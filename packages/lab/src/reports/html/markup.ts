/**
 * HTML in which nothing that a target said can become markup: whatever is put into it is escaped,
 * unless it is markup already.
 * @module
 */

import { printableJson, printableLines } from '../../texts/printable.ts';

/** Finished markup. */
export interface Markup {
  readonly markup: string;
}

type Content = Markup | string | number | null | undefined | readonly Content[];

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Text as it stands in HTML, between tags or in a quoted attribute. */
export const escaped = (text: string): string => text.replace(/[&<>"']/g, (letter) => entities[letter] ?? '');

const contentOf = (content: Content): string => {
  if (content === null || content === undefined) return '';
  if (typeof content === 'string') return escaped(printableLines(content, Number.POSITIVE_INFINITY));
  if (typeof content === 'number') return String(content);
  return 'markup' in content ? content.markup : content.map(contentOf).join('');
};

/** Builds markup: `` html`<td>${text}</td>` ``. */
export const html = (parts: TemplateStringsArray, ...contents: readonly Content[]): Markup => ({
  markup: parts.map((part, index) => part + contentOf(contents[index])).join(''),
});

/** Our own text, taken as markup: never foreign text. */
export const trusted = (markup: string): Markup => ({ markup });

/**
 * JSON for a data block: no text in it ends the block or opens a comment in it (HTML, section
 * 4.12.1.3).
 */
export const dataBlock = (id: string, data: unknown): Markup => ({
  markup: `<script type="application/json" id="${escaped(id)}">${printableJson(data).replace(/</g, '\\u003c')}</script>`,
});

/** A cell of a table; figures stand to the right. */
export type Cell = string | number | Markup;

/** A table that scrolls by itself where it is wider than the page. */
export const htmlTable = (
  caption: string,
  head: readonly string[],
  rows: readonly (readonly Cell[])[],
): Markup => html`<div class="scroll" tabindex="0" role="region" aria-label="${caption}"><table>
<caption>${caption}</caption>
<thead><tr>${head.map((name) => html`<th scope="col">${name}</th>`)}</tr></thead>
<tbody>${rows.map(
  (
    row,
  ) => html`<tr>${row.map((cell, index) => (index === 0 ? html`<th scope="row">${cell}</th>` : html`<td>${cell}</td>`))}</tr>
`,
)}</tbody></table></div>`;
