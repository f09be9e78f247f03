/**
 * The options of `run`, as the command line writes them.
 * @module
 */
import { Command, Option as Flag } from 'commander';
import { parseStage, type Stage } from '../arrivals/stages.ts';
import type { FaultWords } from '../faults/plan.ts';
import type { Criterion } from '../measures/criterion.ts';
import type { GuardedApi } from '../measures/guard-measure.ts';
import { criterionExample, type off, parseCriterion } from '../measures/read-criteria.ts';
import type { RunOptions } from '../options/run-options.ts';
import { readAuthorities } from '../targets/trust.ts';
import { collectGuards } from './parse-guard.ts';
import {
  collect,
  collectCounted,
  collectCounts,
  newSeed,
  parseCount,
  parseDuration,
  parsedBy,
  parseLimit,
  parseMs,
  parsePassword,
  parsePercent,
  parsePositive,
  parseTarget,
  parseUrl,
  parseWait,
} from './parse-options.ts';
import { type Typed, typedOf } from './usage-errors.ts';

/** The options of a command line, as commander hands them over. */
export interface Flags
  extends FaultWords,
    Omit<
      RunOptions,
      | 'scenario'
      | 'scenarioSource'
      | 'criteria'
      | 'abortWhen'
      | 'faults'
      | 'outage'
      | 'out'
      | 'durationSeconds'
      | 'waitSeconds'
      | 'timeoutSeconds'
      | 'stages'
      | 'isPaced'
      | 'sourceAddresses'
      | 'share'
      | 'baseline'
      | 'guards'
      | 'guardLeaseSeconds'
    > {
  readonly duration: number;
  readonly lease: number;
  readonly guard: readonly GuardedApi[];
  readonly guardLease: number;
  readonly wait?: readonly [number, number];
  readonly timeout: number;
  /** File that holds criteria. */
  readonly criteria?: string;
  readonly p50?: number | typeof off;
  readonly p95?: number | typeof off;
  readonly p99?: number | typeof off;
  readonly failures?: number | typeof off;
  readonly endpointFailures?: number | typeof off;
  readonly rejected?: number | typeof off;
  readonly criterion: readonly Criterion[];
  readonly abortWhen: readonly string[];
  readonly out?: string;
  readonly stage: readonly Stage[];
  /** File that holds stages. */
  readonly stages?: string;
  readonly pacing?: number;
  readonly sourceAddresses?: string;
  /** File that holds earlier figures. */
  readonly baseline?: string;
  readonly tag: readonly string[];
  readonly excludeTag: readonly string[];
  readonly plain?: true;
}

const collectStage = (text: string, earlier: readonly Stage[]): readonly Stage[] => [
  ...earlier,
  parsedBy((stage) => parseStage(stage))(text),
];

/** Which certificates of a target are taken; for every command that speaks to one. */
export const trustFlags = (): readonly Flag[] => [
  new Flag('--ca <file>', "authorities whose certificates are trusted beside the system's, in PEM").argParser(
    parsedBy(readAuthorities),
  ),
  new Flag('--insecure', 'accept any certificate of the target; the result says so').default(false),
];

/** All of them, in the order in which the help lists them. */
export const runFlags: readonly Flag[] = [
  new Flag(
    '--target <url>',
    'the service; with a path, such as http://127.0.0.1:8000/api/v2, every request goes below that path',
  )
    .argParser(parseTarget)
    .default('http://127.0.0.1:8000'),
  new Flag(
    '--operate-target <url>',
    'where /admin answers, when not at the target: accounts are imported there (default: the target)',
  ).argParser(parseTarget),
  new Flag('--users <n>', 'virtual users, one connection each').argParser(parseCount).default(50),
  new Flag('--spawn-rate <n>', 'users started per second').argParser(parsePositive).default(10),
  new Flag('--duration <time>', 'length of the run, the start of the users included: 90s, 3m, 1h30m')
    .argParser(parseDuration)
    .default(60, '60s'),
  new Flag(
    '--stage <words>',
    'one part of the run, in place of --users and --duration: users=1000,duration=60s[,spawn-rate=50], or rate=200,duration=30s; repeatable',
  )
    .argParser(collectStage)
    .default([], 'none'),
  new Flag('--stages <file>', 'file with one stage per line'),
  new Flag(
    '--rate <n>',
    'open model: start n tasks per second, each on the first idle user; latencies count from the intended start',
  ).argParser(parsePositive),
  new Flag('--arrivals <gaps>', 'open model: even gaps, or random ones as of independent visitors')
    .choices(['even', 'random'])
    .default('even'),
  new Flag('--processes <n>', 'processes that generate the load; each takes up to a core')
    .argParser(parseCount)
    .default(1),
  new Flag(
    '--source-addresses <range>',
    'addresses the users connect from, such as 127.1.0.0/16, or "one" (default: for a target on 127.0.0.0/8 one for each user)',
  ),
  new Flag('--tag <name>', 'only tasks with this tag or name; repeatable').argParser(collect).default([], 'all'),
  new Flag('--exclude-tag <name>', 'no tasks with this tag or name; repeatable').argParser(collect).default([], 'none'),
  new Flag('--plain', 'lines in place of the live view, on a terminal too'),
  new Flag('--seed <text>', 'same seed, same tasks and waits').default(newSeed(), 'a new one'),
  new Flag(
    '--wait <a-b>',
    "wait between two tasks of a user, seconds: 1-3, or 2 for always the same (default: the scenario's)",
  ).argParser(parseWait),
  new Flag(
    '--pacing <time>',
    'time between the starts of two tasks of a user, however long the first one takes',
  ).argParser(parseDuration),
  new Flag('--tenant <name>', 'tenant the accounts are imported into').default('lab'),
  new Flag('--password <text>', 'password of all accounts, at least 15 characters')
    .argParser(parsePassword)
    .default('a load test is not a secret', 'a fixed one'),
  new Flag(
    '--admin-key-file <file>',
    'admin key that may import accounts, or the key itself in CATALYTIC_LAB_KEY (default: data/lab.key, for a target on this machine; without one each user registers itself)',
  ),
  // Hidden: every user of the machine can read a key on the command line. Declared for its
  // environment name.
  new Flag('--admin-key <key>').env('CATALYTIC_LAB_KEY').hideHelp(),
  new Flag('--timeout <time>', 'longest wait for an answer; past it the request is a real failure')
    .argParser(parseDuration)
    .default(30, '30s'),
  ...trustFlags(),
  new Flag('--target-pid <pid>', 'process of the target on this machine; found by its port when absent').argParser(
    parseCount,
  ),
  new Flag(
    '--process <name=pid>',
    'a process that faults act on, with its children: a process id, or a file that holds it',
  )
    .argParser(collect)
    .default([], 'none'),
  new Flag(
    '--proxy <name=port:host:port>',
    'listen on the first port and forward to the second, so that faults can lie between',
  )
    .argParser(collect)
    .default([], 'none'),
  new Flag('--command <name=shell command>', 'a command that faults run, such as one that starts a killed server again')
    .argParser(collect)
    .default([], 'none'),
  new Flag(
    '--fault <name:verb@time>',
    'a fault and its time: kill, pause or resume a process; delay=50ms, cut or heal a proxy; run a command',
  )
    .argParser(collect)
    .default([], 'none'),
  new Flag(
    '--lease <time>',
    'outage: how long a process of the target accepts tokens without the database (its REVOCATION_LEASE_MS)',
  )
    .argParser(parseDuration)
    .default(5, '5s'),
  new Flag(
    '--guard <[mode=]url>',
    'revocation, mixed, outage: an API behind a guard, where tokens are tried, too, with GET; strict=, follow= or ask= before it, strict without a word; repeatable',
  )
    .argParser(collectGuards)
    .default([], 'none'),
  new Flag('--guard-lease <time>', 'lease of the guards that follow: they must refuse within 1.1 of it')
    .argParser(parseDuration)
    .default(5, '5s'),
  new Flag(
    '--also-count <pid...>',
    "processes that work for the target, such as its database: their CPU time counts as the target's",
  )
    .argParser(collectCounts)
    .default([], 'none'),
  new Flag(
    '--logouts-per-second <n>',
    'revocation, open model: sign sessions in first, then sign out at this rate',
  ).argParser(parsePositive),
  new Flag('--sessions <n>', 'open model: most sessions to sign in; the run ends with the last').argParser(parseCount),
  new Flag('--probe-every <n>', 'revocation: verify the token of one logout in n without a pause until it is refused')
    .argParser(parseCount)
    .default(10),
  new Flag(
    '--metrics <url>',
    "the target's metrics, asked every two seconds (default: /metrics of the operate target; of a service that is not ours, none)",
  ).argParser(parseUrl),
  new Flag('--no-metrics', 'do not ask for metrics'),
  new Flag(
    '--count <name=done/all>',
    'for the score card: techniques, defences, tests or documentation; a file with {"done", "all", "what"} will do',
  )
    .argParser(collectCounted)
    .default([], 'none'),
  new Flag(
    '--baseline <file>',
    'earlier figures, of this service or another, that the reports set beside the run: packages/lab/examples/first-report.json is an example',
  ),
  new Flag(
    '--criteria <file>',
    'criteria from a JSON file: {"p95": 150, "failures": 0.1}, by the names of the options below',
  ),
  new Flag('--p50 <ms>', 'criterion: median of all requests; "none" switches this one, or any below, off').argParser(
    parseLimit(parseMs),
  ),
  new Flag('--p95 <ms>', 'criterion').argParser(parseLimit(parseMs)),
  new Flag('--p99 <ms>', 'criterion').argParser(parseLimit(parseMs)),
  new Flag(
    '--failures <percent>',
    'criterion: real failures of all requests (default: 1 in every scenario that says nothing else)',
  ).argParser(parseLimit(parsePercent)),
  new Flag('--endpoint-failures <percent>', 'criterion: real failures of each endpoint').argParser(
    parseLimit(parsePercent),
  ),
  new Flag('--rejected <ms>', 'criterion: a logout answered until every worker refuses').argParser(parseLimit(parseMs)),
  new Flag(
    '--criterion <words>',
    `criterion of one endpoint, check, counter or trend: ${criterionExample}, "check NAME: failed=0", "counter NAME: min=10", "trend NAME: p95=20"; may be given again`,
  )
    .argParser((text: string, earlier: readonly Criterion[]) => [...earlier, ...parsedBy(parseCriterion)(text)])
    .default([], 'none'),
  new Flag(
    '--abort-when <criterion>',
    'end the run once this criterion is certain to fail: any, p95, "endpoint GET /items: p95"; repeatable',
  )
    .argParser(collect)
    .default([], 'never'),
  new Flag('--out <prefix>', 'beginning of the names of the result files (default: results/SCENARIO-TIME)'),
];

/**
 * Reads options that are passed on to a run.
 * @throws CommanderError that says what is wrong with them
 */
export const readRunWords = (words: readonly string[]): { readonly flags: Flags; readonly typed: Typed } => {
  const command = new Command('run').exitOverride().configureOutput({ writeErr: () => {} });
  for (const flag of runFlags) command.addOption(flag);
  command.parse([...words], { from: 'user' });
  return { flags: command.opts<Flags>(), typed: typedOf(command) };
};
