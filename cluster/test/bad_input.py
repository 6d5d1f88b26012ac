"""Bad manifests against a real API server: bad_input.py KUBECONFIG VEILGRID TESTS.

TESTS is api/tests, whose cases the Rust tests read too. Each case is refused by the API server, or its job is not Accepted, at the same
field and with the same words as `veilgrid check` has. Where a cluster's words or field are others, `server` has them: most come from the
schema, and a rule names a list and not its item. A case whose `server` is null is a fault of the file, which no API server sees.
"""

import base64
import http.client
import json
import re
import ssl
import subprocess
import sys
import tempfile
import time
from urllib.parse import urlsplit


class Server:
    """The API server, spoken to as kubectl does."""

    def __init__(self, path):
        text = open(path).read()
        field = lambda name: re.search(name + r":\s*\"?([^\s\",}]+)", text).group(1)
        context = ssl.create_default_context(cadata=base64.b64decode(field("certificate-authority-data")).decode())
        with tempfile.NamedTemporaryFile() as file:
            for name in ("client-certificate-data", "client-key-data"):
                file.write(base64.b64decode(field(name)) + b"\n")
            file.flush()
            context.load_cert_chain(file.name)
        self.connection = http.client.HTTPSConnection(urlsplit(field("server")).netloc, context=context)

    def ask(self, method, path, body=None):
        kind = {"Content-Type": "application/yaml"} if body else {}
        self.connection.request(method, path, body and body.encode(), kind)
        answer = self.connection.getresponse()
        return answer.status, json.loads(answer.read())


def faults_of(text, veilgrid):
    """What `veilgrid check` says: the faults."""
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        file.write(text)
        file.flush()
        answer = subprocess.run([veilgrid, "check", "--json", file.name], capture_output=True, text=True)
        return json.loads(answer.stdout)["faults"]


class Case:
    """One bad manifest. Its namespaces are its own: `default` is called c7 on the server, and `east` c7-east."""

    def __init__(self, number, stated, example):
        self.home, self.stated, self.refusals = f"c{number}", stated, []
        self.text = example
        for old, new in stated["change"]:
            assert old in self.text, old
            self.text = self.text.replace(old, new)

    def apply(self, server):
        for name in (self.home, self.home + "-east"):
            body = f"{{apiVersion: v1, kind: Namespace, metadata: {{name: {name}}}}}"
            status, answer = server.ask("POST", "/api/v1/namespaces", body)
            assert status == 201, answer
        # The job last: what it names should be there.
        documents = sorted(self.text.split("\n---\n"), key=lambda text: "kind: PrivateJob" in text)
        for document in filter(str.strip, documents):
            kind = re.search(r"kind: (\w+)", document).group(1).lower() + "s"
            document = document.replace("namespace: east", f"namespace: {self.home}-east")
            place = re.search(r"\n  namespace: (\S+)|metadata: {.*namespace: ([^,}\s]+)", document)
            place = next(filter(None, place.groups())) if place else self.home
            path = f"/apis/veilgrid.dev/v1alpha1/namespaces/{place}/{kind}?fieldValidation=Strict"
            status, answer = server.ask("POST", path, document)
            if status != 201:
                self.refusals.append(answer["message"])

    def local(self, text):
        """A message with the namespaces of the file."""
        return text.replace(f"{self.home}-east/", "east/").replace(f"{self.home}/", "default/")

    def wrong(self, jobs, veilgrid):
        """What is not as it should be, or None."""
        own = self.stated.get("server", {})
        said, path = own.get("says", self.stated["says"]), own.get("path", self.stated["path"])
        if self.refusals:
            # `PrivateJob.veilgrid.dev "x" is invalid: [spec.a: ..., spec.b: ...]`, or the words of the strict decoder.
            if any(said in text and re.search(re.escape(path) + r"[:\"]", text) for text in self.refusals):
                return None
            return "the API server says: " + " / ".join(self.refusals)
        conditions = jobs.get(self.home, {}).get("status", {}).get("conditions", [])
        accepted = next((one for one in conditions if one["type"] == "Accepted"), None)
        if accepted is None or accepted["status"] != "False":
            return f"the condition Accepted is {accepted}"
        lines = {f"{f['object']}: {f['path']}: {f['problem']}; {f['remedy']}" for f in faults_of(self.text, veilgrid)}
        told = set(self.local(accepted["message"]).split("\n"))
        if lines != told and not own:
            return f"the operator says {sorted(told)}, and veilgrid check {sorted(lines)}"
        return None if any(f": {path}: " in line and said in line for line in told) else f"the operator says {sorted(told)}"


def main():
    kubeconfig, veilgrid, tests = sys.argv[1:]
    server = Server(kubeconfig)
    example = open(f"{tests}/manifests/hospitals.yaml").read()
    stated = [case for name in ("bad_form", "bad_input") for case in json.load(open(f"{tests}/manifests/{name}.json"))]
    cases = [Case(number, case, example) for number, case in enumerate(stated) if case.get("server", {}) is not None]
    for case in cases:
        case.apply(server)
    end = time.monotonic() + 60
    open_cases = cases
    while open_cases:
        jobs = server.ask("GET", "/apis/veilgrid.dev/v1alpha1/privatejobs")[1]["items"]
        jobs = {job["metadata"]["namespace"]: job for job in jobs}
        found = [(case, case.wrong(jobs, veilgrid)) for case in open_cases]
        open_cases = [case for case, wrong in found if wrong]
        if open_cases and time.monotonic() > end:
            for case, wrong in found:
                if wrong:
                    print(f"{case.stated['change']}: {case.stated['path']}: {case.stated['says']}\n    {wrong}", file=sys.stderr)
            sys.exit(f"bad-input: {len(open_cases)} of {len(cases)} cases are not as they should be")
        time.sleep(0.5)
    refused = sum(bool(case.refusals) for case in cases)
    own = sum("server" in case.stated for case in cases)
    print(f"  of {len(cases)} bad manifests the API server refused {refused} and the operator {len(cases) - refused}; {own} as is stated for a cluster alone")


main()
