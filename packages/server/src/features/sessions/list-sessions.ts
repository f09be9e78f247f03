/**
 * Use case: where is an account signed in?
 * @module
 */
import type { AccountId, SessionId, TenantId } from '@catalytic/protocol/ids';
import { type TObject, Type } from 'typebox';
import { IdText } from '../route.ts';
import type { SessionStore } from './store.ts';

/** What this use case works with. */
export interface ListSessionsParts {
  readonly sessions: SessionStore;
  readonly nowMs: () => number;
}

/** Most sessions in one answer. */
const pageSessions = 100;

/** A page of sessions as it is asked for. */
export const SessionsQuery = Type.Object({ cursor: Type.Optional(IdText) }, { additionalProperties: false });

/** The answer. */
export const SessionsAnswer: TObject = Type.Object({
  sessions: Type.Array(
    Type.Object({
      id: Type.String(),
      created_at: Type.String(),
      authenticated_at: Type.String(),
      /** When the session ends unless it is refreshed. */
      expires_at: Type.String(),
      current: Type.Optional(Type.Boolean()),
    }),
  ),
  next_cursor: Type.Optional(Type.String()),
});

const time = (ms: number): string => new Date(ms).toISOString();

/**
 * The live sessions of an account, newest first, a bounded number at a time.
 * @param cursor `next_cursor` of the page before
 * @param current session that asks; absent: nobody's of these
 */
export const listSessions = async (
  { sessions, nowMs }: ListSessionsParts,
  { tenantId, accountId }: { readonly tenantId: TenantId; readonly accountId: AccountId },
  cursor: string | undefined,
  current?: SessionId,
): Promise<Readonly<Record<string, unknown>>> => {
  // One more than is shown says whether there is another page.
  const found = await sessions.list(tenantId, accountId, cursor as SessionId | undefined, pageSessions + 1, nowMs());
  const shown = found.slice(0, pageSessions);
  return {
    sessions: shown.map((session) => ({
      id: session.id,
      created_at: time(session.createdAtMs),
      authenticated_at: time(session.authenticatedAtMs),
      expires_at: time(session.expiresAtMs),
      ...(current === undefined ? {} : { current: session.id === current }),
    })),
    ...(found.length > shown.length ? { next_cursor: shown.at(-1)?.id } : {}),
  };
};
