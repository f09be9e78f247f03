/**
 * Route of signing keys for administrators.
 * @module
 */
import type { KeyId } from '@catalytic/protocol/ids';
import { paths } from '@catalytic/protocol/paths';
import { revokedAnswer, revokedAnswers } from '../revocation/propagation-answer.ts';
import { type Route, route } from '../route.ts';
import { Type } from '../schema.ts';
import { type KillSigningKeyParts, killSigningKey } from './kill-signing-key.ts';
import { signingKeyIdPattern } from './rules.ts';

/** The routes, over their use cases. */
export const signingKeyAdminRoutes = (parts: KillSigningKeyParts): readonly Route[] => [
  route({
    method: 'POST',
    path: paths.signingKeyKill,
    summary: 'Kill a signing key: every token that it signed is revoked',
    description:
      'For a key that may have leaked. Sessions go on: their clients refresh, and get tokens of another key, which is made if none is left. Verifiers that cache the keys refuse its tokens until they fetch the keys again.',
    access: { kind: 'admin', scope: 'signing-keys:write' },
    listener: 'operate',
    refuses: ['signing_key_not_found', 'revocation_unknown'],
    params: Type.Object(
      {
        kid: Type.String({
          pattern: signingKeyIdPattern,
          description: 'The key: `kid` in the header of its tokens.',
          examples: ['zE3jW-iYHi-rkAk4rhLTbIAdAbWtGiJj-7UXJB2KLPU'],
        }),
      },
      { additionalProperties: false },
    ),
    answers: revokedAnswers,
    handle: async ({ adminKey, params, origin }) =>
      revokedAnswer(await killSigningKey(parts, adminKey, params.kid as KeyId, origin())),
  }),
];
