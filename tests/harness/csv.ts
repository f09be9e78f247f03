/**
 * Reads CSV as a tool for Locust's files reads it.
 * @module
 */

/** Rows of cells (RFC 4180). */
const rowsOf = (text: string): readonly (readonly string[])[] => {
  const rows: string[][] = [];
  let row: string[] = [];
  for (const [, quoted, plain = '', end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/g)) {
    row.push(quoted?.replaceAll('""', '"') ?? plain);
    if (end === ',') continue;
    rows.push(row);
    row = [];
  }
  return rows;
};

/**
 * Rows by the names of their columns.
 * @throws {Error} when a row has more or fewer cells than the head
 */
export const readCsv = (text: string): readonly Readonly<Record<string, string>>[] => {
  const [head = [], ...rows] = rowsOf(text);
  return rows.map((row) => {
    if (row.length !== head.length) throw new Error(`A row of ${row.length} cells under ${head.length} columns`);
    return Object.fromEntries(head.map((column, index) => [column, row[index] ?? '']));
  });
};
