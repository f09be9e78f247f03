/**
 * Routes of guards: the APIs that check tokens by themselves.
 * @module
 */
import { entryKinds } from '@catalytic/protocol/guards';
import type { MemberId } from '@catalytic/protocol/ids';
import { paths } from '@catalytic/protocol/paths';
import { IdParams, type Route, route } from '../route.ts';
import { Type } from '../schema.ts';
import { cursorCharactersMax } from './cursor.ts';
import type { Polls } from './polls.ts';
import { type RegisterGuardParts, registerGuard } from './register-guard.ts';
import type { GuardStore } from './store.ts';

/** What these routes work with. */
export interface GuardRoutesParts extends RegisterGuardParts {
  readonly polls: Pick<Polls, 'ask'>;
  readonly guards: Pick<GuardStore, 'register' | 'leave'>;
}

const uuid = '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$';
const exampleId = '0198c0de-7a11-7d00-8000-000000000001';

const Kinds = Type.Array(Type.String({ maxLength: 32 }), {
  maxItems: 32,
  description: 'Kinds of entries that the guard knows.',
  examples: [[...entryKinds]],
});

const PollBody = Type.Object(
  {
    after: Type.Optional(
      Type.String({
        maxLength: cursorCharactersMax,
        description: '`cursor` of the page before; absent: from the beginning.',
      }),
    ),
    guard: Type.Optional(
      Type.String({
        pattern: uuid,
        description: 'Id of a registered guard. Asking with it acknowledges what `after` covers.',
        examples: [exampleId],
      }),
    ),
    nonce: Type.String({
      minLength: 1,
      maxLength: 64,
      description: 'Chosen anew for each request; the answer repeats it.',
      examples: ['b0f9d7f2'],
    }),
    wait_ms: Type.Integer({
      minimum: 0,
      maximum: 60_000,
      description: 'How long the request may be held; the service holds it for a second at most.',
      examples: [1000],
    }),
    kinds: Kinds,
  },
  { additionalProperties: false },
);

const PageEntry = Type.Object(
  {
    kind: Type.String({ description: 'What is revoked.', examples: ['session'] }),
    key: Type.String({ description: 'Its id.', examples: [exampleId] }),
    epoch: Type.Optional(
      Type.Integer({ description: 'Of an account or a tenant: tokens of lower epochs are revoked.', examples: [2] }),
    ),
    keeps_sessions: Type.Optional(
      Type.Boolean({ description: 'Only access tokens are outdated; a refresh yields new ones.', examples: [true] }),
    ),
    keep_until: Type.Union([Type.Integer(), Type.Null()], {
      description: 'From when on it may be forgotten, milliseconds since 1970; `null`: never.',
      examples: [1_790_000_000_000],
    }),
  },
  { title: 'Revocation', description: 'One revocation.' },
);

const PageAnswer = Type.Object(
  {
    nonce: Type.String({ description: 'That of the request.', examples: ['b0f9d7f2'] }),
    guard: Type.Union([Type.String(), Type.Null()], { description: 'That of the request.', examples: [exampleId] }),
    history: Type.String({ description: 'Name of the history of the database.', examples: [exampleId] }),
    cursor: Type.String({ description: 'Covers this page and all before.', examples: ['kd93…'] }),
    more: Type.Boolean({ description: 'Whether more pages follow at once.', examples: [false] }),
    lease_ms: Type.Integer({
      description: 'How long the entries may be trusted, milliseconds since the request was sent.',
      examples: [5000],
    }),
    now: Type.Integer({ description: 'Clock of the service, milliseconds since 1970.', examples: [1_790_000_000_000] }),
    keep_ms: Type.Integer({ description: 'How long an entry is kept, milliseconds.', examples: [1_080_000] }),
    keys: Type.String({ description: 'Changes with the published signing keys.', examples: ['Yk3…'] }),
    tenant: Type.Union([Type.String(), Type.Null()], {
      description: 'The only tenant whose tokens the guard may accept; `null`: all.',
      examples: [null],
    }),
    entries: Type.Array(PageEntry, { description: 'At most 10,000.' }),
  },
  { title: 'Revocations', description: 'What the guard lacks.' },
);

const RegistrationBody = Type.Object(
  {
    audience: Type.String({
      minLength: 1,
      maxLength: 2048,
      description: 'Audience of the tokens that the guard accepts.',
      examples: ['https://api.example.com'],
    }),
    name: Type.String({
      minLength: 1,
      maxLength: 100,
      pattern: '^[ -~]+$',
      description: 'Tells guards apart in logs.',
      examples: ['todo-api-1'],
    }),
    kinds: Kinds,
  },
  { additionalProperties: false },
);

const RegisteredAnswer = Type.Object(
  {
    guard: Type.String({ description: 'Its id.', examples: [exampleId] }),
    lease_ms: Type.Integer({ description: 'Length of its lease, milliseconds.', examples: [5000] }),
  },
  { title: 'RegisteredGuard', description: 'Every revocation waits for this guard from now on.' },
);

const LeftAnswer = Type.Object(
  { left: Type.Boolean({ description: 'Whether it was registered with this key.', examples: [true] }) },
  { title: 'GuardLeft', description: 'No revocation waits for it.' },
);

/** The routes, over their use cases. */
export const guardRoutes = (parts: GuardRoutesParts): readonly Route[] => [
  route({
    method: 'POST',
    path: paths.revocations,
    summary: 'Revocations that a guard lacks, as soon as there are some',
    description:
      'The request is held until there is news, or for `wait_ms`. The answer says how long it may be trusted.',
    access: { kind: 'guard' },
    refuses: [
      'guard_outdated',
      'guard_cursor_invalid',
      'guard_not_live',
      'guard_polls_too_many',
      'revocation_state_unavailable',
      'store_unavailable',
    ],
    body: PollBody,
    answers: { 200: PageAnswer },
    handle: async ({ body, guardKey, onClosed }) => ({
      status: 200,
      body: await parts.polls.ask({ poll: body, key: guardKey, onClosed }),
      contentType: 'application/json; charset=utf-8',
    }),
  }),
  route({
    method: 'POST',
    path: paths.guards,
    summary: 'Register a guard: every revocation waits for it from now on',
    access: { kind: 'guard' },
    refuses: [
      'guard_audience_wrong',
      'guard_outdated',
      'guards_too_many',
      'guards_unsteady',
      'guards_unavailable',
      'store_unavailable',
    ],
    body: RegistrationBody,
    answers: { 201: RegisteredAnswer },
    handle: async ({ body, guardKey }) => ({ status: 201, body: await registerGuard(parts, guardKey, body) }),
  }),
  route({
    method: 'DELETE',
    path: paths.guard,
    summary: 'A guard leaves: it accepts no token any more',
    access: { kind: 'guard' },
    refuses: ['store_unavailable'],
    params: IdParams,
    answers: { 200: LeftAnswer },
    handle: async ({ params: { id }, guardKey }) => ({
      status: 200,
      body: { left: await parts.guards.leave({ id: id as MemberId, key: guardKey.id }) },
    }),
  }),
];
