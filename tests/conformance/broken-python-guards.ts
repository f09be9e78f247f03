/**
 * The guard in Python with one fault each, and the rule that each fault breaks.
 * @module
 */
import type { BrokenGuard } from './broken-guards.ts';

const file = 'guard.py';

/** The faults; files are those of `examples/python-guard`. */
export const brokenPythonGuards: readonly BrokenGuard[] = [
  {
    rule: 'token-checked',
    file: 'tokens.py',
    from: 'if algorithm == "ES256" and int.from_bytes(signature[32:], "big") > P256_ORDER // 2:',
    to: 'if False:',
  },
  {
    rule: 'revoked-once-acknowledged',
    file,
    from: 'self.cursor, self.identity, self.tenant = page["cursor"], identity, page["tenant"]',
    to: 'self.cursor, self.identity, self.tenant = page["cursor"], identity, None; self.view = {("session", "none"): (0, 0, 0)}',
  },
  {
    rule: 'lease-ends',
    file,
    from: 'return time.monotonic() - sent < seconds and abs(time.time() - sent_wall) < seconds',
    to: 'return time.monotonic() - sent < 2 * seconds + 1',
  },
  {
    rule: 'lease-counts-from-sending',
    file,
    from: 'self.lease = (sent, sent_wall, lease_ms / 1000)',
    to: 'self.lease = (time.monotonic(), time.time(), lease_ms / 1000)',
  },
  {
    rule: 'late-answer-grants-nothing',
    file,
    from: 'sent, sent_wall = time.monotonic(), time.time()\n        status, value = self.service.poll(poll, hold_ms / 1000 + 0.5)',
    to: 'status, value = self.service.poll(poll, 30)\n        sent, sent_wall = time.monotonic(), time.time()',
  },
  {
    rule: 'lease-only-lengthens',
    file,
    from: 'if renews and (is_longer or not self._is_current()):',
    to: 'if renews:',
  },
  {
    rule: 'answer-of-another-request',
    file,
    from: 'if page["nonce"] != poll["nonce"] or page["guard"] != poll.get("guard"):',
    to: 'if False:',
  },
  { rule: 'unknown-kind-not-taken', file, from: 'if kind not in KINDS or', to: 'if' },
  {
    rule: 'registered-before-accepting',
    file,
    from: 'renews = not more and self.id is not None and',
    to: 'renews = not more and',
  },
  {
    rule: 'part-grants-nothing',
    file,
    from: 'renews = not more and self.id is not None and lease_ms > 0 and',
    to: 'lease_ms = lease_ms or 2000; renews =',
  },
  { rule: 'other-history-starts-over', file, from: 'if self.identity not in (None, identity):', to: 'if False:' },
  {
    rule: 'not-live-keeps-lease',
    file,
    from: 'self.former, self.id = [self.id, *self.former][:10], None',
    to: 'self.former, self.id = [self.id, *self.former][:10], None; self.lease = None',
  },
  {
    rule: 'wrong-clock-accepts-nothing',
    file,
    from: 'or time.time() < now - CLOCK_SKEW',
    to: '',
  },
  {
    rule: 'left-on-stop',
    file,
    from: '        with self.changed:\n            self.stopping.set()',
    to: '        self.service.leave([self.id])\n        with self.changed:\n            self.stopping.set()',
  },
];
