/**
 * The barrier of a command. A command serves no requests and has no bus, so it only reads the
 * acknowledgements in the members' rows.
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
  /** Called with each message for the operator. */
  readonly onProblem: (message: string) => void;
}

/** Time between two reads of the members, milliseconds. The members read the journal every 100. */
const lookEveryMs = 25;

/**
 * Waits until every registered member has acknowledged the entries in its row, or until 1.2 of the
 * longest lease among the others has passed since the commit: then no process that lacks the
 * entries can still be current. It marks no member as leaving: a running service does so.
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
      // If listing fails, members either cannot read the journal (their leases expire) or confirm
      // later: the full wait is safe for both.
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
