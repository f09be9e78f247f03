"""Access tokens of Catalytic: form, signature and shape."""

import base64
import json
import re
from functools import lru_cache

import jwt

ALGORITHMS = ["ES256", "EdDSA", "Ed25519", "RS256", "PS256"]
# Largest difference between two clocks of a deployment, seconds.
CLOCK_SKEW = 60.0
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
TEXTS = ["iss", "sub", "aud", "jti", "sid", "tid", "client_id", "scope"]
WHOLE_NUMBERS = ["iat", "exp", "auth_time", "aep", "tep"]
COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")


def encode(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(segment):
    return base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))


def header_of(algorithm, kid):
    """The one header that Catalytic writes for a key: any other spelling is refused."""
    header = {"alg": algorithm, "typ": "at+jwt", "kid": kid}
    return encode(json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode())


def object_of(segment):
    try:
        value = json.loads(decode(segment))
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


@lru_cache(maxsize=10_000)
def claims_of(token, key):
    """Checks what never changes, so that it may be remembered: signature and shape. Never a verdict."""
    signature = decode(token.rsplit(".", 1)[1])
    algorithm = key.algorithm_name
    if algorithm == "ES256" and int.from_bytes(signature[32:], "big") > P256_ORDER // 2:
        return "token_signature_invalid"
    if algorithm in ("RS256", "PS256") and len(signature) != key.key.key_size // 8:
        return "token_signature_invalid"
    try:
        jwt.PyJWS().decode(token, key.key, algorithms=[algorithm])
    except jwt.InvalidTokenError:
        return "token_signature_invalid"
    claims = object_of(token.split(".")[1]) or {}
    lists = [claims.get("roles"), claims.get("amr")]
    is_whole = (
        all(isinstance(claims.get(name), str) for name in TEXTS)
        and all(type(claims.get(name)) is int for name in WHOLE_NUMBERS)
        and type(claims.get("nbf", 0)) is int
        and all(isinstance(each, list) and all(isinstance(item, str) for item in each) for each in lists)
    )
    return claims if is_whole else "token_malformed"


def explain(header, keys):
    """No key has this header: finds the rule that it breaks."""
    value = object_of(header)
    if value is None or (value.get("typ") == "at+jwt" and not isinstance(value.get("alg"), str)):
        return "token_malformed"
    if value.get("typ") != "at+jwt":
        return "token_type_wrong"
    if value["alg"] not in ALGORITHMS:
        return "token_algorithm_refused"
    for key in keys.values():
        if key.key_id == value.get("kid"):
            return "token_malformed" if key.algorithm_name == value["alg"] else "token_algorithm_refused"
    return "token_key_unknown"


def check_signed(token, keys):
    """All that no clock and no revocation changes: claims or the code of a refusal, and the key."""
    if len(token) > 4096 or COMPACT.fullmatch(token) is None:
        return "token_malformed", None
    parts = token.split(".")
    if any(len(part) % 4 == 1 or encode(decode(part)) != part for part in parts):
        return "token_malformed", None
    key = keys.get(parts[0])
    return (explain(parts[0], keys), None) if key is None else (claims_of(token, key), key)


def refusal_of_claims(claims, issuer, audience, now):
    """What issuer, audience and clock say of a token; None: nothing against it. Ask for each use."""
    if claims["iss"] != issuer:
        return "token_issuer_wrong"
    if claims["aud"] != audience:
        return "token_audience_wrong"
    if now >= claims["exp"]:
        return "token_expired"
    if max(claims["iat"], claims.get("nbf", claims["iat"])) > now + CLOCK_SKEW:
        return "token_not_yet_valid"
    return None


def key_of(value):
    """A published key; None for one that PyJWT does not know, or that is not for signatures."""
    try:
        return jwt.PyJWK(value) if value.get("use") == "sig" and value["alg"] in ALGORITHMS else None
    except (jwt.InvalidKeyError, jwt.PyJWKError, KeyError):
        return None
