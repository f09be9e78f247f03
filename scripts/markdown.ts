/**
 * Reads links, headings and blocks of code out of Markdown.
 * @module
 */

/** A link as written. */
export interface Link {
  readonly target: string;
  readonly line: number;
}

/** A fenced block of code. */
export interface FencedBlock {
  /** What follows the fence, such as `sh`. */
  readonly language: string;
  readonly text: string;
  /** Line of the fence, counted from 1. */
  readonly line: number;
  /** The HTML comment in the line above the fence, without its marks. */
  readonly remark: string | undefined;
}

/** The fenced blocks of a document, in order; one that is indented loses as many spaces as its fence has. */
export const fencedBlocksOf = (markdown: string): FencedBlock[] => {
  const lines = markdown.split('\n');
  const blocks: FencedBlock[] = [];
  for (let index = 0; index < lines.length; index++) {
    const [, indent = '', fence, language = ''] = /^(\s*)(`{3,}|~{3,})\s*(\S*)/.exec(lines[index] ?? '') ?? [];
    if (fence === undefined) continue;
    const end = lines.findIndex((line, at) => at > index && line.trim() === fence);
    const inside = lines.slice(index + 1, end === -1 ? lines.length : end);
    blocks.push({
      language,
      text: inside.map((line) => `${line.startsWith(indent) ? line.slice(indent.length) : line}\n`).join(''),
      line: index + 1,
      remark: /^\s*<!-- (.*) -->\s*$/.exec(lines[index - 1] ?? '')?.[1],
    });
    index += inside.length + 1;
  }
  return blocks;
};

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

/** Links, images and link definitions, without those in code. */
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
