/**
 * Guarded APIs as the command line names them.
 * @module
 */
import { InvalidArgumentError } from 'commander';
import type { GuardedApi } from '../measures/guard-measure.ts';
import { type GuardMode, guardModes } from '../results/guard-result.ts';
import { didYouMean } from '../texts/did-you-mean.ts';
import { parseHttp } from './parse-options.ts';

const modeOf = (word: string | undefined): GuardMode => {
  const mode = guardModes.find((known) => known === (word ?? 'strict'));
  if (mode !== undefined) return mode;
  throw new InvalidArgumentError(`No guard has the mode "${word}"${didYouMean(word ?? '', guardModes)}.`);
};

/** `URL`, which is strict, or `MODE=URL`; one more each time. */
export const collectGuards = (text: string, before: readonly GuardedApi[] = []): readonly GuardedApi[] => {
  const [, word, address = ''] = /^(?:([a-z]*)=)?(.*)$/is.exec(text) ?? [];
  const mode = modeOf(word);
  const { href, username, password, search, hash } = parseHttp(address, 'http://127.0.0.1:3000/notes');
  // An address stands in every file of a run, and a secret must not.
  if (username !== '' || password !== '')
    throw new InvalidArgumentError('Leave out user name and password: the access tokens of the users are sent.');
  if (search !== '' || hash !== '') throw new InvalidArgumentError('Leave out what follows "?" or "#".');
  if (before.some(({ url }) => url === href)) throw new InvalidArgumentError(`${href} is given twice.`);
  return [...before, { mode, url: href }];
};
