/**
 * Routes of guard keys, for administrators.
 * @module
 */
import { paths } from '@catalytic/protocol/paths';
import { AnsweredKeyId, KeyIdParams, KeyRevoked, KeysQuery, keyTimeFields } from '../admin-keys/key-answer.ts';
import { pageOfKeys } from '../admin-keys/page-of-keys.ts';
import { keyLifeSecondsMax } from '../admin-keys/rules.ts';
import { NextCursor, nextCursorOf, type Route, route } from '../route.ts';
import { Type } from '../schema.ts';
import { storableTextPattern } from '../storable-text.ts';
import { administeredTenant } from '../tenants/administered-tenant.ts';
import { tenantNamePattern } from '../tenants/rules.ts';
import type { TenantStore } from '../tenants/store.ts';
import { createGuardKey, guardKeyPrefix } from './create-guard-key.ts';
import { guardKeyAnswer, revokeGuardKey } from './revoke-guard-key.ts';
import { guardsMaxMost, usualGuardsMax } from './rules.ts';
import type { GuardKeyStore } from './store.ts';

/** What these routes work with. */
export interface GuardKeyRoutesParts {
  readonly guardKeys: GuardKeyStore;
  readonly tenants: TenantStore;
  readonly nowMs: () => number;
}

const CreateBody = Type.Object(
  {
    tenant: Type.Optional(
      Type.String({
        pattern: tenantNamePattern,
        description: 'Name of the only tenant whose revocations it is given; that of the admin key, or else all.',
        examples: ['acme'],
      }),
    ),
    description: Type.Optional(
      Type.String({
        maxLength: 200,
        pattern: storableTextPattern,
        description: 'What it is for.',
        examples: ['todo API'],
      }),
    ),
    expires_in: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: keyLifeSecondsMax,
        description: 'Seconds until it is refused; absent: it has no end.',
        examples: [7_776_000],
      }),
    ),
    guards_max: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: guardsMaxMost,
        description: `Most guards that may be registered with it at once; absent: ${usualGuardsMax}. With 0 its guards only follow.`,
        examples: [usualGuardsMax],
      }),
    ),
  },
  { additionalProperties: false, title: 'CreateGuardKey' },
);

const guardKeyFields = {
  id: AnsweredKeyId,
  description: Type.String({ description: 'What it is for.', examples: ['todo API'] }),
  tenant_id: Type.Union([Type.String(), Type.Null()], {
    description: 'The only tenant whose revocations it is given; `null`: all.',
    examples: [null],
  }),
  guards_max: Type.Integer({
    description: 'Most guards that may be registered with it at once.',
    examples: [usualGuardsMax],
  }),
  ...keyTimeFields,
};

const CreatedAnswer = Type.Object(
  {
    key: Type.String({
      description: 'The key itself. It is shown once.',
      examples: [`${guardKeyPrefix}H-tMrd4pHaRYGeEjEUvDxrJHfRVIwJpNfZHgQJ4B7Zs`],
    }),
    ...guardKeyFields,
  },
  { title: 'CreatedGuardKey', description: 'A new guard key.' },
);

const GuardKeyAnswer = Type.Object(guardKeyFields, {
  title: 'GuardKey',
  description: 'A guard key, without its secret.',
});

const GuardKeysAnswer = Type.Object(
  { guard_keys: Type.Array(GuardKeyAnswer, { description: 'By id.' }), next_cursor: Type.Optional(NextCursor) },
  { title: 'GuardKeys', description: 'A page of guard keys.' },
);

/** The routes, over their use cases. */
export const guardKeyRoutes = (parts: GuardKeyRoutesParts): readonly Route[] => [
  route({
    method: 'GET',
    path: paths.guardKeys,
    summary: 'The guard keys, with their end and their last use',
    description: 'An admin key that is bound to a tenant sees the keys of that tenant.',
    access: { kind: 'admin', scope: 'guard-keys:read' },
    listener: 'operate',
    query: KeysQuery,
    answers: { 200: GuardKeysAnswer },
    handle: async ({ adminKey, query }) => {
      const { keys, nextCursor } = await pageOfKeys(parts.guardKeys, adminKey, query.cursor);
      return { status: 200, body: { guard_keys: keys.map(guardKeyAnswer), ...nextCursorOf(nextCursor) } };
    },
  }),
  route({
    method: 'POST',
    path: paths.guardKeys,
    summary: 'Make a guard key, with which APIs follow revocations',
    description: 'An admin key that is bound to a tenant makes keys of that tenant.',
    access: { kind: 'admin', scope: 'guard-keys:write' },
    listener: 'operate',
    refuses: ['tenant_unknown'],
    body: CreateBody,
    isBodyOptional: true,
    answers: { 201: CreatedAnswer },
    handle: async ({ adminKey, body, origin }) => {
      const tenantId =
        body.tenant === undefined
          ? adminKey.tenantId
          : (await administeredTenant(parts.tenants, adminKey, body.tenant)).id;
      const { secret, key } = await createGuardKey(
        parts,
        {
          tenantId,
          guardsMax: body.guards_max ?? usualGuardsMax,
          description: body.description ?? '',
          expiresAtMs: body.expires_in === undefined ? null : parts.nowMs() + body.expires_in * 1000,
        },
        origin(),
      );
      return { status: 201, body: { key: secret, ...guardKeyAnswer(key) } };
    },
  }),
  route({
    method: 'DELETE',
    path: paths.guardKey,
    summary: 'Revoke a guard key: its guards are told of no revocation any more',
    description:
      'Guards that are registered with it accept tokens until their leases are over, at most half a minute; sign-outs wait for them.',
    access: { kind: 'admin', scope: 'guard-keys:write' },
    listener: 'operate',
    refuses: ['guard_key_not_found'],
    params: KeyIdParams,
    answers: { 200: KeyRevoked('GuardKeyRevoked', 'Each process refuses it once it has read the journal again.') },
    handle: async ({ adminKey, params: { id }, origin }) => {
      await revokeGuardKey(parts, adminKey, id, origin());
      return { status: 200, body: { id, revoked: true } };
    },
  }),
];
