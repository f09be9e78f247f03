/**
 * The admin key that imports accounts: given, or the one that a service on this machine leaves for
 * the lab.
 * @module
 */
import { readFileSync } from 'node:fs';
import { isOnThisMachine } from './origin.ts';

/** Where a service that was started for the lab, from the same folder, leaves the key. */
export const labKeyFile = 'data/lab.key';

/** A key, or the reason why there is none. */
export type FoundKey = { readonly value: string } | { readonly missing: string };

/**
 * Finds the admin key. The key that a local service leaves is sent to this machine only; another
 * target needs a key that was named.
 * @param target origin of the target
 * @param given key or file named by the user; the key itself wins
 */
export const findAdminKey = (
  target: string,
  given: { readonly key: string | undefined; readonly file: string | undefined },
): FoundKey => {
  // A variable of the environment may be empty, or end with the line end of the file that it came
  // from.
  const key = given.key?.trim() ?? '';
  if (key !== '') return { value: key };
  if (given.file === undefined && !isOnThisMachine(target))
    return { missing: 'the target is on another machine and no admin key was given' };
  const file = given.file ?? labKeyFile;
  try {
    const value = readFileSync(file, 'utf8').trim();
    return value === '' ? { missing: `${file} is empty` } : { value };
  } catch {
    const remedy = given.file === undefined ? '; "npm start -- --lab" starts a service that leaves one there' : '';
    return { missing: `there is no admin key at ${file}${remedy}` };
  }
};
