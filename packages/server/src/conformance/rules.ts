/**
 * The rules that a guard must obey, as `catalytic guard-conformance` names them. `docs/reference/guard-protocol.md` explains each.
 * @module
 */

/** What each rule says of a guard. */
export const conformanceRules = {
  'live-token-accepted': 'a live token is accepted once a page has renewed the lease',
  'request-form':
    'polls and registrations carry the key, a fresh nonce, a whole wait_ms and every kind, and nothing else',
  'token-checked': 'form, algorithm, type, key, signature, claims and times of a token are checked as the vectors say',
  challenge: 'a 401 carries a Bearer challenge: invalid_token with a token, no error without one',
  'revoked-once-acknowledged': 'a token is refused from the moment when the poll that covers its revocation arrives',
  'asked-again-at-once': 'the next poll follows a page at once: sign-outs wait for it',
  'pages-remove-nothing': 'what one page has revoked stays revoked after the next',
  'epochs-never-fall': 'an entry with a lower epoch changes nothing',
  'kept-long-enough': 'a revocation is kept for keep_ms on the monotonic clock, whatever the wall clock says',
  'keys-followed':
    'another value of `keys` has the signing keys fetched: new ones are accepted, withdrawn ones refused',
  'lease-ends': 'nothing is accepted after the time of sending plus lease_ms',
  'lease-counts-from-sending': 'a lease counts from the sending of its poll, however late the answer is',
  'late-answer-grants-nothing': 'an answer that arrives after its own lease grants nothing',
  'lease-only-lengthens': 'a page with a shorter lease leaves the longer one as it is',
  'unavailable-is-503': 'while the guard is not current, it answers 503 with Retry-After',
  'unknown-key-while-stale': 'an unknown signing key is answered 503, not 401, while the guard is not current',
  'silence-given-up': 'a poll without an answer is given up, and repeated on another connection',
  'new-connection-after-failure': 'after a page that was not taken the next poll opens another connection',
  'answer-of-another-request': 'a page counts only with the nonce and the id of its poll',
  'unknown-kind-not-taken': 'nothing is kept of a page with an unknown kind: neither its cursor nor its lease',
  'truncated-page-not-taken': 'nothing is kept of a page that has not arrived whole',
  'registered-before-accepting': 'a strict guard accepts nothing by pages that were not for its registered id',
  'not-live-keeps-lease':
    'a guard that is told guard_not_live registers anew, and keeps its cursor and the lease that runs',
  'former-left-after-renewal': 'a former id is left after the first page that renewed under the new one, not before',
  'other-history-starts-over': 'in another history nothing is accepted until everything is loaded under a new id',
  'part-grants-nothing': 'nothing is accepted by a page that more follow',
  'tenant-kept': 'with the key of a tenant, tokens of other tenants are refused',
  'wrong-clock-accepts-nothing': 'nothing is accepted while the clock differs from `now` by more than a minute',
  'pause-outlives-no-lease':
    'a process that was paused for longer than its lease accepts nothing by an answer from before',
  'left-on-stop': 'on SIGTERM the guard accepts nothing again, then leaves, and its process ends',
} as const;

/** The name of a rule. */
export type RuleName = keyof typeof conformanceRules;

/** Names of all rules, in the order in which they are tried. */
export const ruleNames = Object.keys(conformanceRules) as readonly RuleName[];
