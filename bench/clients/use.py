"""Signs in, verifies and signs out with the generated client of Python: URL, email and password are the arguments."""

import sys

import catalytic_client as client

url, email, password = sys.argv[1:]
api = client.ApiClient(client.Configuration(host=url))
sessions, tokens = client.SessionsApi(api), client.AccessTokensApi(api)
api.configuration.access_token = sessions.post_auth_login(client.SignIn(email=email, password=password)).access_token
assert tokens.get_auth_verify().active
assert sessions.post_auth_logout().revoked
try:
    tokens.get_auth_verify()
    sys.exit("a signed-out token was not refused")
except client.exceptions.UnauthorizedException:
    print("used")
