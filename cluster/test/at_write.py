"""Sends a signal to a process when the operator begins a write: at_write.py PORT WRITE PID SIGNAL.

PORT is where the operator serves its metrics, WRITE counts from 1 and from now on.
"""

import http.client
import os
import signal
import sys
import time


def writes(connection):
    connection.request("GET", "/metrics")
    lines = connection.getresponse().read().decode().splitlines()
    return sum(float(line.split()[-1]) for line in lines if line.startswith("veilgrid_operator_api_writes_total"))


port, write, pid, name = sys.argv[1:]
connection = http.client.HTTPConnection("127.0.0.1", int(port), timeout=10)
wanted = writes(connection) + int(write)
end = time.monotonic() + 90
print("ready", flush=True)
while writes(connection) < wanted:
    if time.monotonic() > end:
        sys.exit(f"the operator did not come to write {write} in time")
    time.sleep(0.001)
os.kill(int(pid), signal.Signals["SIG" + name])
