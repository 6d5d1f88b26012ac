"""Takes hold of a party's process at a point of its run: hold.py NODE POINT [STATE]. Prints its pid, its pod's namespace and name, and its point.

NODE is a node's folder. STATE is the party's state folder where that is on a volume, as a pattern with %s for its namespace. Of a job's parties it is the first that starts: from then on it runs a millisecond at a time, until its files say
that it has come to the point (docs/protocol.md). It may be past it by then, so the point where it stands is printed.
"""

import glob
import os
import re
import signal
import sys
import time

SLICE = 0.001


def processes():
    return {int(name) for name in os.listdir("/proc") if name.isdigit()}


def read(path):
    try:
        with open(path, "rb") as file:
            return file.read().decode(errors="replace")
    except OSError:
        return ""


def pod_of(pid, node):
    """The uid of the pod that the process is of, if it is a party on this node."""
    if "party\0--config\0" not in read(f"/proc/{pid}/cmdline"):
        return None
    pod = re.search(rf"/veilgrid-{os.path.basename(node)}/\S*?pod([0-9a-f-]{{36}})", read(f"/proc/{pid}/cgroup"))
    return pod and pod.group(1)


# In the order of a run. The ledger names the job as soon as something is reserved for it.
POINTS = ["start", "reserved", "sharing", "sealed", "opening", "result", "done"]


def point_of(folders, state):
    stage = re.search(r'"stage": *"(\w+)"', "".join(map(read, glob.glob(f"{state}/runs/*/checkpoint.json"))))
    if os.path.exists(f"{folders}/out/result.json") and stage.group(1) != "done":
        return "result"
    if stage:
        return stage.group(1)
    return "reserved" if "research/" in "".join(map(read, glob.glob(f"{state}/ledger.sqlite"))) else "start"


def main():
    node, point = sys.argv[1].rstrip("/"), POINTS.index(sys.argv[2])
    known = processes()
    print("ready", flush=True)
    end = time.monotonic() + 120
    while time.monotonic() < end:
        for pid in processes() - known:
            uid = pod_of(pid, node)
            if uid is None:
                continue
            os.kill(pid, signal.SIGSTOP)
            folders = f"{node}/kubelet/pods/{uid}/volumes/kubernetes.io~empty-dir"
            namespace, pod, _ = os.path.basename(glob.glob(f"{node}/logs/*_{uid}")[0]).split("_")
            state = sys.argv[3].replace("%s", namespace) if len(sys.argv) > 3 else f"{folders}/state"
            while POINTS.index(point_of(folders, state)) < point:
                if time.monotonic() > end:
                    os.kill(pid, signal.SIGCONT)
                    sys.exit(f"a party did not come to {sys.argv[2]} in time")
                os.kill(pid, signal.SIGCONT)
                time.sleep(SLICE)
                os.kill(pid, signal.SIGSTOP)
            print(pid, namespace, pod, point_of(folders, state), flush=True)
            return
        time.sleep(0.002)
    sys.exit("no party started in time")


main()
