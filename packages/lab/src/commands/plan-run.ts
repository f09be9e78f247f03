/**
 * Plans the faults of a run from the words of the command line.
 * @module
 */
import { planOutages } from '../faults/outage-plan.ts';
import { type Outage, outagesOf } from '../faults/outages.ts';
import { type FaultPlan, planFaults } from '../faults/plan.ts';
import type { OutageOptions } from '../options/run-options.ts';
import type { Scenario } from '../scenarios/scenario.ts';
import type { Flags } from './run-flags.ts';

/** The faults of a run, and for a scenario with outages the phases that follow from them. */
export interface RunPlan {
  readonly faults: FaultPlan;
  readonly outage: OutageOptions | undefined;
}

const spanOf = ({ name, begins, heals }: Outage, { faults }: FaultPlan): string => {
  const [from, to] = [begins, heals].map((index) => faults[index ?? -1]?.atSeconds.toFixed(1));
  return heals === begins ? `${name} at ${from} s` : `${name} from ${from} s to ${to ?? 'the end'}${to ? ' s' : ''}`;
};

/**
 * Plans a run.
 * @throws Error that says what is wrong and what is allowed
 */
export const planRun = ({ isBroken }: Scenario, flags: Flags): RunPlan => {
  const given = planFaults(flags, flags.duration);
  if (!isBroken) return { faults: given, outage: undefined };
  const planned =
    flags.fault.length > 0
      ? undefined
      : planOutages(
          { processes: new Set(given.processes.keys()), commands: new Set(given.commands.keys()) },
          { durationSeconds: flags.duration, rampSeconds: flags.users / flags.spawnRate, leaseSeconds: flags.lease },
        );
  const faults = planned === undefined ? given : planFaults({ ...flags, fault: planned.faults }, flags.duration);
  const outages = outagesOf(faults.faults);
  return {
    faults,
    outage: {
      outages,
      leaseSeconds: flags.lease,
      leftOut: planned?.leftOut ?? [],
      plan: outages.map((outage) => spanOf(outage, faults)),
    },
  };
};
