"""Looks for what Secrets hold where it must not be: secrets.py SECRETS SEED FILE...

SECRETS is what `kubectl get secrets -w -o json` printed, SEED the operator's seed. Each FILE is a log, events or other objects. What is looked
for: private keys, the seed, and the data of parties' Secrets as the API server has them.
"""

import base64
import json
import re
import sys

secrets, seed, *files = sys.argv[1:]
text, needles, decoder = open(secrets).read(), {}, json.JSONDecoder()
at = 0
while at < len(text.rstrip()):
    try:
        secret, at = decoder.raw_decode(text, at)
    except json.JSONDecodeError:  # the last, which was being written
        break
    at += len(text[at:]) - len(text[at:].lstrip())
    name = f"{secret['metadata']['namespace']}/{secret['metadata']['name']}"
    if secret["metadata"].get("labels", {}).get("app.kubernetes.io/managed-by") != "veilgrid":
        continue
    for field, data in secret["data"].items():
        # The first words are the same in any; a line in the middle is not.
        needles[data[len(data) // 2 :][:48]] = f"{field} of {name}"
        plain = base64.b64decode(data).decode()
        for key in re.findall(r"PRIVATE KEY-----(?:\\n|\n)([A-Za-z0-9+/=]+)", plain):
            needles[key] = f"the private key in {name}"
        for key in re.findall(r"PRIVATE KEY-----", plain):
            needles["PRIVATE KEY"] = "a private key"
raw = open(seed, "rb").read()
for form in (base64.b64encode(raw).decode()[:40], raw.hex()[:40]):
    needles[form] = "the operator's seed"
keys = sum("private key in" in what for what in needles.values())
looked = 0
for file in files:
    with open(file, errors="replace") as opened:
        content = opened.read()
    looked += len(content)
    for needle, what in needles.items():
        if needle in content:
            sys.exit(f"secrets: {what} is in {file}")
if not keys or not looked:
    sys.exit(f"secrets: nothing was looked for or into: {keys} keys, {looked} bytes")
print(f"  no private key ({keys}), seed or Secret's data ({len(needles)} texts) in {len(files)} logs and lists of objects ({looked >> 10} KiB)")
