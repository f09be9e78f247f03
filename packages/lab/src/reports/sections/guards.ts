/**
 * What guarded APIs made of dead and live tokens.
 * @module
 */
import type { GuardResult } from '../../results/guard-result.ts';
import { type Cell, type SectionMaker, tableOf } from '../section.ts';
import { ms, number } from '../tables.ts';

const head = [
  'guard',
  'mode',
  'dead tried',
  'accepted',
  'against the promise',
  'refused',
  '503',
  'other',
  'live tried',
  'live refused',
  'live 503',
  'first refusal p50',
  'p99 ms',
];

/** A count that must be 0. */
const mustBeNone = (count: number): Cell => ({ text: number(count), tone: count === 0 ? 'good' : 'bad' });

const rowOf = ({ url, mode, dead, violations, live, first_refusal }: GuardResult): readonly Cell[] => [
  url,
  mode,
  number(dead.tried),
  number(dead.accepted),
  mustBeNone(violations),
  number(dead.refused),
  number(dead.unavailable),
  number(dead.other + live.other),
  number(live.tried),
  mustBeNone(live.refused),
  number(live.unavailable),
  ms(first_refusal.percentiles_ms['50']),
  ms(first_refusal.percentiles_ms['99']),
];

/** A table with a row for each guarded API; nothing when none was named. */
export const guardSection: SectionMaker = ({ guards }) =>
  guards === undefined
    ? []
    : [
        {
          id: 'guards',
          title: 'Guarded APIs',
          parts: [
            'Dead tokens were tried at each from the answer of their logout on until it refused, live ones beside the calls of the users. ' +
              `A guard that follows must refuse within 1.1 leases (${number(1100 * guards.lease_s)} ms) of that answer, any other in every request sent after it. ` +
              'The first refusal counts from a 200.',
            tableOf('', head, guards.apis.map(rowOf)),
          ],
        },
      ];
