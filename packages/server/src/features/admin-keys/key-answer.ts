/**
 * How keys of the service stand in answers and requests of the API: what admin keys and guard keys
 * have in common.
 * @module
 */
import { Type } from '../schema.ts';
import { keyIdPattern } from './rules.ts';
import type { StoredKey } from './store.ts';

const exampleId = '9f86d081884c';
const exampleTime = '2026-01-01T00:00:00.000Z';

const KeyId = (description: string) => Type.String({ pattern: keyIdPattern, description, examples: [exampleId] });

const Time = (description: string) =>
  Type.Union([Type.String(), Type.Null()], { description, examples: [exampleTime] });

/** The id of a key, in an answer. */
export const AnsweredKeyId = Type.String({
  description: 'Its name in the audit trail; no secret.',
  examples: [exampleId],
});

/** The open segment of a path that names a key. */
export const KeyIdParams = Type.Object({ id: KeyId('Its id.') }, { additionalProperties: false });

/** A query for a page of keys. */
export const KeysQuery = Type.Object(
  { cursor: Type.Optional(KeyId('`next_cursor` of the page before.')) },
  { additionalProperties: false },
);

/** The times of a key. */
export const keyTimeFields = {
  created_at: Type.String({ description: 'When it was made (RFC 3339).', examples: [exampleTime] }),
  expires_at: Time('From when on it is refused; `null`: never.'),
  last_used_at: Time('When it was last accepted, to the minute; `null`: not yet.'),
} as const;

/**
 * The answer to a revocation.
 * @param title its name in the API's description
 * @param effect what it means that the key is revoked
 */
export const KeyRevoked = (title: string, effect: string) =>
  Type.Object(
    {
      id: Type.String({ description: 'The key.', examples: [exampleId] }),
      revoked: Type.Boolean({ description: effect, examples: [true] }),
    },
    { title, description: 'The key is gone.' },
  );

const time = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());

/** The times of a key in the words of the API and of the command line. */
export const keyTimes = ({
  createdAtMs,
  expiresAtMs,
  lastUsedAtMs,
}: Omit<StoredKey, 'id'> & { readonly createdAtMs: number }): Readonly<Record<string, unknown>> => ({
  created_at: time(createdAtMs),
  expires_at: time(expiresAtMs),
  last_used_at: time(lastUsedAtMs),
});
