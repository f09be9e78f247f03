/**
 * Every event of the audit trail, in one table. `docs/reference/audit-events.md` is generated from
 * it.
 *
 * Names are those of the OWASP logging vocabulary
 * (https://cheatsheetseries.owasp.org/cheatsheets/Logging_Vocabulary_Cheat_Sheet.html). A name or a
 * reason never changes its meaning: rows outlive versions.
 * @module
 */

/**
 * The sessions that end: the one that the row names, all of its account, all of its tenant, or all.
 */
export type Reach = 'session' | 'account' | 'tenant' | 'deployment';

/** Why an event happened, and which sessions it ends. */
export interface ReasonDescription {
  /** One sentence. */
  readonly sentence: string;
  /** The sessions that end. @default none */
  readonly ends?: Reach;
  /**
   * Whether the act costs its client next to nothing, so that it can be repeated without end. Such
   * acts get few rows (`rows-of-kind.ts`).
   * @default false
   */
  readonly isFree?: true;
  /** The cause in words that follow "it was ended at … by"; given where `ends` is. */
  readonly endedBy?: string;
}

/** One event. */
export interface EventDescription {
  /** One sentence. */
  readonly sentence: string;
  /** Who can be the actor. */
  readonly actors: string;
  /** The closed list of its reasons. */
  readonly reasons: Readonly<Record<string, ReasonDescription>>;
}

/** Every event. */
export const auditEvents = {
  authn_login_success: {
    sentence: 'A session was opened.',
    actors: 'self',
    reasons: {
      password: { sentence: 'The password was right.' },
      password_change: { sentence: 'It replaces the sessions that a password change ended.' },
    },
  },
  authn_login_fail: {
    sentence: 'A sign-in was refused.',
    actors: 'self',
    reasons: {
      password_wrong: { sentence: 'The account exists, the password was wrong.' },
      password_changed: { sentence: 'The password was changed while it was being checked.' },
      hash_unreadable: {
        sentence: 'The stored hash of the account cannot be read, so no password is right; the log has an error.',
      },
      account_unknown: { sentence: 'The tenant has no such account; the email that was given is not kept.' },
      account_disabled: { sentence: 'The password was right, the account is disabled.' },
      roles_too_large: {
        sentence: 'The password was right, the roles of the account do not fit into an access token.',
      },
      tenant_suspended: { sentence: 'The password was right, the tenant is suspended.' },
    },
  },
  authn_password_change: {
    sentence: 'A password was changed.',
    actors: 'self',
    reasons: {
      changed: {
        sentence: 'Every session of the account ended; the row names the session that asked.',
        ends: 'account',
        endedBy: 'a password change',
      },
    },
  },
  authn_password_change_fail: {
    sentence: 'A password change was refused; nothing ended.',
    actors: 'self',
    reasons: {
      password_wrong: { sentence: 'The session was valid, but the current password that was given was wrong.' },
      hash_unreadable: {
        sentence: 'The stored hash of the account cannot be read, so no password is right; the log has an error.',
      },
    },
  },
  session_expired: {
    sentence: 'A session ended otherwise than by signing out.',
    actors: 'self, key:ID, cli',
    reasons: {
      revoked: {
        sentence: 'Another session of the account, `subject`, ended it.',
        ends: 'session',
        endedBy: 'another session of the account',
      },
      limit: {
        sentence: 'The account had too many sessions; the sign-in of the same request took its place.',
        ends: 'session',
        endedBy: 'a further sign-in, because the account had too many sessions',
      },
      signed_out: {
        sentence: 'An administrator signed the account out, everywhere.',
        ends: 'account',
        endedBy: 'an administrator, who signed the account out everywhere',
      },
    },
  },
  authn_token_created: {
    sentence: 'A key for the service itself was made; `subject` is its id.',
    actors: 'key:ID, cli, system',
    reasons: {
      admin_key: { sentence: 'A key for the admin routes.' },
      guard_key: { sentence: 'A key for guards, which follow revocations.' },
    },
  },
  authn_token_revoked: {
    sentence: 'Tokens or keys became invalid before they expired.',
    actors: 'self, key:ID, cli, system',
    reasons: {
      admin_key: { sentence: 'The admin key `subject` was revoked.' },
      guard_key: { sentence: 'The guard key `subject` was revoked, and its guards were marked as leaving.' },
      logout: { sentence: 'The session was signed out.', ends: 'session', endedBy: 'a sign-out' },
      logout_all: {
        sentence: 'Every session of the account was signed out; the row names the session that asked.',
        ends: 'account',
        endedBy: 'a sign-out everywhere',
      },
    },
  },
  authn_token_reuse: {
    sentence: 'A token was used again after it had been used up.',
    actors: 'self',
    reasons: {
      refresh_reused: {
        sentence:
          'A refresh token was used twice, after its grace window, and so was its successor: it may be stolen, so its session ended.',
        ends: 'session',
        endedBy: 'a refresh token that was used twice',
      },
      superseded_used: {
        sentence:
          'A refresh token was used after another had superseded it (`answer_lost`): two clients have it, so its session ended.',
        ends: 'session',
        endedBy: 'a refresh token that another had superseded',
      },
      answer_lost: {
        sentence:
          'A refresh token was used twice, after its grace window, and its successor never: the client got another one, which supersedes that successor.',
      },
    },
  },
  user_created: {
    sentence: 'An account was made.',
    actors: 'self, key:ID, cli',
    reasons: {
      registered: { sentence: 'A person registered, or an administrator made it: the actor says which.' },
      imported: { sentence: 'It was imported.' },
    },
  },
  user_updated: {
    sentence: 'An account was changed.',
    actors: 'self, key:ID, cli',
    reasons: {
      hash_upgraded: { sentence: 'A successful sign-in replaced the hash of the password by one of the present cost.' },
      disabled: {
        sentence: 'It was disabled, and all of its sessions ended.',
        ends: 'account',
        endedBy: 'the disabling of the account',
      },
      enabled: { sentence: 'It was made active again.' },
      roles_changed: { sentence: 'It got other roles: its access tokens were outdated, its sessions went on.' },
      email_changed: { sentence: 'An administrator changed its email.' },
      password_reset: {
        sentence: 'An administrator set another password: every session of it ended.',
        ends: 'account',
        endedBy: 'an administrator, who set another password',
      },
    },
  },
  user_deleted: {
    sentence: 'An account was deleted.',
    actors: 'key:ID, cli',
    reasons: {
      deleted: {
        sentence: 'Email, password and roles are gone, every session ended; the rows of this trail stay.',
        ends: 'account',
        endedBy: 'the deletion of the account',
      },
    },
  },
  authz_fail: {
    sentence: 'A request with an admin key or a guard key was refused.',
    actors: 'self',
    reasons: {
      admin_key_invalid: { sentence: 'The admin key that was given is not valid; it is not kept.', isFree: true },
      admin_key_expired: { sentence: 'The time of the admin key `subject` is over.', isFree: true },
      guard_key_invalid: { sentence: 'The guard key that was given is not valid; it is not kept.', isFree: true },
      guard_key_expired: { sentence: 'The time of the guard key `subject` is over.', isFree: true },
      admin_scope_insufficient: { sentence: 'The admin key `subject` may not do that.', isFree: true },
    },
  },
  authz_admin: {
    sentence: 'An operator, or the service itself, changed the deployment.',
    actors: 'key:ID, cli, system',
    reasons: {
      tenant_created: { sentence: 'A tenant was made.' },
      tenant_suspended: {
        sentence: 'A tenant was suspended, and all of its sessions ended.',
        ends: 'tenant',
        endedBy: 'the suspension of the tenant',
      },
      registration_changed: { sentence: 'The registrations that a tenant admits were changed.' },
      invitation_created: { sentence: 'An invitation to register once in a tenant was made.' },
      tenant_resumed: { sentence: 'A suspended tenant was made active again.' },
      signing_key_created: { sentence: 'The first signing key was made; `subject` is its id.' },
      signing_key_rotated: { sentence: 'A successor was added to the signing keys; `subject` is its id.' },
      signing_key_killed: { sentence: 'No token of the signing key `subject` is accepted any more.' },
      history_begun: {
        sentence:
          'A backup was restored, and every session ended; `subject` is the signing key made for the time after it.',
        ends: 'deployment',
        endedBy: 'the restoring of a backup',
      },
    },
  },
  sys_startup: {
    sentence: 'A process began to serve; `subject` names it.',
    actors: 'system',
    reasons: { ready: { sentence: 'It accepts requests.' } },
  },
  sys_shutdown: {
    sentence: 'A process stopped in order; a process that is killed leaves no such row.',
    actors: 'system',
    reasons: { stopped: { sentence: 'It was asked to stop.' } },
  },
} as const satisfies Record<string, EventDescription>;

type Table = typeof auditEvents;

/** Name of an event. */
export type AuditEvent = keyof Table;

/** Reasons of one event. */
export type AuditReason<Event extends AuditEvent = AuditEvent> = {
  [Name in Event]: keyof Table[Name]['reasons'] & string;
}[Event];

/** An event with one of its own reasons. */
export type AuditAct = {
  [Name in AuditEvent]: { readonly event: Name; readonly reason: AuditReason<Name> };
}[AuditEvent];

/** Whether a text names an event. */
export const isAuditEvent = (text: string): text is AuditEvent => Object.hasOwn(auditEvents, text);

/** Looks a reason up; `undefined` for one of a later or earlier version. */
export const reasonOf = (event: string, reason: string | null): ReasonDescription | undefined => {
  if (!isAuditEvent(event) || reason === null) return undefined;
  const { reasons }: EventDescription = auditEvents[event];
  return Object.hasOwn(reasons, reason) ? reasons[reason] : undefined;
};

/** Events that can end sessions of this reach. */
export const eventsThatEnd = (reach: Reach): readonly AuditEvent[] =>
  Object.entries<EventDescription>(auditEvents).flatMap(([event, { reasons }]) =>
    isAuditEvent(event) && Object.values(reasons).some(({ ends }) => ends === reach) ? [event] : [],
  );
