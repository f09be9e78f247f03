/**
 * Reads pages: what the service, or something in its place, has answered to a poll.
 * @module
 */
import { entryKinds, guardLeaseMsMax, holdMsMax, type Page, pageEntriesMax } from '@catalytic/protocol/guards';
import type { KeptRevocation } from './view.ts';

/** A page, with its entries as the view takes them. */
export interface ReadPage extends Omit<Page, 'entries'> {
  readonly entries: readonly KeptRevocation[];
  /**
   * Whether every entry is of a kind that this version knows. If not, nothing of the page may be
   * kept: its cursor would acknowledge what was not understood.
   */
  readonly isUnderstood: boolean;
}

type Fields = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Fields => typeof value === 'object' && value !== null;
const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';
const isTextOrNull = (value: unknown): boolean => value === null || isText(value);
const isTime = (value: unknown): value is number => typeof value === 'number' && value >= 0 && value < 2 ** 53;

/** Longest lease of a page: what a row may say at most, and the part of the hold that is added. */
const leaseMsMax = guardLeaseMsMax + holdMsMax(guardLeaseMsMax);

const isKnown = ({ kind }: Fields): boolean => (entryKinds as readonly unknown[]).includes(kind);

const readEntry = (entry: Fields): KeptRevocation | undefined => {
  const { kind, key, epoch, keep_until: keepUntilMs, keeps_sessions: keepsSessions } = entry;
  if (!isText(key) || !(keepUntilMs === null || isTime(keepUntilMs))) return undefined;
  const hasEpoch = kind === 'account' || kind === 'tenant';
  if (hasEpoch && !(Number.isSafeInteger(epoch) && (keepsSessions === undefined || keepsSessions === true)))
    return undefined;
  const epochs = hasEpoch ? { epoch, ...(keepsSessions === true && { keepsSessions }) } : {};
  return { kind, key, keepUntilMs, ...epochs } as KeptRevocation;
};

/** @returns `undefined` when the value is no page */
export const readPage = (value: unknown): ReadPage | undefined => {
  if (!isObject(value) || !Array.isArray(value['entries']) || value['entries'].length > pageEntriesMax)
    return undefined;
  const { nonce, guard, history, cursor, more, lease_ms, now, keep_ms, keys, tenant } = value;
  const isPage =
    [nonce, history, cursor, keys].every(isText) &&
    [guard, tenant].every(isTextOrNull) &&
    typeof more === 'boolean' &&
    [lease_ms, now, keep_ms].every(isTime) &&
    (lease_ms as number) <= leaseMsMax;
  const given = value['entries'] as readonly unknown[];
  if (!isPage || !given.every(isObject)) return undefined;
  const known = given.filter(isKnown);
  const entries = known.map(readEntry).filter((entry) => entry !== undefined);
  if (entries.length < known.length) return undefined;
  return { ...(value as unknown as Page), entries, isUnderstood: known.length === given.length };
};
