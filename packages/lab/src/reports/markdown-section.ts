/**
 * Sections of a report as Markdown.
 * @module
 */
import type { Cell, Part, Section, Table } from './section.ts';
import { table } from './tables.ts';

const textOf = (cell: Cell | undefined): string => {
  if (cell === undefined || typeof cell === 'string') return cell ?? '';
  return cell.isStrong === true ? `**${cell.text}**` : cell.text;
};

const isBar = (cell: Cell | undefined): boolean =>
  typeof cell === 'object' && cell.share !== undefined && cell.text === '';

/** Columns that say something in text. A bar says nothing that the other columns do not. */
const shownColumns = ({ head, rows }: Table): readonly number[] =>
  head.flatMap((_, column) => (rows.some((row) => isBar(row[column])) ? [] : [column]));

const tableText = (part: Table): string => {
  const columns = shownColumns(part);
  const text = table(
    columns.map((column) => part.head[column] ?? ''),
    part.rows.map((row) => columns.map((column) => textOf(row[column]))),
  );
  return part.title === '' ? text : `${part.title}:\n\n${text}`;
};

const partText = (part: Part): string => {
  if (typeof part === 'string') return part;
  switch (part.kind) {
    case 'table':
      return tableText(part);
    case 'drawing':
      return `\`\`\`\n${part.text}\n\`\`\``;
    case 'subsection':
      return `### ${part.title}\n\n${partsText(part.parts)}`;
  }
};

const partsText = (parts: readonly Part[]): string => parts.map(partText).join('\n\n');

/** Writes a section under a heading of the second level. */
export const markdownSection = ({ title, parts }: Section): string => `## ${title}\n\n${partsText(parts)}\n`;
