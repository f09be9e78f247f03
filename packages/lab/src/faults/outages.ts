/**
 * The outages that a list of faults makes: what begins each of them, and what heals it.
 * @module
 */
import type { PlannedFault } from './plan.ts';

/**
 * The kind of part that an outage breaks. The criteria during the outage depend on it; for other
 * parts the lab has none.
 */
export type OutageSubject = 'redis' | 'postgres' | 'other';

/** An outage of a run. Faults go by their place in the plan. */
export interface Outage {
  /** `redis paused`; no two of a run are equal. */
  readonly name: string;
  readonly subject: OutageSubject;
  /** The fault that begins it. */
  readonly begins: number;
  /**
   * The fault with whose end it is healed, its own for a command that empties a store; `undefined`:
   * nothing heals it.
   */
  readonly heals: number | undefined;
}

/** Ending of the name of the command that starts a process again. */
export const startEnding = '-start';
/** Ending of the name of the command that empties a store. */
export const flushEnding = '-flush';

/** Most outages of a run: each adds two phases with their histograms. */
const outagesMax = 50;

const verbOf = (fault: string): string => fault.split('=')[0] ?? fault;

const subjectOf = (name: string): OutageSubject => {
  if (/^redis\b/.test(name)) return 'redis';
  return /^postgres\b/.test(name) ? 'postgres' : 'other';
};

interface Effect {
  readonly name: string;
  /** Name and verb of the fault that heals the outage; `undefined`: the outage ends by itself. */
  readonly healer: readonly [name: string, verb: string] | undefined;
}

/** The outage that a fault begins; `undefined` when it heals, or begins none. */
const effectOf = (name: string, fault: string): Effect | undefined => {
  switch (verbOf(fault)) {
    case 'pause':
      return { name: `${name} paused`, healer: [name, 'resume'] };
    case 'kill':
      return { name: `${name} killed`, healer: [`${name}${startEnding}`, 'run'] };
    case 'cut':
      return { name: `${name} cut`, healer: [name, 'heal'] };
    case 'delay':
      return { name: `${name} delayed`, healer: [name, 'heal'] };
    case 'run':
      if (name.endsWith(startEnding)) return undefined;
      return name.endsWith(flushEnding)
        ? { name: `${name.slice(0, -flushEnding.length)} flushed`, healer: undefined }
        : { name: `${name} run`, healer: undefined };
    default:
      return undefined;
  }
};

/** Makes names differ: by how long the outages are planned to last, and else by a number. */
const distinguish = (
  outages: readonly Outage[],
  faults: readonly Pick<PlannedFault, 'atSeconds'>[],
): readonly Outage[] => {
  const isTwice = (name: string, all: readonly Outage[]): boolean =>
    all.filter((each) => each.name === name).length > 1;
  const timed = outages.map((outage) => {
    const [from, to] = [outage.begins, outage.heals].map((index) => faults[index ?? -1]?.atSeconds);
    const seconds = from === undefined || to === undefined ? 0 : Number((to - from).toFixed(1));
    return isTwice(outage.name, outages) && seconds > 0 ? { ...outage, name: `${outage.name} ${seconds} s` } : outage;
  });
  return timed.map((outage, index) => {
    const before = timed.slice(0, index).filter(({ name }) => name === outage.name).length;
    return before === 0 ? outage : { ...outage, name: `${outage.name} (${before + 1})` };
  });
};

/**
 * Finds the outages in the faults of a run, in order.
 * @throws Error when there are too many
 */
export const outagesOf = (faults: readonly Pick<PlannedFault, 'name' | 'fault' | 'atSeconds'>[]): readonly Outage[] => {
  const outages = faults.flatMap(({ name, fault }, begins): Outage[] => {
    const effect = effectOf(name, fault);
    if (effect === undefined) return [];
    const { healer } = effect;
    const healed = faults.findIndex(
      (later, index) => index > begins && later.name === healer?.[0] && verbOf(later.fault) === healer[1],
    );
    const heals = healer === undefined ? begins : healed === -1 ? undefined : healed;
    return [{ name: effect.name, subject: subjectOf(name), begins, heals }];
  });
  if (outages.length > outagesMax)
    throw new Error(`--fault: they make ${outages.length} outages; at most ${outagesMax} are told apart`);
  return distinguish(outages, faults);
};
