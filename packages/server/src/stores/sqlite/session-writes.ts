/** Writing operations of sessions and refresh tokens. @module */
import type { DatabaseSync } from 'node:sqlite';
import { endingWrites } from './end-sessions.ts';
import { openingWrites } from './open-session.ts';
import { rotationWrites } from './rotate-token.ts';

/** Prepares the operations. */
export const sessionWrites = (database: DatabaseSync) => ({
  ...openingWrites(database),
  ...rotationWrites(database),
  ...endingWrites(database),
});
