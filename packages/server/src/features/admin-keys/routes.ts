/**
 * Routes of admin keys. They are made on the command line only: a key that could make others would
 * outlive its own revocation.
 * @module
 */
import { paths } from '@catalytic/protocol/paths';
import { Type } from 'typebox';
import { NextCursor, nextCursorOf, type Route, route } from '../route.ts';
import {
  type AdministerAdminKeysParts,
  adminKeyAnswer,
  listAdminKeys,
  revokeAdminKey,
} from './administer-admin-keys.ts';
import { keyIdPattern } from './rules.ts';

const exampleId = '9f86d081884c';
const KeyId = (description: string) => Type.String({ pattern: keyIdPattern, description, examples: [exampleId] });
const Time = (description: string) =>
  Type.Union([Type.String(), Type.Null()], { description, examples: ['2026-01-01T00:00:00.000Z'] });

const AdminKeysQuery = Type.Object(
  { cursor: Type.Optional(KeyId('`next_cursor` of the page before.')) },
  { additionalProperties: false },
);

const AdminKeyAnswer = Type.Object(
  {
    id: Type.String({ description: 'Its name in the audit trail; no secret.', examples: [exampleId] }),
    description: Type.String({ description: 'What it is for.', examples: ['nightly import'] }),
    scopes: Type.Array(Type.String(), { description: 'What it may do.', examples: [['accounts:import']] }),
    tenant_id: Type.Union([Type.String(), Type.Null()], {
      description: 'The only tenant that it may act on; `null`: all.',
      examples: [null],
    }),
    created_at: Type.String({ description: 'When it was made (RFC 3339).', examples: ['2026-01-01T00:00:00.000Z'] }),
    expires_at: Time('From when on it is refused; `null`: never.'),
    last_used_at: Time('When it was last accepted, to the minute; `null`: not yet.'),
  },
  { title: 'AdminKey', description: 'An admin key, without its secret.' },
);

const AdminKeysAnswer = Type.Object(
  { admin_keys: Type.Array(AdminKeyAnswer, { description: 'By id.' }), next_cursor: Type.Optional(NextCursor) },
  { title: 'AdminKeys', description: 'A page of admin keys.' },
);

const AdminKeyRevoked = Type.Object(
  {
    id: Type.String({ description: 'The key.', examples: [exampleId] }),
    revoked: Type.Boolean({ description: 'Every process refuses it from now on.', examples: [true] }),
  },
  { title: 'AdminKeyRevoked', description: 'The key is gone.' },
);

/** The routes, over their use cases. */
export const adminKeyRoutes = (parts: AdministerAdminKeysParts): readonly Route[] => [
  route({
    method: 'GET',
    path: paths.adminKeys,
    summary: 'The admin keys, with their end and their last use',
    description: 'A key that is bound to a tenant sees the keys of that tenant.',
    access: { kind: 'admin', scope: 'admin-keys:read' },
    listener: 'operate',
    query: AdminKeysQuery,
    answers: { 200: AdminKeysAnswer },
    handle: async ({ adminKey, query }) => {
      const { keys, nextCursor } = await listAdminKeys(parts, adminKey, query.cursor);
      return { status: 200, body: { admin_keys: keys.map(adminKeyAnswer), ...nextCursorOf(nextCursor) } };
    },
  }),
  route({
    method: 'DELETE',
    path: paths.adminKey,
    summary: 'Revoke an admin key: every process refuses it at once',
    access: { kind: 'admin', scope: 'admin-keys:write' },
    listener: 'operate',
    refuses: ['admin_key_not_found'],
    params: Type.Object({ id: KeyId('Its id.') }, { additionalProperties: false }),
    answers: { 200: AdminKeyRevoked },
    handle: async ({ adminKey, params: { id }, origin }) => {
      await revokeAdminKey(parts, adminKey, id, origin());
      return { status: 200, body: { id, revoked: true } };
    },
  }),
];
