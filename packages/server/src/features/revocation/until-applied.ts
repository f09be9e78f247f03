/**
 * The barrier of a command: it serves nobody, has no bus, and so only reads how far the members have come.
 * @module
 */
import type { Clocks } from '@catalytic/guard/clocks';
import type { Propagation } from './barrier.ts';
import { fullWaitMs } from './rules.ts';
import type { MemberStore, Recorded } from './store.ts';

/** What it works with. */
export interface UntilAppliedParts {
  readonly members: MemberStore;
  readonly clocks: Clocks;
  /** Length of a lease, milliseconds; the same in every process of the deployment. */
  readonly leaseMs: number;
  /** Told what an operator should know. */
  readonly onProblem: (message: string) => void;
}

/** Between two looks at the members, milliseconds: they read the journal every 100. */
const lookEveryMs = 25;

/**
 * Waits until every registered member has written down that it has applied the entries, or 1.2 leases have passed since the commit: then
 * nobody who lacks them can still be current. Marks nobody as leaving: a service that is alive does so itself.
 */
export const untilApplied = async (
  { members, clocks, leaseMs, onProblem }: UntilAppliedParts,
  { position }: Recorded,
): Promise<Propagation> => {
  const trueAtMs = clocks.monoMs() + fullWaitMs(leaseMs);
  for (let missing = Number.NaN; missing !== 0; ) {
    try {
      const rows = await members.list();
      missing = rows.filter(({ applied }) => applied === null || !members.covers(applied, position)).length;
    } catch {
      // Who cannot be read cannot read the journal either, or does and confirms later: the full time decides.
    }
    if (missing === 0) break;
    if (clocks.monoMs() >= trueAtMs) {
      onProblem(
        `${Number.isNaN(missing) ? 'The members could not be read' : `${missing} processes did not confirm`}: they accept no token any more, unless their REVOCATION_LEASE_MS is longer than ${leaseMs}`,
      );
      break;
    }
    await new Promise<void>((resolve) => clocks.after(lookEveryMs, resolve));
  }
  return { propagation: 'complete' };
};
