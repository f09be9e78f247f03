"""An API that checks tokens in its own process, with the guard beside it.

pip install -r requirements.txt, then CATALYTIC_GUARD_KEY=... python3 api.py
"""

import json
import os
import signal
import socketserver
import threading
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from guard import Guard
from wsgi import guarded

url = os.environ.get("CATALYTIC_URL", "http://127.0.0.1:8000")
issuer = os.environ.get("CATALYTIC_ISSUER", url)
guard = Guard(issuer, os.environ["CATALYTIC_GUARD_KEY"], url=url).start()


def notes(environ, start_response):
    start_response("200 OK", [("Content-Type", "application/json")])
    account = environ["catalytic.claims"]["sub"]
    return [json.dumps({"account": account, "notes": ["water the plants"]}).encode()]


class ThreadingServer(socketserver.ThreadingMixIn, WSGIServer):
    daemon_threads = True


class QuietHandler(WSGIRequestHandler):
    def log_message(self, *_):
        pass


def stop(*_):
    """The guard leaves first, so that no sign-out waits for it; requests of that moment get 503."""
    threading.Thread(target=lambda: (guard.stop(), server.shutdown())).start()


port = int(os.environ.get("PORT", "3000"))
server = make_server("127.0.0.1", port, guarded(guard, notes), ThreadingServer, QuietHandler)
signal.signal(signal.SIGTERM, stop)
print(f"The API listens on http://127.0.0.1:{port}", flush=True)
server.serve_forever()
