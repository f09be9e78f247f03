/**
 * Runs `catalytic guard-conformance`, and says what it has found.
 * @module
 */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Decided } from '../../packages/server/src/conformance/try-guard.ts';
import { cleanEnvironment, startCommand } from '../../scripts/run-command.ts';

/** The root of the tree. */
export const root = fileURLToPath(new URL('../..', import.meta.url));
const main = join(root, 'packages/server/src/main.ts');
const api = join(root, 'tests/conformance/api-with-our-guard.ts');
const breaker = join(root, 'tests/conformance/break-guard.ts');

/** What it has said. */
export interface Conformance {
  readonly code: number;
  /** Standard output and standard error. */
  readonly output: string;
  /** Rules that were not kept, in the words of its output. */
  readonly broken: readonly string[];
}

/** The command that starts the API behind our guard. @param fault the rule that the guard breaks */
export const ownApi = (fault?: string): readonly string[] =>
  fault === undefined
    ? [process.execPath, api]
    : ['env', `BROKEN_GUARD=${fault}`, process.execPath, `--import=${breaker}`, api];

/**
 * Tries a guard.
 * @param words flags, `--` and the command that starts the API; or its URL
 */
export const tryConformance = async (
  words: readonly string[],
  env: Record<string, string> = {},
): Promise<Conformance> => {
  const { done } = startCommand(process.execPath, [main, 'guard-conformance', ...words], {
    cwd: root,
    env: { ...cleanEnvironment(), ...env },
    timeoutMs: 120_000,
  });
  const { code, output } = await done;
  const broken = [...output.matchAll(/^broken {3}([a-z-\d]+)/gm)].map(([, rule = '']) => rule);
  return { code, output, broken };
};

/** The rules of a result in JSON, by their verdict. */
export const rulesOf = (output: string): readonly Decided[] =>
  (JSON.parse(output.slice(output.indexOf('\n{\n'))) as { readonly rules: readonly Decided[] }).rules;
