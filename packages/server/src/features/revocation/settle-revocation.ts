/**
 * Use case: from durable entries to the answer of a revoke.
 * @module
 */
import type { View } from '@catalytic/guard/view';
import type { JournalEntry } from '@catalytic/protocol/journal';

/** What a revoke answers with: true everywhere now, or by itself within a bounded time. */
export type Propagation =
  | { readonly propagation: 'complete' }
  | { readonly propagation: 'pending'; readonly completeWithinMs: number };

/**
 * Makes entries that are durable in the journal hold in every process that accepts tokens. Every 200 to a revoke, a repeated one too,
 * goes through here. The embedded size has one such process, this one, so applying them to its view completes it at once.
 */
export const settleRevocation = async (view: View, entries: readonly JournalEntry[]): Promise<Propagation> => {
  view.apply(entries);
  return { propagation: 'complete' };
};
