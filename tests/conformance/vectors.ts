/**
 * The vectors of the protocol between a guard and the service: tokens, answers to polls, and entries, each with what must come of it.
 * @module
 */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { algorithmNames } from '@catalytic/guard/algorithms';
import type { PublishedKey } from '@catalytic/guard/verification-key';
import { newSigningPair, signToken, usualClaims } from '../../packages/server/src/conformance/signed-tokens.ts';
import { tokenCases } from '../../packages/server/src/conformance/token-cases.ts';
import { pageVectors } from './page-vectors.ts';
import { viewVectors } from './view-vectors.ts';

/** Where they are. */
export const vectorsFile = join(fileURLToPath(new URL('../..', import.meta.url)), 'docs/reference/guard-vectors.json');

/** A token with its verdict. */
export interface TokenVector {
  readonly name: string;
  readonly verdict: string;
  readonly token: string;
}

/** The file. */
export interface Vectors {
  readonly about: string;
  readonly tokens: {
    readonly issuer: string;
    readonly audience: string;
    readonly now: number;
    readonly keys: readonly PublishedKey[];
    readonly cases: readonly TokenVector[];
  };
  readonly polls: readonly object[];
  readonly views: readonly object[];
}

/** Makes the vectors, with new keys: signatures differ each time, and nothing else does. */
export const makeVectors = async (): Promise<Vectors> => {
  const place = { issuer: 'https://id.example.com', audience: 'https://api.example.com', nowSeconds: 1_800_000_000 };
  const pairs = algorithmNames.map((algorithm) => newSigningPair(`key-${algorithm.toLowerCase()}`, algorithm));
  const [pair] = pairs;
  if (pair === undefined) throw new Error('There is no algorithm');
  let count = 0;
  const newId = (): string => `00000000-0000-7000-8000-${String(++count).padStart(12, '0')}`;
  const parts = { ...place, newId, pair, stranger: newSigningPair('key-unknown') };
  const ofEach = pairs.map((each) => ({
    name: `usual, ${each.algorithm}`,
    verdict: 'accepted',
    token: signToken(each, usualClaims(place, newId)),
  }));
  const cases = tokenCases.map(({ name, verdict, make }) => ({ name, verdict, token: make(parts) }));
  return {
    about: 'docs/reference/guard-protocol.md says what these are. Made by "npm run guard-vectors".',
    tokens: {
      ...{ issuer: place.issuer, audience: place.audience, now: place.nowSeconds },
      keys: pairs.map(({ published }) => published),
      cases: [...ofEach, ...cases],
    },
    polls: await pageVectors(),
    views: viewVectors(),
  };
};
