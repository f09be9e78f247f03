/**
 * Use case: where is an account signed in?
 * @module
 */
import type { AccountId, SessionId, TenantId } from '@catalytic/protocol/ids';
import { CursorId, NextCursor, nextCursorOf } from '../route.ts';
import { type Schema, Type } from '../schema.ts';
import type { SessionStore } from './store.ts';

/** What this use case works with. */
export interface ListSessionsParts {
  readonly sessions: SessionStore;
  readonly nowMs: () => number;
}

/** Most sessions in one answer. */
const pageSessions = 100;

/** The query for a page of sessions. */
export const SessionsQuery = Type.Object({ cursor: Type.Optional(CursorId) }, { additionalProperties: false });

/** The answer. */
export const SessionsAnswer: Schema = Type.Object(
  {
    sessions: Type.Array(
      Type.Object(
        {
          id: Type.String({
            description: 'The session: claim `sid` of its tokens.',
            examples: ['01a2119f-28d4-7e12-9bca-90460dcb48da'],
          }),
          created_at: Type.String({
            description: 'When it began (RFC 3339).',
            examples: ['2026-01-01T00:00:00.000Z'],
          }),
          authenticated_at: Type.String({
            description: 'When the password was last checked.',
            examples: ['2026-01-01T00:00:00.000Z'],
          }),
          expires_at: Type.String({
            description: 'When it ends unless it is refreshed.',
            examples: ['2026-01-08T00:00:00.000Z'],
          }),
          current: Type.Optional(
            Type.Boolean({ description: 'Whether it is the one of the access token.', examples: [true] }),
          ),
        },
        { title: 'Session' },
      ),
      { description: 'At most 100.' },
    ),
    next_cursor: Type.Optional(NextCursor),
  },
  { title: 'Sessions', description: 'A page of sessions.' },
);

const time = (ms: number): string => new Date(ms).toISOString();

/**
 * The live sessions of an account, newest first, a bounded number at a time.
 * @param cursor `next_cursor` of the page before
 * @param current the session that asks; absent: no session of this account asks
 */
export const listSessions = async (
  { sessions, nowMs }: ListSessionsParts,
  { tenantId, accountId }: { readonly tenantId: TenantId; readonly accountId: AccountId },
  cursor: string | undefined,
  current?: SessionId,
): Promise<Readonly<Record<string, unknown>>> => {
  // One row more than a page shows whether there is another page.
  const before = cursor as SessionId | undefined;
  const found = await sessions.list({ tenantId, accountId, before, rowsMax: pageSessions + 1, nowMs: nowMs() });
  const shown = found.slice(0, pageSessions);
  return {
    sessions: shown.map((session) => ({
      id: session.id,
      created_at: time(session.createdAtMs),
      authenticated_at: time(session.authenticatedAtMs),
      expires_at: time(session.expiresAtMs),
      ...(current === undefined ? {} : { current: session.id === current }),
    })),
    ...nextCursorOf(found.length > shown.length ? shown.at(-1)?.id : undefined),
  };
};
