/**
 * Which tokens the entries of pages revoke, as data that our own view agrees with.
 * @module
 */
import assert from 'node:assert/strict';
import { type KeptRevocation, View } from '@catalytic/guard/view';
import type { AccessTokenClaims } from '@catalytic/protocol/claims';
import type { PageEntry } from '@catalytic/protocol/guards';

type Verdict = 'alive' | 'token_revoked' | 'token_outdated';

interface Script {
  readonly name: string;
  /** In the order in which they arrive. */
  readonly entries: readonly PageEntry[];
  /** What differs from the usual token, and its verdict. */
  readonly tokens: readonly (readonly [Readonly<Record<string, string | number>>, Verdict])[];
}

const usual = { sub: 'account-1', tid: 'tenant-1', sid: 'session-1', jti: 'token-1', kid: 'key-1', aep: 5, tep: 5 };
const until = 1_800_001_080_000;
const account = { kind: 'account', key: 'account-1', keep_until: until } as const;
const tenant = { kind: 'tenant', key: 'tenant-1', keep_until: until } as const;

const scripts: readonly Script[] = [
  { name: 'nothing', entries: [], tokens: [[{}, 'alive']] },
  {
    name: 'a session',
    entries: [{ kind: 'session', key: 'session-1', keep_until: until }],
    tokens: [
      [{}, 'token_revoked'],
      [{ jti: 'token-2' }, 'token_revoked'],
      [{ sid: 'session-2' }, 'alive'],
    ],
  },
  {
    name: 'a token',
    entries: [{ kind: 'token', key: 'token-1', keep_until: until }],
    tokens: [
      [{}, 'token_revoked'],
      [{ jti: 'token-2' }, 'alive'],
    ],
  },
  {
    name: 'a signing key',
    entries: [{ kind: 'key', key: 'key-1', keep_until: null }],
    tokens: [
      [{}, 'token_revoked'],
      [{ kid: 'key-2' }, 'alive'],
    ],
  },
  {
    name: 'kinds do not share their keys',
    entries: [{ kind: 'token', key: 'session-1', keep_until: until }],
    tokens: [[{}, 'alive']],
  },
  {
    name: 'an account: tokens of lower epochs',
    entries: [{ ...account, epoch: 5 }],
    tokens: [
      [{ aep: 4 }, 'token_revoked'],
      [{ aep: 5 }, 'alive'],
      [{ aep: 6 }, 'alive'],
      [{ aep: 4, sub: 'account-2' }, 'alive'],
    ],
  },
  {
    name: 'a tenant: tokens of lower epochs',
    entries: [{ ...tenant, epoch: 6 }],
    tokens: [
      [{}, 'token_revoked'],
      [{ tep: 6 }, 'alive'],
      [{ tid: 'tenant-2' }, 'alive'],
    ],
  },
  {
    name: 'an epoch never falls',
    entries: [
      { ...account, epoch: 6 },
      { ...account, epoch: 3 },
    ],
    tokens: [[{}, 'token_revoked']],
  },
  {
    name: 'the rights of an account have changed: its sessions go on',
    entries: [{ ...account, epoch: 6, keeps_sessions: true }],
    tokens: [
      [{}, 'token_outdated'],
      [{ aep: 6 }, 'alive'],
    ],
  },
  {
    name: 'the rights have changed, and earlier sessions have ended',
    entries: [
      { ...account, epoch: 4 },
      { ...account, epoch: 6, keeps_sessions: true },
    ],
    tokens: [
      [{ aep: 3 }, 'token_revoked'],
      [{ aep: 4 }, 'token_outdated'],
      [{ aep: 5 }, 'token_outdated'],
    ],
  },
  {
    name: 'the rights have changed, and the session has ended',
    entries: [
      { ...account, epoch: 6, keeps_sessions: true },
      { kind: 'session', key: 'session-1', keep_until: until },
    ],
    tokens: [[{}, 'token_revoked']],
  },
];

const keptOf = ({ keep_until: keepUntilMs, keeps_sessions: keepsSessions, ...rest }: PageEntry): KeptRevocation =>
  ({ ...rest, keepUntilMs, ...(keepsSessions === true && { keepsSessions }) }) as KeptRevocation;

const verdictOf = (view: View, claims: AccessTokenClaims, kid: string): Verdict => {
  if (!view.isRevoked(claims, kid)) return 'alive';
  return view.isOnlyOutdated(claims, kid) ? 'token_outdated' : 'token_revoked';
};

/** The vectors. @throws AssertionError when our view does not say what the table says */
export const viewVectors = (): readonly object[] =>
  scripts.map(({ name, entries, tokens }) => {
    const view = new View();
    view.apply(entries.map(keptOf));
    const judged = tokens.map(([change, verdict]) => {
      const { kid, ...claims } = { ...usual, ...change };
      assert.equal(verdictOf(view, claims as unknown as AccessTokenClaims, String(kid)), verdict, name);
      return { kid, ...claims, verdict };
    });
    return { name, entries, tokens: judged };
  });
