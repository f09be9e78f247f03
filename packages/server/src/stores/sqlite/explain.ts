/**
 * Explains failures of SQLite to operators, with a remedy.
 * @module
 */

/** Primary result codes (https://sqlite.org/rescode.html) and what to do about each. */
const remedies: Readonly<Record<number, string>> = {
  5: 'another process holds the database; it goes on when that one lets go of it',
  6: 'another process holds the database; it goes on when that one lets go of it',
  8: 'the file or its file system is read-only: make DATA_DIR writable again ("mount -o remount,rw", "chmod u+w"); writing then goes on by itself',
  10: 'the disk refuses: look at "dmesg", "df" and "mount"; writing goes on by itself when the disk does',
  11: 'the file is damaged: stop the service and run "catalytic restore BACKUP", which keeps the damaged file aside',
  13: 'the disk is full: make room on the one that holds DATA_DIR; writing then goes on by itself',
  14: 'the file cannot be opened or made: check that DATA_DIR exists, and that it and its files belong to the user of the service',
  26: 'the file is damaged, or it never was a database: stop the service and run "catalytic restore BACKUP", which keeps it aside',
};

/** The message of an error, followed by the remedy if one is known. */
export const explain = (error: unknown): string => {
  const { message = String(error), errcode } = error as { readonly message?: string; readonly errcode?: number };
  // The lowest byte of an extended code is the primary code.
  const remedy = errcode === undefined ? undefined : remedies[errcode & 0xff];
  return remedy === undefined ? message : `${message}; ${remedy}`;
};

const primaryCode = (error: unknown): number => ((error as { errcode?: number }).errcode ?? 0) & 0xff;

/** Whether the error means that another process holds the database. */
export const isBusy = (error: unknown): boolean => primaryCode(error) === 5;

/** Whether the error means that the disk is full. */
export const isFull = (error: unknown): boolean => primaryCode(error) === 13;
