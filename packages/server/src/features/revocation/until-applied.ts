/**
 * The barrier of a command: it serves nobody, has no bus, and so only reads how far the members have come.
 * @module
 */
import type { Clocks } from '@catalytic/guard/clocks';
import type { Propagation } from './barrier.ts';
import { fullWaitMs, leaseMsMax, longestLeaseMs } from './rules.ts';
import type { MemberStore, Recorded } from './store.ts';

/** What it works with. */
export interface UntilAppliedParts {
  readonly members: MemberStore;
  readonly clocks: Clocks;
  /** Told what an operator should know. */
  readonly onProblem: (message: string) => void;
}

/** Between two looks at the members, milliseconds: they read the journal every 100. */
const lookEveryMs = 25;

/**
 * Waits until every registered member has written down that it has applied the entries, or 1.2 times the longest lease of those that have
 * not has passed since the commit: then no process that lacks them can still be current. Marks no member as leaving: a service that runs
 * does so itself.
 */
export const untilApplied = async (
  { members, clocks, onProblem }: UntilAppliedParts,
  { position }: Recorded,
): Promise<Propagation> => {
  const committedMs = clocks.monoMs();
  let missing = Number.NaN;
  let leaseMs = leaseMsMax;
  for (;;) {
    try {
      const lacking = (await members.list()).filter(
        ({ applied }) => applied === null || !members.covers(applied, position),
      );
      missing = lacking.length;
      leaseMs = longestLeaseMs(lacking);
    } catch {
      // If listing fails, members either cannot read the journal (their leases expire) or confirm later: the full wait is safe for both.
    }
    if (missing === 0) break;
    if (clocks.monoMs() >= committedMs + fullWaitMs(leaseMs)) {
      onProblem(
        `${Number.isNaN(missing) ? 'The members could not be read' : `${missing} processes did not confirm`}: they accept no token any more, because their leases are over`,
      );
      break;
    }
    await new Promise<void>((resolve) => clocks.after(lookEveryMs, resolve));
  }
  return { propagation: 'complete' };
};
