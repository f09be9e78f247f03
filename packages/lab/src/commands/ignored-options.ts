/**
 * Options that a run would leave aside: each is refused, because a run that looks obeyed and was
 * not proves something else.
 * @module
 */
import type { Stage } from '../arrivals/stages.ts';
import { type Scenario, usesAccounts } from '../scenarios/scenario.ts';
import type { Flags } from './run-flags.ts';
import type { Typed } from './usage-errors.ts';

interface Asked {
  readonly scenario: Scenario;
  readonly flags: Flags;
  readonly stages: readonly Stage[];
}

const hasRates = ({ stages }: Asked): boolean => stages.some(({ rate }) => rate !== undefined);
const isOpen = (asked: Asked): boolean =>
  asked.flags.rate !== undefined || asked.flags.logoutsPerSecond !== undefined || hasRates(asked);
const usesNoAccounts = ({ scenario }: Asked): boolean => !usesAccounts(scenario);
const noAccounts = 'this scenario uses no accounts of ours; write `accounts: true` in it if it signs in with them';

interface Rule {
  /** As commander calls it, and as it is typed. */
  readonly option: keyof Flags;
  readonly typed: string;
  readonly isIgnored: (asked: Asked) => boolean;
  /** Why the option would do nothing, and the remedy. */
  readonly why: string;
}

const waits = [
  {
    isIgnored: ({ scenario }: Asked) => scenario.custom?.wait?.kind === 'drawn',
    why: 'the scenario draws its waits itself, with drawn(…); change it there',
  },
  { isIgnored: isOpen, why: 'in the open model tasks begin at their own times, and users do not wait between them' },
] as const;

const rules: readonly Rule[] = [
  ...waits.flatMap((wait): readonly Rule[] => [
    { option: 'wait', typed: '--wait', ...wait },
    { option: 'pacing', typed: '--pacing', ...wait },
  ]),
  {
    option: 'arrivals',
    typed: '--arrivals',
    isIgnored: (asked) => !isOpen(asked),
    why: 'it is about the open model; give a rate with --rate, or stages that have one',
  },
  {
    option: 'sessions',
    typed: '--sessions',
    isIgnored: ({ flags }) => flags.logoutsPerSecond === undefined,
    why: 'sessions are signed in beforehand for --logouts-per-second only; give that, too',
  },
  {
    option: 'probeEvery',
    typed: '--probe-every',
    isIgnored: ({ scenario }) => !scenario.asksEveryWorker,
    why: 'logouts are probed in the scenario revocation only',
  },
  {
    option: 'lease',
    typed: '--lease',
    isIgnored: ({ scenario }) => scenario.isBroken !== true,
    why: 'the lease is judged in the scenario outage only',
  },
  {
    option: 'guard',
    typed: '--guard',
    isIgnored: ({ scenario }) => scenario.asksGuards !== true,
    why: 'tokens are tried at guarded APIs in the scenarios revocation, mixed and outage only',
  },
  {
    option: 'guardLease',
    typed: '--guard-lease',
    isIgnored: ({ flags }) => flags.guard.every(({ mode }) => mode !== 'follow'),
    why: 'only guards that follow are given time; name one with --guard follow=URL',
  },
  {
    option: 'duration',
    typed: '--duration',
    isIgnored: ({ stages }) => stages.length > 0,
    why: 'the stages say how long the run is',
  },
  {
    option: 'users',
    typed: '--users',
    isIgnored: (asked) => asked.stages.length > 0 && !hasRates(asked),
    why: 'the stages say how many users there are',
  },
  {
    option: 'spawnRate',
    typed: '--spawn-rate',
    isIgnored: ({ stages }) => stages.length > 0 && stages.every(({ spawnRate }) => spawnRate !== undefined),
    why: 'each stage has a spawn-rate of its own',
  },
  {
    option: 'spawnRate',
    typed: '--spawn-rate',
    isIgnored: isOpen,
    why: 'in the open model all users enter before the run begins',
  },
  { option: 'tenant', typed: '--tenant', isIgnored: usesNoAccounts, why: noAccounts },
  { option: 'password', typed: '--password', isIgnored: usesNoAccounts, why: noAccounts },
  { option: 'adminKeyFile', typed: '--admin-key-file', isIgnored: usesNoAccounts, why: noAccounts },
  { option: 'adminKey', typed: '--admin-key', isIgnored: usesNoAccounts, why: noAccounts },
  { option: 'operateTarget', typed: '--operate-target', isIgnored: usesNoAccounts, why: noAccounts },
];

/** Names that the scenario `outage` breaks by itself; `--fault` breaks any. */
const brokenByItself = /^(redis|postgres)$|^(redis|postgres)-(start|flush)$/;

/** Subjects of faults that no fault names. */
const refuseDeclared = ({ scenario, flags: { process, command, fault } }: Asked): void => {
  for (const [option, words] of [
    ['--process', process],
    ['--command', command],
  ] as const)
    for (const word of words) {
      const name = word.split('=', 1)[0] ?? word;
      const isBroken = fault.some((each) => each.startsWith(`${name}:`));
      if (isBroken || (scenario.isBroken === true && brokenByItself.test(name))) continue;
      const why =
        scenario.isBroken === true && fault.length === 0
          ? 'outage breaks what is called redis or postgres, redis-start, redis-flush or postgres-start'
          : `nothing happens to it; say what and when, such as --fault ${name}:${option === '--process' ? 'pause' : 'run'}@10s`;
      throw new Error(`${option} ${name} would be left aside: ${why}`);
    }
};

/**
 * Refuses options that the run would ignore.
 * @param typed the options of the command line
 * @throws Error that says which, and why
 */
export const refuseIgnored = (typed: Typed, asked: Asked): void => {
  for (const { option, typed: word, isIgnored, why } of rules)
    if (typed.has(option) && isIgnored(asked)) throw new Error(`${word} would be left aside: ${why}`);
  refuseDeclared(asked);
};
