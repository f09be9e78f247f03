/**
 * Use case part: an account as administrators see it.
 * @module
 */
import { type Schema, Type } from '../schema.ts';
import type { Account } from './store.ts';

/** Schema of {@link accountAnswer}. */
export const AccountAnswer: Schema = Type.Object(
  {
    id: Type.String({
      description: 'The account: claim `sub` of its tokens.',
      examples: ['01a2119f-28ab-7cd0-9da2-d1309a4329b7'],
    }),
    email: Type.String({ description: 'The email address.', examples: ['grace@example.com'] }),
    tenant_id: Type.String({ description: 'Its tenant.', examples: ['01a2119f-24ed-72ac-911e-1ef07c744860'] }),
    status: Type.String({ description: '`active` or `disabled`.', examples: ['active'] }),
    roles: Type.Array(Type.String(), { description: 'Its roles.', examples: [['editor']] }),
    created_at: Type.String({ description: 'When it was made (RFC 3339).', examples: ['2026-01-01T00:00:00.000Z'] }),
  },
  { title: 'AdministeredAccount', description: 'The account.' },
);

/** The account in the words of the API: never anything of its password. */
export const accountAnswer = (account: Account): Readonly<Record<string, unknown>> => ({
  id: account.id,
  email: account.email,
  tenant_id: account.tenantId,
  status: account.status,
  roles: account.roles,
  created_at: new Date(account.createdAtMs).toISOString(),
});
