/**
 * The shell blocks of the README and the guides, which a test runs as a reader would paste them. An HTML comment in the line above a block
 * says what is special about it:
 *
 * - `<!-- shell: serves -->`: it runs until it is stopped, and the blocks below it need it
 * - `<!-- shell: with Catalytic stopped -->`: the reader stops the service first; no block below it needs the service
 * - `<!-- shell: not run, REASON -->`: a test cannot run it, for one of {@link reasonsNotToRun}
 * - `<!-- file: NAME -->` above a block of another language: the reader saves it under that name
 * @module
 */
import type { Finding } from './findings.ts';
import { fencedBlocksOf } from './markdown.ts';

/** Why a block may be left out. A reason that is not here is no reason. */
export const reasonsNotToRun = [
  'needs a package registry',
  'needs a PostgreSQL server',
  'needs an API of yours',
  'needs a released version beside this one',
  'takes minutes',
] as const;

/** What a reader does with a block: runs it (after stopping Catalytic), starts it and leaves it running, saves it, or only reads it. */
export type ReaderAct = 'run' | 'run with Catalytic stopped' | 'serve' | 'read' | { readonly saveAs: string };

/** A block, and what a reader does with it. */
export interface ReaderBlock {
  /** Line of its fence, counted from 1. */
  readonly line: number;
  readonly text: string;
  readonly act: ReaderAct;
}

/** The documents whose shell blocks are run. */
export const isRunDocument = (file: string): boolean => /^(README|docs\/guides\/[^/]+)\.md$/.test(file);

const actOf = (language: string, remark: string | undefined): ReaderAct | undefined => {
  if (language !== 'sh') {
    const name = /^file: ([\w.-]+)$/.exec(remark ?? '')?.[1];
    return name === undefined ? 'read' : { saveAs: name };
  }
  if (remark === undefined) return 'run';
  if (remark === 'shell: serves') return 'serve';
  if (remark === 'shell: with Catalytic stopped') return 'run with Catalytic stopped';
  const reason = /^shell: not run, (.+)$/.exec(remark)?.[1];
  return reasonsNotToRun.some((known) => known === reason) ? 'read' : undefined;
};

/** The blocks of a document that a reader runs or saves, in order. */
export const readerBlocksOf = (markdown: string): ReaderBlock[] =>
  fencedBlocksOf(markdown).map(({ language, text, line, remark }) => ({
    line,
    text,
    act: actOf(language, remark) ?? 'run',
  }));

/** Remarks above shell blocks that mean nothing. */
export const checkShellRemarks = (file: string, markdown: string): Finding[] =>
  fencedBlocksOf(markdown)
    .filter(({ language, remark }) => actOf(language, remark) === undefined)
    .map(({ line, remark }) => ({
      file,
      line,
      rule: 'shell',
      message: `"${remark}" is none of "shell: serves", "shell: with Catalytic stopped", and "shell: not run, " with one of: ${reasonsNotToRun.join('; ')}`,
    }));
