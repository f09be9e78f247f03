/**
 * The route that reads the audit trail.
 * @module
 */
import { paths } from '@catalytic/protocol/paths';
import { NextCursor, nextCursorOf, numberInQuery, type Route, route } from '../route.ts';
import { Type } from '../schema.ts';
import { tenantNamePattern } from '../tenants/rules.ts';
import { type ListAuditParts, listAudit, showRow } from './list-rows.ts';
import { idPattern, sincePattern } from './rules.ts';

const optional = (pattern: string, description: string, example: string) =>
  Type.Optional(Type.String({ pattern, description, examples: [example] }));

const [anAccount, aSession] = ['01a2119f-28ab-7cd0-9da2-d1309a4329b7', '01a2119f-2c03-7a51-8f7e-6f0a3c1d9e42'];

const Query = Type.Object(
  {
    tenant: optional(tenantNamePattern, 'Only rows of the tenant of this name.', 'acme'),
    account: optional(idPattern, 'Only rows of the account with this id.', anAccount),
    session: optional(idPattern, 'Only rows of the session with this id.', aSession),
    event: optional('^[a-z_]{1,64}$', 'Only rows of this event.', 'authn_login_fail'),
    since: optional(sincePattern, 'Not older: `90s`, `15m`, `1h`, `7d` ago, or a date of ISO 8601 in UTC.', '1h'),
    limit: Type.Optional(
      numberInQuery('^([1-9][0-9]{0,2}|1000)$', {
        minimum: 1,
        maximum: 1000,
        description: 'Most rows; 100 unless given.',
        examples: [100],
      }),
    ),
    cursor: optional('^[0-9]{1,15}$', '`next_cursor` of the page before.', '4711'),
  },
  { additionalProperties: false },
);

const orNull = (description: string, example: string) =>
  Type.Union([Type.String(), Type.Null()], { description, examples: [example] });

const Row = Type.Object(
  {
    at: Type.String({ description: 'When it happened (RFC 3339).', examples: ['2026-01-01T00:00:00.000Z'] }),
    event: Type.String({ description: 'The event.', examples: ['authn_token_revoked'] }),
    reason: orNull('Why, or how.', 'logout'),
    tenant_id: orNull('The tenant.', '01a2119f-24ed-72ac-911e-1ef07c744860'),
    account_id: orNull('The account.', anAccount),
    session_id: orNull('The session; where many ended, the one that made the request.', aSession),
    subject: orNull('A key, a process, or the session that made the request.', 'da02b271e299'),
    actor: orNull('`self`, `key:` and the id of an admin key, `cli` or `system`.', 'self'),
    address: orNull('Peer of the connection of the request.', '192.0.2.7'),
    request_id: orNull('The request, as its answer and the log name it.', 'k3Jx0aQz-1f'),
    count: Type.Integer({
      description: 'Number of equal acts that the row stands for; `at` and `request_id` are those of the first.',
      examples: [1],
    }),
  },
  { title: 'AuditRow', description: 'One act.' },
);

const PageAnswer = Type.Object(
  { rows: Type.Array(Row, { description: 'Newest first.' }), next_cursor: Type.Optional(NextCursor) },
  { title: 'AuditRows', description: 'A page of the audit trail.' },
);

/** The routes, over their use cases. */
export const auditRoutes = (parts: ListAuditParts): readonly Route[] => [
  route({
    method: 'GET',
    path: paths.audit,
    summary: 'Rows of the audit trail, newest first',
    description:
      'A page may be short, or empty, and have a next one: the rows looked at are bounded. A key that is bound to a tenant sees the rows of that tenant only.',
    access: { kind: 'admin', scope: 'audit:read' },
    listener: 'operate',
    refuses: ['tenant_unknown', 'store_unavailable'],
    query: Query,
    answers: { 200: PageAnswer },
    handle: async ({ adminKey, query }) => {
      const { rows, next } = await listAudit(parts, adminKey, query);
      return {
        status: 200,
        body: { rows: rows.map(showRow), ...nextCursorOf(next?.toString()) },
      };
    },
  }),
];
