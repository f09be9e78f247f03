/**
 * Routes of admin keys. They are made on the command line only: a key that could make others would
 * outlive its own revocation.
 * @module
 */
import { paths } from '@catalytic/protocol/paths';
import { NextCursor, nextCursorOf, type Route, route } from '../route.ts';
import { Type } from '../schema.ts';
import { AnsweredKeyId, KeyIdParams, KeyRevoked, KeysQuery, keyTimeFields } from './key-answer.ts';
import { pageOfKeys } from './page-of-keys.ts';
import { adminKeyAnswer, type RevokeAdminKeyParts, revokeAdminKey } from './revoke-admin-key.ts';

const AdminKeyAnswer = Type.Object(
  {
    id: AnsweredKeyId,
    description: Type.String({ description: 'What it is for.', examples: ['nightly import'] }),
    scopes: Type.Array(Type.String(), { description: 'What it may do.', examples: [['accounts:import']] }),
    tenant_id: Type.Union([Type.String(), Type.Null()], {
      description: 'The only tenant that it may act on; `null`: all.',
      examples: [null],
    }),
    ...keyTimeFields,
  },
  { title: 'AdminKey', description: 'An admin key, without its secret.' },
);

const AdminKeysAnswer = Type.Object(
  { admin_keys: Type.Array(AdminKeyAnswer, { description: 'By id.' }), next_cursor: Type.Optional(NextCursor) },
  { title: 'AdminKeys', description: 'A page of admin keys.' },
);

/** The routes, over their use cases. */
export const adminKeyRoutes = (parts: RevokeAdminKeyParts): readonly Route[] => [
  route({
    method: 'GET',
    path: paths.adminKeys,
    summary: 'The admin keys, with their end and their last use',
    description: 'A key that is bound to a tenant sees the keys of that tenant.',
    access: { kind: 'admin', scope: 'admin-keys:read' },
    listener: 'operate',
    query: KeysQuery,
    answers: { 200: AdminKeysAnswer },
    handle: async ({ adminKey, query }) => {
      const { keys, nextCursor } = await pageOfKeys(parts.adminKeys, adminKey, query.cursor);
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
    params: KeyIdParams,
    answers: { 200: KeyRevoked('AdminKeyRevoked', 'Every process refuses it from now on.') },
    handle: async ({ adminKey, params: { id }, origin }) => {
      await revokeAdminKey(parts, adminKey, id, origin());
      return { status: 200, body: { id, revoked: true } };
    },
  }),
];
