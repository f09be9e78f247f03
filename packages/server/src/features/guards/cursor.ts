/**
 * Cursors: what a guard has, in a text that only this deployment can write. Without the seal, the
 * holder of a guard key could acknowledge what it has not got, or name a place that no database has
 * assigned yet.
 * @module
 */
import type { Coverage } from '@catalytic/guard/journal-source';
import type { JournalId, TenantId } from '@catalytic/protocol/ids';
import type { MessageSeal } from '../secrets/message-seal.ts';
import { coverageText } from './coverage.ts';

/** Where a load of the whole journal has come to. */
export interface LoadPosition {
  readonly place: bigint;
  /** The last entry at that place that was given. */
  readonly id: JournalId;
}

/** What a guard has. */
export interface Cursor {
  /** With `loaded`: what it will have at the end of the load. */
  readonly coverage: Coverage;
  /** Absent once everything that `coverage` holds was given. */
  readonly loaded: LoadPosition | undefined;
}

const scopeOf = (tenantId: TenantId | null): string => tenantId ?? '*';

const form =
  /^([0-9a-f-]{36}|\*)\.([0-9a-f-]{32,36})\.(\d{1,20})\.([0-9a-f-]{36}|)\.((?:\d{1,20},)*\d{1,20}|)\.(?:(\d{1,20}):([0-9a-f-]{36}))?$/;

/**
 * Longest cursor that is read, characters. Each statement that is under way in the database adds
 * up to 21.
 */
export const cursorCharactersMax = 60_000;

/**
 * Writes a cursor.
 * @param tenantId the tenant of the guard key; `null`: all. A key of another tenant cannot use it
 */
export const writeCursor = (seal: MessageSeal, { coverage, loaded }: Cursor, tenantId: TenantId | null): string => {
  const position = loaded === undefined ? '' : `${loaded.place}:${loaded.id}`;
  return seal.seal(`${scopeOf(tenantId)}.${coverageText(coverage)}.${position}`);
};

/** Reads a cursor. @returns `undefined` for one that was not written here for this tenant */
export const readCursor = (seal: MessageSeal, text: string, tenantId: TenantId | null): Cursor | undefined => {
  const [, scope, history = '', upTo = '', id = '', except = '', place, loadedId = ''] =
    form.exec(seal.open(text) ?? '') ?? [];
  if (scope !== scopeOf(tenantId)) return undefined;
  return {
    coverage: {
      history,
      upTo: BigInt(upTo),
      id: id === '' ? null : (id as JournalId),
      except: except === '' ? [] : except.split(',').map(BigInt),
    },
    loaded: place === undefined ? undefined : { place: BigInt(place), id: loadedId as JournalId },
  };
};
