/**
 * The process of the bench `journal-size` that measures a bare view. Run it with `--expose-gc`.
 * @module
 */
import { randomUUID } from 'node:crypto';
import { View } from '@catalytic/guard/view';
import type { JournalEntry } from '@catalytic/protocol/journal';
import { serveTasks } from '../harness/child.ts';

const pageEntries = 10_000;

const usedHeap = (): number => {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
};

/** Heap of a view with this many sessions, bytes. */
const measure = (count: number): number => {
  const view = new View();
  const keepUntilMs = Date.now() + 3_600_000;
  const before = usedHeap();
  for (let done = 0; done < count; done += pageEntries)
    view.apply(
      Array.from({ length: Math.min(pageEntries, count - done) }, () => {
        // As the driver makes it: one flat string, not the concatenation that randomUUID returns.
        const key = Buffer.from(randomUUID()).toString('latin1');
        return { id: key, kind: 'session', key, keepUntilMs } as unknown as JournalEntry;
      }),
    );
  const bytes = usedHeap() - before;
  if (view.size !== count) throw new Error(`The view holds ${view.size} of ${count} entries`);
  return bytes;
};

const tasks = { measure };
/** What the process does. */
export type ViewTasks = typeof tasks;

if (import.meta.main) serveTasks(tasks);
