/**
 * A page as JSON. Guards with equal cursors share the text of its entries.
 * @module
 */
import type { PlacedEntry } from '@catalytic/guard/journal-source';
import type { Page, PageEntry } from '@catalytic/protocol/guards';

/** What every page says. */
export type PageFacts = Pick<Page, 'now' | 'keep_ms' | 'keys'>;

const entryOf = (entry: PlacedEntry): PageEntry => ({
  kind: entry.kind,
  key: entry.key,
  ...('epoch' in entry ? { epoch: entry.epoch } : {}),
  ...('keepsSessions' in entry && entry.keepsSessions === true ? { keeps_sessions: true } : {}),
  keep_until: entry.keepUntilMs,
});

const texts = new WeakMap<readonly PlacedEntry[], string>();

const textOf = (entries: readonly PlacedEntry[]): string => {
  let text = texts.get(entries);
  if (text === undefined) {
    text = JSON.stringify(entries.map(entryOf));
    texts.set(entries, text);
  }
  return text;
};

/** Writes a page. */
export const pageText = ({
  entries,
  ...head
}: Omit<Page, 'entries'> & { readonly entries: readonly PlacedEntry[] }): string =>
  `${JSON.stringify(head).slice(0, -1)},"entries":${textOf(entries)}}`;
