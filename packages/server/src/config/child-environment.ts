/**
 * The environment of a program that a command starts.
 * @module
 */

/** This process's environment with these variables beside or instead of it. */
export const environmentWith = (variables: Readonly<Record<string, string>>): NodeJS.Dict<string> => ({
  ...process.env,
  ...variables,
});
