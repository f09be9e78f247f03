/**
 * `catalytic-lab gate`: is one version of a service slower than another?
 * @module
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { Command } from 'commander';
import { randomOf } from '../arrivals/random.ts';
import { listenForInterrupt } from '../containment/interrupt.ts';
import { type StartedTarget, startTarget } from '../launch/start-target.ts';
import { trustOf } from '../options/run-options.ts';
import { takeMeasuringTurn } from '../probes/measuring-turn.ts';
import { decide, exactFailure, type GateDecision, type GateVerdict } from '../regression/gate-decision.ts';
import { type GateScenario, operations } from '../regression/operations.ts';
import { type BlockPair, measurePairs, type Sides, warmShare } from '../regression/pairs.ts';
import { Side } from '../regression/side.ts';
import { scenarios } from '../scenarios/registry.ts';
import type { Authorities } from '../targets/trust.ts';
import { mapTexts, printableJson } from '../texts/printable.ts';
import { redact } from '../texts/redact.ts';
import { complain, messageOf, say } from '../texts/say.ts';
import { newSeed, parseCount, parseDuration, parsePercent, parsePositive, parseTarget } from './parse-options.ts';
import { trustFlags } from './run-flags.ts';

/** Exit codes of the gate. */
const gateExitCodes: Readonly<Record<GateVerdict, number>> = { pass: 0, fail: 2, inconclusive: 3 };
const exitUsage = 1;
/** More CPU time of others disturbs a block, per cent of the machine. */
const othersPercentMax = 10;

interface Flags {
  readonly baseline?: string;
  readonly candidate?: string;
  readonly baselineService?: string;
  readonly candidateService?: string;
  readonly baselineKeyFile?: string;
  readonly candidateKeyFile?: string;
  readonly scenario: string;
  readonly pairs: number;
  readonly block: number;
  readonly rate: number;
  readonly users: number;
  readonly limit: number;
  readonly seed: string;
  readonly out?: string;
  readonly ca?: Authorities;
  readonly insecure: boolean;
}

/**
 * The loads of a gate: mixes that ask no single worker and break nothing, and single operations.
 */
const gateScenarios: ReadonlyMap<string, GateScenario> = new Map([
  ...[...scenarios].filter(([, { asksEveryWorker, isBroken }]) => !asksEveryWorker && isBroken !== true),
  ...operations,
]);

const help = `
Both versions are loaded at the same time, a request each in turns: whatever the machine does to one it does to the other. Those that are
started here are started anew for each pair of blocks: two processes of one version differ for as long as they live. The verdict is about CPU
time for a request of the target and all its processes; the interval of its ratio is a bootstrap over pairs (95 %). A real failure or an accepted dead token of the candidate fails it, whatever it costs. The number of pairs is fixed
beforehand: repeating a test until it fails would fail any version.

A mix hides what becomes of an operation that it seldom asks for: verify, login (the login cache knows the password), refresh and logout are
loaded alone by --scenario. For logout as many sessions are opened before each block as it ends.

Exit codes: 0 pass, 1 wrong usage, 2 fail, 3 inconclusive: neither is shown; take more pairs, longer blocks, or a quieter machine.

Examples:
  npm run lab -- gate --baseline-service "cd ../released && npm run --silent catalytic -- serve" \\
      --candidate-service "npm run --silent catalytic -- serve"
      starts both, each with a separate data folder
  npm run lab -- gate --baseline http://127.0.0.1:8001 --baseline-key-file a/lab.key \\
      --candidate http://127.0.0.1:8002 --candidate-key-file b/lab.key --pairs 24 --limit 3`;

const rows = ({ ratios }: GateDecision): string =>
  Object.entries(ratios)
    .map(
      ([figure, { ratio, low, high }]) =>
        `  ${figure.padEnd(16)} × ${ratio.toFixed(3)}   ${low.toFixed(3)} to ${high.toFixed(3)}`,
    )
    .join('\n');

const pairLine = ({ a, b }: BlockPair, done: number, all: number): string =>
  `${String(done).padStart(3)} of ${all}  baseline ${a.cpuUsPerRequest.toFixed(0)} µs, candidate ${b.cpuUsPerRequest.toFixed(0)} µs a request; p50 ${a.p50Ms.toFixed(2)} and ${b.p50Ms.toFixed(2)} ms`;

/** A side's target: one that runs, or one that is started here. */
const targetOf = async (
  name: 'baseline' | 'candidate',
  flags: Flags,
  started: AsyncDisposableStack,
): Promise<Pick<StartedTarget, 'url' | 'adminKeyFile'>> => {
  const [url, service, keyFile] =
    name === 'baseline'
      ? [flags.baseline, flags.baselineService, flags.baselineKeyFile]
      : [flags.candidate, flags.candidateService, flags.candidateKeyFile];
  if (service !== undefined && (url !== undefined || keyFile !== undefined))
    throw new Error(`--${name}-service starts the ${name} itself: leave out --${name} and --${name}-key-file`);
  if (service !== undefined)
    return started.use(
      await startTarget({ kind: 'embedded' }, { service, databaseUrl: undefined, redisUrl: undefined }),
    );
  if (url === undefined) throw new Error(`name the ${name}: --${name} URL, or --${name}-service COMMAND`);
  return { url, adminKeyFile: keyFile };
};

/** The options as they may be written down: the commands that start services may hold secrets. */
const withoutSecrets = ({ ca, ...flags }: Flags): object => ({ ...mapTexts(flags, redact), ca: ca?.file });

const compare = async (flags: Flags, interrupt: AbortSignal): Promise<number> => {
  const scenario = gateScenarios.get(flags.scenario);
  if (scenario === undefined)
    throw new Error(`a gate loads one of ${[...gateScenarios.keys()].join(', ')}, not "${flags.scenario}"`);
  const measuring = takeMeasuringTurn();
  if (measuring !== undefined) throw new Error(measuring);
  // A gate forgives nothing: a connection that the candidate closes on a request is a failure of
  // it.
  const limits = { connectMs: 10_000, answerMs: 30_000, trust: trustOf(flags) };
  const startSide = async (name: 'baseline' | 'candidate', started: AsyncDisposableStack): Promise<Side> => {
    const { url, adminKeyFile } = await targetOf(name, flags, started);
    const options = { target: url, adminKeyFile, scenario, users: flags.users, limits };
    const side = await Side.start(options, `${name}${Date.now().toString(36)}`);
    started.defer(() => side.close());
    return side;
  };
  const startBoth = async (isCandidateFirst: boolean): Promise<Sides> => {
    await using started = new AsyncDisposableStack();
    const early = isCandidateFirst ? await startSide('candidate', started) : undefined;
    const a = await startSide('baseline', started);
    const b = early ?? (await startSide('candidate', started));
    const kept = started.move();
    return { a, b, [Symbol.asyncDispose]: () => kept.disposeAsync() };
  };
  const pairSeconds = flags.block * (1 + warmShare);
  say(
    `${flags.pairs} pairs of blocks of ${flags.block} s, both started anew for each: ${Math.ceil((flags.pairs * pairSeconds) / 60)} min, and the starts`,
  );
  const { pairs, disturbed } = await measurePairs(startBoth, {
    pairs: flags.pairs,
    blockSeconds: flags.block,
    rate: flags.rate,
    seed: flags.seed,
    othersPercentMax,
    interrupt,
    onPair: (pair, done) => say(pairLine(pair, done, flags.pairs)),
    onDisturbed: ({ othersPercent }) => say(`     disturbed: others used ${othersPercent.toFixed(0)} % of the machine`),
  });
  const failure = exactFailure([...pairs, ...disturbed].map(({ b: block }) => block));
  if (failure !== undefined) {
    say(`FAIL: ${failure}`);
    return gateExitCodes.fail;
  }
  if (pairs.length < 2) {
    const why = interrupt.aborted
      ? 'interrupted'
      : `${disturbed.length} pairs were disturbed by others on this machine`;
    say(`INCONCLUSIVE: ${why}`);
    return gateExitCodes.inconclusive;
  }
  const rule = { limit: 1 + flags.limit / 100, confidence: 0.95 };
  const decision = decide(pairs, rule, randomOf(flags.seed, 1));
  say(
    `\n  candidate / baseline, with 95 % intervals, from ${pairs.length} pairs (${disturbed.length} disturbed):\n${rows(decision)}\n`,
  );
  const isShort = pairs.length < flags.pairs;
  const verdict = isShort && decision.verdict !== 'fail' ? 'inconclusive' : decision.verdict;
  say(
    `  ${verdict.toUpperCase()}: ${decision.reason}${isShort ? `; only ${pairs.length} of ${flags.pairs} pairs` : ''}`,
  );
  if (flags.out !== undefined) {
    mkdirSync(dirname(flags.out), { recursive: true });
    writeFileSync(
      flags.out,
      `${printableJson({ ...decision, verdict, disturbed: disturbed.length, options: withoutSecrets(flags), pairs }, 2)}\n`,
    );
  }
  return gateExitCodes[verdict];
};

const run = async (flags: Flags): Promise<void> => {
  try {
    process.exitCode = await compare(flags, listenForInterrupt().signal);
  } catch (error) {
    complain(`Cannot compare: ${messageOf(error)}`);
    process.exitCode = exitUsage;
  }
};

/** The command. */
export const gateCommand = (): Command => {
  const command = new Command('gate')
    .description('Say whether one version of the service is slower than another: pass, fail, or inconclusive.')
    .option('--baseline <url>', 'the version to compare with', parseTarget)
    .option('--candidate <url>', 'the version to judge', parseTarget)
    .option('--baseline-service <command>', 'shell command that starts it, instead')
    .option('--candidate-service <command>', 'shell command that starts it, instead')
    .option('--baseline-key-file <file>', 'admin key that may import accounts')
    .option('--candidate-key-file <file>', 'admin key that may import accounts')
    .option(
      '--scenario <name>',
      'whose mix of requests: auth or mixed; or one alone: verify, login, refresh, logout',
      'mixed',
    )
    .option('--pairs <n>', 'pairs of blocks', parseCount, 8)
    .option('--block <time>', 'length of a block', parseDuration, 10)
    .option('--rate <n>', 'requests per second of each side', parsePositive, 600)
    .option('--users <n>', 'users of each side', parseCount, 40)
    .option('--limit <percent>', 'largest increase in CPU time per request that passes, percent', parsePercent, 5)
    .option('--seed <text>', 'same seed, same requests', newSeed())
    .option('--out <file>', 'JSON file for the blocks and the decision')
    .addHelpText('after', help)
    .action(run);
  for (const flag of trustFlags()) command.addOption(flag);
  return command;
};
