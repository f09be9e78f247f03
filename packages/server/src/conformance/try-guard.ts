/**
 * Tries a guard: one trial after the other, each from a state in which the guard is current.
 * @module
 */
import { setTimeout as delay } from 'node:timers/promises';
import { identityTrials } from './identity-trials.ts';
import { leaseTrials } from './lease-trials.ts';
import { PlayedService } from './played-service.ts';
import { pauseTrial, stopTrial } from './process-trials.ts';
import { revocationTrials } from './revocation-trials.ts';
import { type RuleName, ruleNames } from './rules.ts';
import { newSigningPair } from './signed-tokens.ts';
import { requestTrial, tokenTrials } from './token-trials.ts';
import { type Finding, Trial, type TrialCase, UnsettledError } from './trial.ts';
import type { TriedApi } from './tried-api.ts';

/** How a guard is tried. */
export interface TryOptions {
  /** Address and port of the played service; port 0: a free one. */
  readonly host: string;
  readonly port: number;
  /** The issuer that tokens name; absent: the URL of the played service. */
  readonly issuer: string | undefined;
  /** Audience of the tokens; absent: the issuer. */
  readonly audience: string | undefined;
  /** The guard key. */
  readonly key: string;
  readonly leaseMs: number;
  readonly isStrict: boolean;
  /** The rules that are tried. */
  readonly rules: readonly RuleName[];
  /** Longest time until the guard has asked for the first time, milliseconds. */
  readonly startMsMax: number;
  /** Makes the API, once it is known where the service is. */
  readonly openApi: (place: { readonly url: string; readonly issuer: string }) => TriedApi | Promise<TriedApi>;
  /** Called with each rule when it is decided. */
  readonly onDecided: (decided: Decided) => void;
}

/** A rule, and what came of it. */
export type Decided =
  | (Finding & { readonly verdict: 'kept' | 'broken' })
  | { readonly rule: RuleName; readonly verdict: 'skipped'; readonly reason: string };

/** The guard cannot be tried. */
export class CannotTryError extends Error {
  override readonly name = 'CannotTryError';
}

const cases: readonly TrialCase[] = [
  ...tokenTrials,
  ...revocationTrials,
  ...leaseTrials,
  ...identityTrials,
  pauseTrial,
  requestTrial,
  stopTrial,
];

/** Waits until the API listens and its guard has asked. */
const waitForStart = async (service: PlayedService, api: TriedApi, msMax: number): Promise<void> => {
  const hasAsked = (): boolean => service.polls.length > 0;
  for (const deadline = performance.now() + msMax; performance.now() < deadline; await delay(20)) {
    if (!api.isRunning) break;
    if (hasAsked() && (await api.ask()).status !== 0) return;
  }
  const why = hasAsked() ? `nothing answers at ${api.url}` : 'its guard has sent no poll with the key';
  const state = api.isRunning ? `within ${msMax / 1000} s ${why}` : 'its process has ended';
  throw new CannotTryError(`Cannot try the guard: ${state}${api.output === '' ? '' : `\n${api.output.trimEnd()}`}`);
};

const reasonToSkip = ({ needsProcess, isForStrict }: TrialCase, trial: Trial): string | undefined => {
  if (needsProcess === true && !trial.parts.api.isOwn) return 'needs a command to start the API with';
  if (isForStrict === true && !trial.parts.isStrict) return 'is for strict guards';
  return undefined;
};

/** Runs one trial. A trial that cannot end says so of each rule that it has not judged. */
const runCase = async (trial: Trial, { rules, run }: TrialCase): Promise<void> => {
  try {
    await trial.settle();
    await run(trial);
  } catch (error) {
    if (error instanceof UnsettledError)
      trial.judge('live-token-accepted', false, 'accepted by an honest service', error.message);
    for (const rule of rules)
      if (trial.findingOf(rule) === undefined)
        trial.judge(rule, false, 'the trial comes to its end', (error as Error).message);
  }
};

const decide = (trial: Trial, rule: RuleName): Decided | undefined => {
  const finding = trial.findingOf(rule);
  return finding === undefined ? undefined : { ...finding, verdict: finding.isKept ? 'kept' : 'broken' };
};

const runCases = async (trial: Trial, options: TryOptions): Promise<readonly Decided[]> => {
  const { service, api } = trial.parts;
  const decided: Decided[] = [];
  const tell = (one: Decided): void => {
    decided.push(one);
    options.onDecided(one);
  };
  const wanted = cases.filter(({ rules }) => rules.some((rule) => options.rules.includes(rule)));
  for (const [index, one] of wanted.entries()) {
    const own = one.rules.filter((rule) => options.rules.includes(rule));
    const reason = reasonToSkip(one, trial);
    if (reason !== undefined) {
      for (const rule of own) tell({ rule, verdict: 'skipped', reason });
      continue;
    }
    await runCase(trial, one);
    const later = wanted.slice(index + 1).flatMap(({ rules }) => rules);
    const told = [...own, ...(trial.isBroken(['live-token-accepted']) ? (['live-token-accepted'] as const) : [])];
    for (const rule of new Set(told)) {
      if (later.includes(rule) || decided.some((other) => other.rule === rule)) continue;
      const finding = decide(trial, rule);
      if (finding !== undefined) tell(finding);
    }
    // What one fault has left behind must not count as another.
    if (trial.isBroken(one.rules) && api.isOwn && index + 1 < wanted.length) {
      await api.kill();
      service.live.clear();
      await api.start();
    }
  }
  return decided;
};

/**
 * Tries a guard.
 * @throws {CannotTryError} when it does not start, or does not ask
 */
export const tryGuard = async (options: TryOptions): Promise<readonly Decided[]> => {
  const { host, port, key, leaseMs, isStrict } = options;
  const [pair, doomed, stranger] = [newSigningPair('first'), newSigningPair('doomed'), newSigningPair('stranger')];
  const service = new PlayedService({ host, port, key, leaseMs, isStrict, pairs: [pair, doomed] });
  const url = await service.listen();
  const issuer = options.issuer ?? url;
  const audience = options.audience ?? issuer;
  let api: TriedApi | undefined;
  try {
    api = await options.openApi({ url, issuer });
    await api.start();
    await waitForStart(service, api, options.startMsMax);
    const trial = new Trial({ ...{ service, api, issuer, audience, key, leaseMs, isStrict }, pair, doomed, stranger });
    const decided = await runCases(trial, options);
    const order = (one: Decided): number => ruleNames.indexOf(one.rule);
    return [...decided].sort((one, other) => order(one) - order(other));
  } finally {
    await api?.kill();
    await service.close();
  }
};
