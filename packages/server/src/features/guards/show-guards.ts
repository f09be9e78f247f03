/**
 * Use case: shows in their rows that guards are alive, so that a dead one is noticed before a
 * revocation has to wait for it.
 * @module
 */
import type { JournalReader } from '@catalytic/guard/journal-reader';
import type { Polls } from './polls.ts';
import type { GuardStore } from './store.ts';

/** What this use case works with. */
export interface ShowGuardsParts {
  readonly guards: Pick<GuardStore, 'seen'>;
  readonly polls: Pick<Polls, 'live' | 'takeAsking'>;
  readonly reader: Pick<JournalReader, 'memberIds'>;
}

/** How often, milliseconds. */
export const showEveryMs = 2000;

/**
 * Raises `seen` of the guards that have asked this process, and of its own row: a guard is judged
 * only while rows change at all.
 */
export const showGuards = async ({ guards, polls, reader }: ShowGuardsParts): Promise<void> => {
  const asking = polls.takeAsking();
  if (polls.live > 0) await guards.seen([...reader.memberIds, ...asking]);
};
