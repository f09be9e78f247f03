"""Introspects and revokes with Authlib. The arguments are the issuer, id and secret of the client, its way to authenticate, a live and a dead token."""

import sys

from authlib.integrations.requests_client import OAuth2Session

issuer, client, secret, method, live, dead = sys.argv[1:]
resource = OAuth2Session(client, secret, token_endpoint_auth_method=method)
holder = OAuth2Session("catalytic", token_endpoint_auth_method="none", revocation_endpoint_auth_method="none")
metadata = resource.get(issuer + "/.well-known/oauth-authorization-server", withhold_token=True).json()


def introspect(token):
    response = resource.introspect_token(metadata["introspection_endpoint"], token=token)
    response.raise_for_status()
    facts = response.json()
    return facts["sub"] if facts["active"] else "inactive"


print("live", introspect(live))
print("dead", introspect(dead))
holder.revoke_token(metadata["revocation_endpoint"], token=live).raise_for_status()
print("revoked", introspect(live))
