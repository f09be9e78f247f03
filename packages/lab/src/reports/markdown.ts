/**
 * The report in words: the tables of the report of 3 October 2025, with its figures beside ours. Derived from the result alone.
 * @module
 */
import { samplesMin } from '../measures/criteria.ts';
import { mapTexts, markdownText } from '../texts/printable.ts';
import { endingOf } from './ending.ts';
import { exceptionText } from './exception-text.ts';
import { furtherTables } from './further-tables.ts';
import {
  bottleneckSection,
  capacitySection,
  earlierErrorLine,
  earlierSection,
  industrySection,
  scoreSection,
} from './markdown-background.ts';
import { outageSection, phaseSections } from './markdown-outage.ts';
import { consistencySection, revocationSection } from './markdown-revocation.ts';
import { summarySection } from './markdown-summary.ts';
import { outcomeLatencies } from './outcome-latencies.ts';
import type { RunResult } from './result.ts';
import { faultTable, ms, number, percentile, successLine, table } from './tables.ts';
import { boundOf, measuredOf } from './verdict-texts.ts';
import type { EndpointResult, WindowResult } from './window-result.ts';

const endpointTable = ({ endpoints, total }: WindowResult): string =>
  table(
    ['request', 'requests', 'ok', 'expected', 'real', 'req/s', 'mean', 'p50', 'p95', 'p99', 'max ms'],
    [...endpoints, { ...total, method: '', name: '**all**' }].map((endpoint: EndpointResult) => [
      `${endpoint.method} ${endpoint.name}`.trim(),
      number(endpoint.requests),
      number(endpoint.ok),
      number(endpoint.expected),
      number(endpoint.real),
      number(endpoint.requests_per_second, 1),
      ms(endpoint.mean_ms),
      percentile(endpoint, 50),
      percentile(endpoint, 95),
      percentile(endpoint, 99),
      ms(endpoint.max_ms),
    ]),
  );

const errorTable = (result: RunResult): string =>
  result.errors.length === 0
    ? 'None.'
    : table(
        ['outcome', 'request', 'answer', 'times'],
        result.errors.map((error) => [
          error.kind === 'real' ? '**real failure**' : 'expected',
          `${error.method} ${error.endpoint}`,
          error.error,
          number(error.occurrences),
        ]),
      );

const exceptionList = ({ exceptions }: RunResult): string =>
  exceptions.length === 0
    ? ''
    : `\nExceptions in the scenario or the lab:\n\n${exceptions.map((exception) => `- ${exceptionText(exception)}`).join('\n')}\n`;

const faultSection = (result: RunResult): string => {
  if (result.outage !== null) return outageSection(result);
  return result.faults.length === 0 ? '' : `## Faults\n\n${faultTable(result.faults)}\n\n`;
};

const furtherSections = (result: RunResult): string =>
  furtherTables(result)
    .map(({ title, head, rows }) => `## ${title}\n\n${table(head, rows)}\n\n`)
    .join('');

const loadLine = ({ options }: RunResult): string =>
  options.logouts_per_second === null
    ? `${number(options.users)} users, ${options.spawn_rate}/s, ${number(options.duration_s)} s`
    : `Open model: ${options.logouts_per_second} logouts/s for ${number(options.duration_s)} s, latencies from the intended start, over at most ${number(options.users)} connections`;

const outcomeTable = (part: WindowResult): string => {
  const latencies = outcomeLatencies(part);
  return latencies === undefined ? '' : `\n\n${latencies.title}:\n\n${table(latencies.head, latencies.rows)}`;
};

const window = (title: string, part: WindowResult | null): string =>
  part === null
    ? `### ${title}\n\nNot reached: some users never logged in.`
    : `### ${title}: ${number(part.from_s)} s to ${number(part.to_s)} s\n\n${endpointTable(part)}\n\n${successLine(part)}${outcomeTable(part)}`;

const judgedTitle = ({ judged, steady, outage }: RunResult): string => {
  if (outage !== null) return 'Criteria, judged phase by phase';
  if (judged === 'steady') return 'Criteria, judged over the steady window';
  const reason = steady === null ? 'there was no steady window' : 'the steady window is too short to speak for it';
  return `Criteria, judged over the whole run: ${reason}`;
};

const littleLine = ({ little }: RunResult): string =>
  little === null
    ? "Little's law is not judged: the steady window is missing, under 20 s or under 400 tasks; in the open model it has nothing to say."
    : `Little's law: ${number(little.tasks_per_second, 1)} tasks a second × (${number(little.response_s, 3)} s response + ${number(little.wait_s, 1)} s wait) = ${number(
        little.tasks_per_second * (little.response_s + little.wait_s),
      )} users, of ${number(little.users)} there were.`;

/** Writes the report. */
export const markdownReport = (measured: RunResult): string => {
  const result = mapTexts(measured, markdownText);
  const { options, machine, generator, target_process: target } = result;
  return `# Load test \`${result.scenario}\`: ${endingOf(result)}

${loadLine(result)}, seed \`${options.seed}\`, schedule \`${result.schedule_fingerprint}\`, accounts ${result.accounts.kind}${result.accounts.reason === undefined ? '' : ` (${result.accounts.reason})`}.
Target ${result.target}, started ${result.started_at}, ${result.ended}.
Machine of the generator${target === null ? '' : ' and of the target, sharing its cores'}: ${machine.cores} cores of ${machine.cpu}, ${machine.memory_gib} GiB, ${machine.platform}, Node ${machine.node}.

${summarySection(result)}
${faultSection(result)}${phaseSections(result)}${furtherSections(result)}## Windows

${window('Steady window', result.steady)}

${window('Whole run', result.whole)}

* too few samples to be judged: a p50 needs ${samplesMin[50]}, a p95 ${samplesMin[95]}, a p99 ${number(samplesMin[99])}.

## Errors, expected and real

${errorTable(result)}
${exceptionList(result)}
${earlierErrorLine()}

${earlierSection(result)}
${industrySection(result)}
${capacitySection(result)}
${bottleneckSection(result)}
## ${judgedTitle(result)}

${table(
  ['criterion', 'limit', 'measured', 'verdict'],
  result.verdicts.map((verdict) => [verdict.criterion, boundOf(verdict), measuredOf(verdict), verdict.verdict]),
)}

${consistencySection(result)}
${revocationSection(result)}
## Validity

${table(
  ['rule', 'limit', 'measured', 'verdict'],
  result.validity.map(({ rule, limit, measured, verdict }) => [
    rule,
    `≤ ${limit}`,
    measured === null ? '–' : number(measured, 2),
    verdict,
  ]),
)}

${littleLine(result)}

Generator: ${number(generator.cpu_seconds, 1)} CPU-seconds, ${number(generator.cpu_us_per_request)} CPU-µs per request, ${number(generator.rss_mb_max)} MB at most, ${number(generator.connections_opened)} connections for ${number(generator.users_started)} users (${number(generator.reconnects)} reconnects), ${number(generator.cut_requests)} requests cut at the end.

${target === null ? 'The target could not be measured from here.' : `Target (process ${target.pid} and its children): ${number(target.cpu_seconds, 1)} CPU-seconds, ${number(target.cpu_us_per_request)} CPU-µs per request, ${number(target.rss_mb_start)} MB at the start, ${number(target.rss_mb_end)} MB at the end, ${number(target.rss_mb_max)} MB at most.`}

${scoreSection(result)}`;
};
