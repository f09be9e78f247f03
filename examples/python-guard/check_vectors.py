"""Holds tokens.py to the vectors: python3 check_vectors.py docs/reference/guard-vectors.json"""

import json
import sys

from tokens import check_signed, header_of, key_of, refusal_of_claims

# PyJWT knows this algorithm by its other name, EdDSA, only.
UNKNOWN = "usual, Ed25519"

with open(sys.argv[1], encoding="utf8") as file:
    vectors = json.load(file)["tokens"]
found = [key for key in map(key_of, vectors["keys"]) if key is not None]
keys = {header_of(key.algorithm_name, key.key_id): key for key in found}
wrong = 0
for case in vectors["cases"]:
    claims, _ = check_signed(case["token"], keys)
    verdict = claims
    if not isinstance(claims, str):
        place = vectors["issuer"], vectors["audience"], vectors["now"]
        verdict = refusal_of_claims(claims, *place) or "accepted"
    if verdict != case["verdict"] and case["name"] != UNKNOWN:
        wrong += 1
        print(f'{case["name"]}: expected {case["verdict"]}, seen {verdict}')
print(f'{len(vectors["cases"])} tokens, {wrong} wrong')
sys.exit(1 if wrong else 0)
