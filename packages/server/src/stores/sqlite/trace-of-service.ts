/**
 * The trace that a service leaves in its data folder, wherever its database is: where there is one, a missing database has been lost.
 * @module
 */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const traceName = 'served';
const text =
  'A Catalytic service has run with this data folder. While its database is missing, a start is refused here instead of beginning an empty one.\n';
/** Version 0.1 left no other trace than the key of the load lab. */
const formerTraceName = 'lab.key';

/** Leaves the trace (mode 0600), unless it is there. */
export const leaveTrace = (dataDir: string): void => {
  try {
    writeFileSync(join(dataDir, traceName), text, { flag: 'wx', mode: 0o600 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
};

/** Whether a service has run with this data folder. */
export const hasTrace = (dataDir: string): boolean =>
  [traceName, formerTraceName].some((name) => existsSync(join(dataDir, name)));
