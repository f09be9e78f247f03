"""The requests of a guard: polls on one kept connection, everything else beside it."""

import http.client
import json
import socket
import urllib.parse

ANSWER_BYTES_MAX = 8_000_000
OTHER_SECONDS_MAX = 2.0

# What a request raises that has no whole answer in time, and what an answer raises that is none.
FAILURES = (OSError, http.client.HTTPException, ValueError, KeyError, TypeError)


class Service:
    def __init__(self, url, key):
        self.url, self.key, self.kept = urllib.parse.urlsplit(url), key, None

    def poll(self, body, seconds):
        """Returns status and body. Call it from one thread."""
        if self.kept is None:
            self.kept = self._connect(seconds)
        elif self.kept.sock is not None:
            self.kept.sock.settimeout(seconds)
        return self._send(self.kept, "POST", "/revocations", body)[:2]

    def hang_up(self):
        """Wakes the thread that polls; the next poll opens another connection."""
        kept, self.kept = self.kept, None
        if kept is None:
            return
        try:
            kept.sock.shutdown(socket.SHUT_RDWR)
        except (AttributeError, OSError):
            pass  # It was closed already.
        kept.close()

    def register(self, body):
        return self._send_beside("POST", "/revocations/guards", body)

    def leave(self, ids):
        for each in ids:
            try:
                self._send_beside("DELETE", f"/revocations/guards/{each}")
            except FAILURES:
                pass  # The service removes the row of a silent guard.

    def keys(self):
        return self._send_beside("GET", "/.well-known/jwks.json", is_public=True)

    def _connect(self, seconds):
        kind = http.client.HTTPSConnection if self.url.scheme == "https" else http.client.HTTPConnection
        return kind(self.url.hostname, self.url.port, timeout=seconds)

    def _send_beside(self, method, path, body=None, is_public=False):
        connection = self._connect(OTHER_SECONDS_MAX)
        try:
            return self._send(connection, method, path, body, is_public)
        finally:
            connection.close()

    def _send(self, connection, method, path, body, is_public=False):
        headers = {} if is_public else {"Authorization": f"Bearer {self.key}"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        text = None if body is None else json.dumps(body)
        connection.request(method, self.url.path.rstrip("/") + path, text, headers)
        answer = connection.getresponse()
        value = json.loads(answer.read(ANSWER_BYTES_MAX) or b"{}")
        return answer.status, value if isinstance(value, dict) else {}, answer.headers
