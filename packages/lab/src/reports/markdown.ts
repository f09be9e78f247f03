/**
 * The report in Markdown. Derived from the result alone.
 * @module
 */
import type { RunResult } from '../results/result.ts';
import { mapTexts, markdownText } from '../texts/printable.ts';
import { sectionsOf } from './all-sections.ts';
import { endingOf } from './ending.ts';
import { markdownSection } from './markdown-section.ts';
import { summarySection } from './markdown-summary.ts';
import { number } from './tables.ts';

const loadLine = ({ options }: RunResult): string =>
  options.logouts_per_second === null
    ? `${number(options.users)} users, ${options.spawn_rate}/s, ${number(options.duration_s)} s`
    : `Open model: ${options.logouts_per_second} logouts/s for ${number(options.duration_s)} s, latencies from the intended start, over at most ${number(options.users)} connections`;

const head = (result: RunResult): string => {
  const { options, machine, accounts, target_process: target } = result;
  const why = accounts.reason === undefined ? '' : ` (${accounts.reason})`;
  return `# Load test \`${result.scenario}\`: ${endingOf(result)}

${loadLine(result)}, seed \`${options.seed}\`, schedule \`${result.schedule_fingerprint}\`, accounts ${accounts.kind}${why}.
Target ${result.target}, started ${result.started_at}, ${result.ended}.
Machine of the generator${target === null ? '' : ' and of the target, sharing its cores'}: ${machine.cores} cores of ${machine.cpu}, ${machine.memory_gib} GiB, ${machine.platform}, Node ${machine.node}.
`;
};

/** Writes the report. */
export const markdownReport = (measured: RunResult): string => {
  const result = mapTexts(measured, markdownText);
  return [head(result), summarySection(result), ...sectionsOf(result).map(markdownSection)].join('\n');
};
