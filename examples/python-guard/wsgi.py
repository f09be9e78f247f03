"""Middleware for WSGI: lets requests with accepted tokens through, and answers the others."""

import http.client
import json

CODES = {"verdict_unavailable": 503, "tenant_wrong": 403}


def refusal(code):
    """Status, headers and body of a refusal: a challenge (RFC 6750), problem details (RFC 9457)."""
    status = CODES.get(code, 401)
    headers = [("Content-Type", "application/problem+json"), ("Cache-Control", "no-store")]
    error = {401: "invalid_token", 403: "insufficient_scope"}.get(status)
    challenge = 'Bearer realm="catalytic"' + ("" if code == "token_missing" else f', error="{error}"')
    headers.append(("Retry-After", "1") if status == 503 else ("WWW-Authenticate", challenge))
    body = {"type": f"urn:catalytic:error:{code}", "title": code, "status": status, "code": code}
    return status, headers, json.dumps(body).encode()


def guarded(guard, app):
    """`environ["catalytic.claims"]` are those of the accepted token."""

    def handle(environ, start_response):
        verdict = guard.judge(environ.get("HTTP_AUTHORIZATION"))
        if not isinstance(verdict, str):
            return app({**environ, "catalytic.claims": verdict}, start_response)
        status, headers, body = refusal(verdict)
        start_response(f"{status} {http.client.responses[status]}", headers)
        return [body]

    return handle
