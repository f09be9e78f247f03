/**
 * The findings of the checks, and how they are printed.
 * @module
 */

/** One broken rule. */
export interface Finding {
  /** Path from the root, with `/`. */
  readonly file: string;
  /** From 1; absent when the finding is about the whole file or folder. */
  readonly line?: number;
  /** Short name of the rule. */
  readonly rule: string;
  /** The problem, and what to do. */
  readonly message: string;
}

/** One line for each finding, by place. */
export const formatFindings = (findings: readonly Finding[]): string =>
  findings
    .toSorted((a, b) => (a.file === b.file ? (a.line ?? 0) - (b.line ?? 0) : a.file < b.file ? -1 : 1))
    .map(({ file, line, rule, message }) => `${file}${line === undefined ? '' : `:${line}`}  ${rule}: ${message}\n`)
    .join('');

/** Prints the findings and a closing sentence, and sets the exit code. */
export const report = (findings: readonly Finding[], summary: string): void => {
  process.stdout.write(formatFindings(findings));
  if (findings.length === 0) console.log(summary);
  else console.log(`\n${findings.length} ${findings.length === 1 ? 'rule is' : 'rules are'} broken`);
  process.exitCode = findings.length === 0 ? 0 : 1;
};
