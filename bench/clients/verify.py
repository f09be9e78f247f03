"""Verifies tokens with PyJWT. The argument is a file of lines: algorithm, issuer, token."""

import sys

import jwt

for line in open(sys.argv[1]):
    algorithm, issuer, token = line.split()
    try:
        key = jwt.PyJWKClient(issuer + "/.well-known/jwks.json").get_signing_key_from_jwt(token)
        jwt.decode(token, key, algorithms=[algorithm], audience=issuer, issuer=issuer)
        print(algorithm, "accepted")
    except Exception as error:  # every refusal is a result
        print(algorithm, type(error).__name__, error)
