/**
 * Runs every bench: reads its options, takes the turn of measuring, watches the machine, ends its processes, and writes the result.
 * @module
 */
import { takeMeasuringTurn } from '../../packages/lab/src/probes/measuring-turn.ts';
import { watchStrangers } from './conditions.ts';
import { type BenchOptions, type Given, optionalText, RefusedError, readOptions } from './options.ts';
import { finish, machine, type Outcome } from './result.ts';

/** A bench. */
export interface Bench<Options extends BenchOptions> {
  readonly help: string;
  readonly options: Options;
  /**
   * `times`: figures that depend on how busy the machine is, so nothing else measures meanwhile, and a run beside busy strangers is
   * invalid. `times, by the lab`: the same, but the lab takes the turn. `counts`: a busy machine will do.
   */
  readonly measures: 'times' | 'times, by the lab' | 'counts';
  /** Whether it takes words besides its options. @default false */
  readonly takesWords?: boolean;
  /** Cores that it ties processes to, one each. @default 1 */
  readonly coresMin?: number;
  /** Measures. The stack is disposed of at the end, however it ends. */
  readonly run: (given: Given<Options>, stack: AsyncDisposableStack) => Promise<Outcome>;
}

/** Takes the turn of measuring on this machine, until this process ends. @throws {RefusedError} while another process has it */
export const takeTurn = (): void => {
  const measuring = takeMeasuringTurn();
  if (measuring !== undefined) throw new RefusedError(`Cannot measure now: ${measuring}`);
};

const runWith = async <Options extends BenchOptions>(
  { options, measures, takesWords = false, coresMin = 1, run }: Bench<Options>,
  bench: string,
  args: readonly string[],
): Promise<void> => {
  const given = readOptions({ out: optionalText, ...options }, args);
  const [stray] = given.words;
  if (!takesWords && stray !== undefined) throw new RefusedError(`Cannot take "${stray}": options begin with --`);
  if (machine.cores < coresMin)
    throw new RefusedError(`Cannot measure here: ${coresMin} cores are needed, one for each side`);
  if (measures === 'times') takeTurn();
  const look = watchStrangers();
  await using stack = new AsyncDisposableStack();
  const outcome = await run(given as Given<Options>, stack);
  const conditions = outcome.conditions ?? look();
  // A bench that defines `--out` itself decides where the result goes.
  const file = outcome.file ?? ('out' in options ? undefined : (given.values as { readonly out?: string }).out);
  finish({
    ...outcome,
    conditions,
    bench,
    args,
    isJudged: measures !== 'counts',
    ...(file === undefined ? {} : { file }),
  });
};

/** Runs a bench as the command line says. `--help` and `--out FILE` are understood by all of them. */
export const runBench = async <const Options extends BenchOptions>(bench: Bench<Options>): Promise<void> => {
  const [, file = '', ...args] = process.argv;
  if (args.includes('--help') || args.includes('-h')) {
    process.stdout.write(bench.help);
    return;
  }
  try {
    await runWith(bench, file, args);
  } catch (error) {
    // What went wrong first, and not only that the clean-up failed after it.
    if (error instanceof SuppressedError) throw error.suppressed;
    if (!(error instanceof RefusedError)) throw error;
    process.stderr.write(`bench: ${error.message}; --help explains\n`);
    process.exitCode = 1;
  }
};
