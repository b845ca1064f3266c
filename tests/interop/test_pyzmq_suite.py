# SPDX-License-Identifier: MPL-2.0
# ctest-timeout: 180
# ctest-nosan (most of its time is spent in fixed waits of its own, which sanitizers break)
"""pyzmq's own tests, as the system's package has them, on our library."""

import importlib.util
import os
import re
import signal
import subprocess
import sys

from matrix import OURS, PATIENCE_S, SANITIZED, SKIPPED, skip_unless_ready, temporary_folder

# Run side by side, as most of their time is spent waiting. Left out is what needs other packages,
# test_log, which fails on any libzmq with this version of pytest, and until PLAIN and CURVE are there
# auth, which pyzmq then skips.
GROUPS = (
    "asyncio",
    "constants context decorators error message monitor multipart pair poll proxy_steerable",
    "device etc imports monqueue pubsub reqrep retry_eintr security socket version z85",
)
# The tests of auth that asyncio runs again; and one that wants to read ZMQ_PLAIN_SERVER.
LEFT_OUT = "not (test_asyncio and TestThreadAuthentication) and not test_int_sockopts"
if SANITIZED:
    # It uses a context that it has terminated, which only happens to work.
    LEFT_OUT += " and not test_shadow"


def start(group, folder, report):
    modules = [f"zmq.tests.test_{name}" for name in group.split()]
    options = ["-v", "-k", LEFT_OUT, "-p", "no:cacheprovider", "--color=no", "--tb=short"]
    # What a library prints before it takes the process down must not be lost.
    options.append("--capture=sys")
    # Names of files are printed as seen from there.
    options.append("--rootdir=/")
    return subprocess.Popen(
        [sys.executable, "-m", "pytest", *options, "--pyargs", *modules],
        stdin=subprocess.DEVNULL,
        stdout=report,
        stderr=subprocess.STDOUT,
        cwd=folder,
        env=OURS.search_path(folder),
        start_new_session=True,
    )


def finish(process, patience):
    """Whether it ended by itself. Its tests have processes of their own, which end with it."""
    try:
        process.wait(patience)
        return True
    except subprocess.TimeoutExpired:
        return False
    finally:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        process.wait()


def evaluate(group, ended, status, text):
    """Prints a line for each test of the group; returns how many passed and failed."""
    counts = {"PASSED": 0, "FAILED": 0}
    for name, verdict in re.findall(r"(test_\w+\.py::\S+) (PASSED|FAILED|ERROR)", text):
        print("ok  " if verdict == "PASSED" else "FAIL", name)
        counts["PASSED" if verdict == "PASSED" else "FAILED"] += 1
    if not ended or (status != 0 and not counts["FAILED"]) or not counts["PASSED"]:
        print("FAIL", group, "did not end in time" if not ended else f"exit status {status}")
        counts["FAILED"] += 1
    if counts["FAILED"]:
        print(text)
    return counts["PASSED"], counts["FAILED"]


def main():
    skip_unless_ready()
    if not importlib.util.find_spec("pytest"):
        print("no pytest (Debian: python3-pytest): skipped")
        sys.exit(SKIPPED)
    passed = failed = 0
    with temporary_folder() as folder:
        reports = [os.path.join(folder, f"report-{number}") for number in range(len(GROUPS))]
        processes = []
        try:
            for group, report in zip(GROUPS, reports):
                with open(report, "wb") as output:
                    processes.append(start(group, folder, output))
            for group, report, process in zip(GROUPS, reports, processes):
                ended = finish(process, 2 * PATIENCE_S)
                with open(report, encoding="utf-8", errors="replace") as text:
                    results = evaluate(group, ended, process.returncode, text.read())
                passed += results[0]
                failed += results[1]
        finally:
            for process in processes:
                finish(process, 0)
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed or not passed else 0)


main()
