"""A strict guard for Catalytic in Python: a token is dead here when its sign-out has answered 200.

It follows docs/reference/guard-protocol.md. A thread polls; requests are judged in their own
threads, from memory. Everything that both use is changed under one lock.
"""

import os
import random
import re
import socket
import threading
import time
import uuid

from service import FAILURES, Service
from tokens import CLOCK_SKEW, check_signed, header_of, key_of, refusal_of_claims

KINDS = ["token", "session", "account", "tenant", "key"]
LEASE_MS_MAX = 31_000
ENTRIES_MAX = 2_000_000


class Guard:
    def __init__(self, issuer, key, url=None, audience=None, name=None):
        self.issuer, self.audience = issuer, audience or issuer
        self.service = Service(url or issuer, key)
        self.name = name or socket.gethostname()[:100]
        self.changed = threading.Condition()
        self.stopping = threading.Event()
        self.process = os.getpid()
        self.keys, self.keys_version, self.keys_wanted = {}, None, None
        self.id, self.former, self.row_lease_ms, self.register_at = None, [], 2000, 0.0
        self.tenant, self.keys_asked = None, 0.0
        self._start_over()
        self.thread = threading.Thread(target=self._run, daemon=True)

    def start(self):
        self.thread.start()
        return self

    def stop(self):
        """Accepts nothing again, whatever still arrives; only then leaves."""
        with self.changed:
            self.stopping.set()
            self.lease = None
        self.service.hang_up()
        self.thread.join()
        self.service.leave(self.former + ([self.id] if self.id else []))

    def judge(self, authorization):
        """The claims of an accepted token, or the code of the refusal. Never store the answer."""
        match = re.fullmatch(r"bearer ([^\s,]+)", authorization or "", re.IGNORECASE)
        if match is None:
            return "token_missing"
        with self.changed:
            verdict = self._judge(match[1])
            if verdict == "verdict_unavailable" and not self.stopping.is_set():
                self.changed.wait_for(self._is_current, 0.25)
                verdict = self._judge(match[1])
        return verdict

    def _judge(self, token):
        claims, key = check_signed(token, self.keys)
        if claims == "token_key_unknown":
            is_known = self._is_current() and self.keys_version == self.keys_wanted
            return claims if is_known else "verdict_unavailable"
        if isinstance(claims, str):
            return claims
        refused = refusal_of_claims(claims, self.issuer, self.audience, time.time())
        if refused is not None:
            return refused
        if not self._is_current():
            return "verdict_unavailable"
        if self._is_revoked(claims, key.key_id):
            return "token_revoked"
        return claims if self.tenant in (None, claims["tid"]) else "tenant_wrong"

    def _is_revoked(self, claims, kid):
        view = self.view
        return (
            ("session", claims["sid"]) in view
            or ("token", claims["jti"]) in view
            or ("key", kid) in view
            or claims["aep"] < view.get(("account", claims["sub"]), (0,))[0]
            or claims["tep"] < view.get(("tenant", claims["tid"]), (0,))[0]
        )

    def _is_current(self):
        """Reads both clocks: neither may have moved by the lease since the sending."""
        if self.lease is None or not self.keys or self.process != os.getpid():
            return False
        sent, sent_wall, seconds = self.lease
        return time.monotonic() - sent < seconds and abs(time.time() - sent_wall) < seconds

    def _run(self):
        may_hold, swept = False, time.monotonic()
        while not self.stopping.is_set():
            try:
                may_hold = self._round(may_hold)
            except FAILURES:
                # Nothing of the answer is kept, and the next poll opens another connection.
                may_hold = False
                self.service.hang_up()
                self.stopping.wait(random.uniform(0.05, 0.25))
            if time.monotonic() - swept > 60:
                swept = time.monotonic()
                self._sweep(swept)

    def _round(self, may_hold):
        if self.id is None and self.is_loaded and time.monotonic() >= self.register_at:
            self._register()
        hold_ms = min(1000, self.row_lease_ms // 5) if may_hold else 0
        poll = {"nonce": uuid.uuid4().hex, "wait_ms": hold_ms, "kinds": KINDS}
        if self.cursor is not None:
            poll["after"] = self.cursor
        if self.id is not None:
            poll["guard"] = self.id
        sent, sent_wall = time.monotonic(), time.time()
        status, value = self.service.poll(poll, hold_ms / 1000 + 0.5)
        if status == 409 and value.get("code") == "guard_not_live" and self.id is not None:
            # View, cursor and the lease that runs are kept; the former id goes later.
            self.former, self.id = [self.id, *self.former][:10], None
            self.service.hang_up()
            return False
        if status == 400 and value.get("code") == "guard_cursor_invalid":
            self._start_over()
        if status == 401:
            self.stopping.wait(10)
        if status != 200:
            raise ValueError(f"a poll was answered {status}")
        return self._take(value, poll, sent, sent_wall)

    def _take(self, page, poll, sent, sent_wall):
        """Takes a page whole or not at all: entries, cursor and lease under one lock."""
        if page["nonce"] != poll["nonce"] or page["guard"] != poll.get("guard"):
            raise ValueError("the answer belongs to another request")
        entries = [entry_of(entry) for entry in page["entries"]]
        lease_ms, now, more = page["lease_ms"], page["now"] / 1000, page["more"]
        is_page = isinstance(more, bool) and isinstance(page["cursor"], str)
        if not is_page or not 0 <= lease_ms <= LEASE_MS_MAX:
            raise ValueError("the answer is no page")
        if len(self.view) + len(entries) > ENTRIES_MAX:
            raise ValueError("there is no room for its entries")
        identity = (str(page["history"]), page["tenant"])
        if self.identity not in (None, identity):
            self._start_over()
            raise ValueError("another history")
        is_wrong_clock = sent_wall > now + CLOCK_SKEW or time.time() < now - CLOCK_SKEW
        renews = not more and self.id is not None and lease_ms > 0 and not is_wrong_clock
        with self.changed:
            if self.stopping.is_set():
                return False
            forget_at = time.monotonic() + page["keep_ms"] / 1000
            for name, epoch, keep_until in entries:
                old = self.view.get(name, (0, 0, 0))
                self.view[name] = (max(epoch, old[0]), max(forget_at, old[1]), max(keep_until, old[2]))
            self.cursor, self.identity, self.tenant = page["cursor"], identity, page["tenant"]
            self.is_loaded = self.is_loaded or not more
            if is_wrong_clock:
                self.lease = None
            is_longer = self.lease is None or sent + lease_ms / 1000 > self.lease[0] + self.lease[2]
            if renews and (is_longer or not self._is_current()):
                self.lease = (sent, sent_wall, lease_ms / 1000)
            self.changed.notify_all()
        self._follow_keys(page["keys"])
        if renews and self.former:
            former, self.former = self.former, []
            threading.Thread(target=self.service.leave, args=(former,), daemon=True).start()
        if self.id is not None and not more and lease_ms == 0:
            raise ValueError("the service does not know at this moment")
        return not more and (self.id is not None or time.monotonic() < self.register_at)

    def _start_over(self):
        """Another history may lack what the view holds: everything is loaded again."""
        with self.changed:
            self.lease, self.cursor, self.identity = None, None, None
            self.is_loaded, self.view = False, {}
        former = self.former + ([self.id] if self.id else [])
        self.id, self.former = None, []
        if former:
            threading.Thread(target=self.service.leave, args=(former,), daemon=True).start()

    def _register(self):
        body = {"audience": self.audience, "name": self.name, "kinds": KINDS}
        status, value, headers = self.service.register(body)
        wait = float(headers.get("Retry-After") or (0.25 if status >= 500 else 10))
        self.register_at = time.monotonic() + (1 if status == 201 else wait)
        if status == 201:
            self.id, self.row_lease_ms = value["guard"], value["lease_ms"]

    def _follow_keys(self, version):
        """Fetches the keys beside the polls when a page speaks of others, at most once a second."""
        is_new, self.keys_wanted = self.keys_wanted != version, version
        is_due = is_new or time.monotonic() - self.keys_asked > 1
        if self.keys_version != version and is_due:
            self.keys_asked = time.monotonic()
            threading.Thread(target=self._fetch_keys, daemon=True).start()

    def _fetch_keys(self):
        try:
            status, value, headers = self.service.keys()
            found = [key for key in map(key_of, value["keys"]) if status == 200 and key is not None]
        except FAILURES:
            return
        with self.changed:
            self.keys = {header_of(key.algorithm_name, key.key_id): key for key in found}
            self.keys_version = re.sub(r'^(?:W/)?"(.*)"$', r"\1", headers.get("ETag") or "")
            self.changed.notify_all()

    def _sweep(self, now):
        """Forgets what was kept for keep_ms here, and until keep_until by the wall clock."""
        with self.changed:
            wall_ms = time.time() * 1000
            done = [name for name, (_, at, until) in self.view.items() if at < now and until < wall_ms]
            for name in done:
                del self.view[name]


def entry_of(entry):
    """Raises KeyError or ValueError for what this version does not understand."""
    kind, keep_until = entry["kind"], entry["keep_until"]
    epoch = entry["epoch"] if kind in ("account", "tenant") else 0
    if kind not in KINDS or not isinstance(entry["key"], str) or type(epoch) is not int:
        raise ValueError("an entry that is not understood")
    return (kind, entry["key"]), epoch, float("inf") if keep_until is None else float(keep_until)
