/**
 * Reads links and headings out of Markdown.
 * @module
 */

/** A link as written. */
export interface Link {
  readonly target: string;
  readonly line: number;
}

/** Blanks fenced blocks and code spans, keeping the lines. */
const withoutCode = (markdown: string): string[] => {
  let fence: string | undefined;
  return markdown.split('\n').map((line) => {
    const mark = /^\s*(`{3,}|~{3,})/.exec(line)?.[1];
    if (fence !== undefined) {
      if (mark?.startsWith(fence) === true && line.trim() === mark) fence = undefined;
      return '';
    }
    if (mark !== undefined) {
      fence = mark;
      return '';
    }
    return line.replace(/(`+)(?!`).*?[^`]\1(?!`)/g, '');
  });
};

/** Links, images and link definitions; not what stands in code. */
export const linksOf = (markdown: string): Link[] =>
  withoutCode(markdown).flatMap((line, index) =>
    [
      ...line.matchAll(/\]\(\s*<?([^)\s>]+)>?(?:\s+["'(][^)]*)?\)/g),
      ...line.matchAll(/^\s{0,3}\[[^\]]+\]:\s*<?([^\s>]+)/g),
      ...line.matchAll(/<(?:a|img)\b[^>]*?\b(?:href|src)="([^"]+)"/g),
    ].map(([, target = '']) => ({ target, line: index + 1 })),
  );

/** Anchors that headings get on common hosts (GitHub's rule), and explicit `id`s. */
export const anchorsOf = (markdown: string): Set<string> => {
  const anchors = new Set<string>();
  const add = (anchor: string): void => {
    let free = anchor;
    for (let count = 1; anchors.has(free); count++) free = `${anchor}-${count}`;
    anchors.add(free);
  };
  const originals = markdown.split('\n');
  withoutCode(markdown).forEach((line, index) => {
    for (const [, id = ''] of line.matchAll(/<[a-z]+\b[^>]*?\b(?:id|name)="([^"]+)"/g)) anchors.add(id);
    if (!/^#{1,6}\s/.test(line)) return;
    // Code in a heading is part of its anchor, so the original line is read.
    const title = (originals[index] ?? '').replace(/^#+\s+|\s+#*\s*$/g, '').replace(/\[([^\]]*)\]\([^)]*\)/g, '$1');
    add(
      title
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\p{M}\s_-]/gu, '')
        .replace(/\s/g, '-'),
    );
  });
  return anchors;
};
