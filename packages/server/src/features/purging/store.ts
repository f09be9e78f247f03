/**
 * What every port is told that forgets something.
 * @module
 */

/**
 * How old something must be to be forgotten. Both the clock of the caller and that of the database
 * must say so: a wrong clock takes nothing from others.
 */
export interface Age {
  /** Wall clock of the caller, milliseconds since 1970. */
  readonly nowMs: number;
  /** Time that must have passed, milliseconds. */
  readonly sinceMs: number;
}

/** What one purge deletes. */
export interface Purge extends Age {
  /** Most rows deleted, so that no other writer waits long. */
  readonly rowsMax: number;
}
