/**
 * The report of an experiment: all its runs told as one.
 * @module
 */
import { endingOf } from '../reports/ending.ts';
import { ms, number, percent, percentile, table } from '../reports/tables.ts';
import { boundOf, measuredOf } from '../reports/verdict-texts.ts';
import type { Baseline } from '../results/baseline.ts';
import type { RunResult } from '../results/result.ts';
import type { WindowResult } from '../results/window-result.ts';
import { mapTexts, markdownText } from '../texts/printable.ts';
import { totalUs, usedBudget } from './budget.ts';
import { type Experiment, isKept, type Phase, type PhaseResult, throughputOf } from './phase.ts';

const windowOf = ({ steady, whole }: RunResult): WindowResult => steady ?? whole;

const occurrences = ({ errors }: RunResult, text: string): number =>
  errors.reduce((sum, { error, occurrences: times }) => sum + (error.includes(text) ? times : 0), 0);

/** Requests with a token that the user held for good. */
const liveChecks = ({ whole, consistency }: RunResult): number =>
  whole.endpoints.reduce((sum, { name, requests }) => sum + (name === '/auth/login' ? 0 : requests), 0) -
  consistency.dead_checks;

const describe = ({ target }: Phase): string =>
  target.kind === 'embedded'
    ? 'the service, 1 process, SQLite'
    : target.kind === 'workers'
      ? `the service, ${target.workers} workers`
      : `shares nothing, ${target.workers} processes`;

const runRows = ({ phase, result, smaller }: PhaseResult): readonly (readonly (string | number)[])[] =>
  result === null
    ? [[phase.id, `${phase.scenario}, ${number(phase.users)} users`, describe(phase), 'not measured', ...dashes(5)]]
    : [result, ...smaller].map((run) => runRow(phase, run));

const dashes = (count: number): readonly string[] => Array<string>(count).fill('–');

const runRow = (phase: Phase, result: RunResult): readonly (string | number)[] => {
  const head = [phase.id, `${phase.scenario}, ${number(result.options.users)} users`, describe(phase)];
  return [...head, ...figuresOf(windowOf(result))];
};

const figureNames = ['requests', 'req/s', 'failed', 'p50', 'p95', 'p99'] as const;

const figuresOf = ({ total }: WindowResult): readonly (string | number)[] => [
  number(total.requests),
  number(total.requests_per_second),
  percent(total.real, total.requests),
  percentile(total, 50),
  percentile(total, 95),
  percentile(total, 99),
];

/** Every run of a phase, in the steady window and with its ramp. */
const windowRows = ({ result, smaller }: PhaseResult): readonly (readonly (string | number)[])[] =>
  [...(result === null ? [] : [result]), ...smaller].flatMap((run) => {
    const users = `${number(run.options.users)} users`;
    const seconds = ({ from_s: from, to_s: to }: WindowResult): string => `${number(from)} to ${number(to)} s`;
    const whole = [`${users}, with the ramp`, seconds(run.whole), ...figuresOf(run.whole)];
    return run.steady === null ? [whole] : [[`${users}, steady`, seconds(run.steady), ...figuresOf(run.steady)], whole];
  });

/** The run of the baseline that stands beside a phase. */
const baselineRow = ({ id }: Phase, { name, runs }: Baseline): readonly (readonly string[])[] =>
  runs
    .filter((run) => run.id === id)
    .map((run) => [
      '',
      `_${name}: ${run.name}_`,
      '–',
      run.requests === undefined ? '–' : number(run.requests),
      run.requests_per_second === undefined ? '–' : number(run.requests_per_second),
      run.failed_percent === undefined ? '–' : `${run.failed_percent} %`,
      ms(run.p50_ms),
      ms(run.p95_ms),
      ms(run.p99_ms),
    ]);

const tokenRow = ({ phase, result }: PhaseResult): readonly (string | number)[] => {
  if (result === null) return [phase.id, describe(phase), 'not measured', ...dashes(4)];
  const refused = occurrences(result, 'live token refused');
  const accepted = occurrences(result, 'dead token accepted') + occurrences(result, 'refused token accepted again');
  const unanswered = result.errors
    .filter(({ kind, error }) => kind === 'real' && !/token/.test(error))
    .reduce((sum, { occurrences: times }) => sum + times, 0);
  return [
    phase.id,
    describe(phase),
    number(refused),
    percent(refused, liveChecks(result)),
    number(accepted),
    percent(accepted, result.consistency.dead_checks),
    percent(unanswered, result.whole.total.requests),
  ];
};

const usedRow = ({ phase, result }: PhaseResult): readonly (readonly (string | number)[])[] => {
  const used = result === null ? undefined : usedBudget(result);
  if (result === null || used === undefined) return [];
  const { targetUs, storesUs, generatorUs, perSecond, coresNeeded, cores, usersMax } = used;
  return [
    [
      phase.id,
      number(targetUs),
      result.also_counted.length === 0 ? '–' : number(storesUs),
      number(generatorUs),
      number(perSecond),
      `${coresNeeded.toFixed(2)} of ${cores} cores`,
      coresNeeded <= cores ? 'fits' : `carries ${number(usersMax)} users at most`,
    ],
  ];
};

/** A budget that was measured before its phase. */
const budgetRows = ({ phase, budget }: PhaseResult): readonly (readonly (string | number)[])[] => {
  if (budget === null) return [];
  const { tasks, coresNeeded, cores, usersMax } = budget;
  return [
    ...tasks.map(({ task, targetUs, storesUs, generatorUs, perSecond }) => [
      phase.id,
      task,
      ...[targetUs, storesUs, generatorUs, perSecond].map((value) => number(value)),
      number((totalUs({ targetUs, storesUs, generatorUs }) * perSecond) / 1e6, 2),
    ]),
    [
      phase.id,
      `**all, ${number(phase.users)} users**`,
      ...dashes(4),
      `${coresNeeded.toFixed(2)} of ${cores}: enough for ${number(usersMax)} users`,
    ],
  ];
};

/** Where an aim is named: whether it was kept, and by how many users. */
const aimLine = ({ phase, result, smaller }: PhaseResult): string => {
  if (phase.aim === undefined || result === null) return '';
  const [largest] = [result, ...smaller]
    .filter((run) => isKept(phase, run))
    .toSorted((one, other) => other.options.users - one.options.users);
  const { measured, least } = throughputOf(phase, result) ?? { measured: 0, least: 0 };
  const asked = `Asked for: ${number(least)} requests a second or more; measured ${number(measured)}.`;
  if (largest === result) return `${asked} All that was aimed at was kept.`;
  const tried = [result, ...smaller].map(({ options }) => number(options.users)).join(', ');
  return `${asked} Not all that was aimed at was kept. ${largest === undefined ? `Nor with fewer users; tried: ${tried}.` : `The most users of those tried (${tried}) that kept all of it: ${number(largest.options.users)}.`}`;
};

const phaseSection = (phaseResult: PhaseResult): string => {
  const { phase, result, reason, hashesPerSecond, spawnRate } = phaseResult;
  const head = `### ${phase.id}. ${phase.title}\n\n${phase.question}\n\n`;
  if (result === null) return `${head}Not measured: ${reason ?? 'it was left out'}.\n`;
  const steady = result.steady === null ? 'Never steady: some users did not log in.' : '';
  const hashed =
    hashesPerSecond === null ? '' : `Measured before: ${number(hashesPerSecond)} passwords hashed a second; `;
  const verdicts = result.verdicts.map((each) => [
    each.criterion,
    boundOf(each),
    measuredOf(each),
    each.verdict === 'failed' ? '**failed**' : each.verdict,
  ]);
  return `${head}${hashed}${number(spawnRate)} users started a second. Ended: ${endingOf(result)}. ${steady}
${aimLine(phaseResult)}

${table(['users', 'window', ...figureNames], windowRows(phaseResult))}

${table(['criterion', 'limit', 'measured', 'verdict'], verdicts)}
`;
};

/** The users that a full password check of every login allows. */
const strictLine = (results: readonly PhaseResult[]): string => {
  const hashes = results.map(({ hashesPerSecond }) => hashesPerSecond).filter((rate) => rate !== null);
  if (hashes.length === 0) return '';
  const most = Math.max(...hashes);
  return `The login cache is on: a user pays for a full password hash once, then for an hour an HMAC. Without it \`auth\` asks for 0.156 hashes a second of
each user (5 of 16 tasks, one every 2 s); this machine hashed ${number(most)} a second at most, which is enough for about ${number(most / 0.156)} users: 6.4 for each hash a second.`;
};

/** Subject of a report, besides the results of its phases. */
export interface Told extends Pick<Experiment, 'title' | 'aboutTokens'> {
  /** The command line. */
  readonly command: string;
  readonly baseline: Baseline;
}

/** The report. */
export const experimentMarkdown = (told: Told, measured: readonly PhaseResult[]): string => {
  const { title, command, aboutTokens } = told;
  const [results, baseline] = mapTexts([measured, told.baseline] as const, markdownText);
  const machine = results.find(({ result }) => result !== null)?.result?.machine;
  const used = results.flatMap(usedRow);
  const budget = results.flatMap(budgetRows);
  return `# ${title}

\`${command}\`, ${new Date().toISOString().slice(0, 10)}${machine === undefined ? '' : `; generator and target share ${machine.cores} cores of ${machine.cpu}, ${machine.memory_gib} GiB, Node ${machine.node}`}.

## Summary

Steady windows: from the first login of the last user on. Latencies in milliseconds, failed: real failures.

${table(
  ['phase', 'load', 'target', ...figureNames],
  results.flatMap((result) => [...runRows(result), ...baselineRow(result.phase, baseline)]),
)}

${strictLine(results)}

${(baseline.notes ?? []).join('\n\n')}

## What became of tokens

Two faults, counted apart. A user that keeps its connection stays with one process, and that one knows what it did: keep-alive hides what
the processes do not share. As soon as requests are balanced it shows.

${table(
  ['phase', 'target', 'live refused', 'share', 'dead accepted', 'share', 'no or another answer'],
  results.map(tokenRow),
)}

${aboutTokens}

## Budget

Measured before each phase: CPU time of one request of each kind, with 64 users that never pause, times the requests that the users of the phase
ask for if every answer is instant.

${budget.length === 0 ? 'Not measured.' : table(['phase', 'task', 'target µs', 'its stores µs', 'generator µs', 'a second', 'cores'], budget)}

What the runs used, ramp and first logins with their full hashes included.

${used.length === 0 ? 'Not measured.' : table(['phase', 'target µs', 'its stores µs', 'generator µs', 'asked req/s', 'needs', ''], used)}

## The runs

${results.map(phaseSection).join('\n')}`;
};
