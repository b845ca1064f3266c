# SPDX-License-Identifier: MPL-2.0
# ctest-timeout: 120
# ctest-nosan (a browser takes most of the machine, and makes our library do nothing of its own)
"""The page of examples/browser in a real browser: ticks by PUB/SUB and questions by REQ/REP, over
ws://. Its picture is left in the build folder, artefacts/browser.png."""

import functools
import http.server
import json
import os
import shutil
import socketserver
import subprocess
import threading

import npm_packages
from foreign import Program, skip_without
from matrix import BUILD_DIR, OURS, SOURCE_DIR, STOCK, Failure, cases, expect, main

EXAMPLE = os.path.join(SOURCE_DIR, "examples", "browser")
SCRIPT = os.path.join(SOURCE_DIR, "tests", "interop", "browser_program.js")
PICTURE = os.path.join(BUILD_DIR, "artefacts", "browser.png")


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


def run(*arguments, cwd):
    done = subprocess.run(
        arguments,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=STOCK.environment(),
        check=False,
    )
    if done.returncode != 0:
        raise Failure(f"{' '.join(arguments)}:\n{done.stdout.decode(errors='replace')}")


def build_example(case):
    """As its README says, with the packages that are there already."""
    folder = os.path.join(case.folder, "browser")
    ignore = shutil.ignore_patterns("node_modules", "bundle.js", "ticker")
    shutil.copytree(EXAMPLE, folder, ignore=ignore)
    os.symlink(npm_packages.MODULES, os.path.join(folder, "node_modules"))
    run("npm", "run", "build", cwd=folder)
    include = os.path.join(SOURCE_DIR, "include")
    compiler = os.environ.get("CC") or "cc"
    flags = ["-Wall", "-Wextra", "-Werror", "-I", include, "-L", os.path.dirname(OURS.path)]
    run(compiler, "ticker.c", "-o", "ticker", *flags, "-lzmq", cwd=folder)
    return folder


def serve(case, folder):
    """The page by HTTP; returns its address."""
    handler = functools.partial(QuietHandler, directory=folder)
    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    case.cleanup += [server.shutdown, server.server_close]
    return f"http://127.0.0.1:{server.server_address[1]}/index.html"


def start_ticker(case, folder, *endpoints):
    library = {"LD_LIBRARY_PATH": os.path.dirname(OURS.path)}
    ticker = Program(case, os.path.join(folder, "ticker"), *endpoints, environment=library)
    found = ticker.wait_for(rb"ticks (\S+)\nquestions (\S+)\n")
    return ticker, [endpoint.decode() for endpoint in found.groups()]


def seen(browser, label):
    result = json.loads(browser.wait_for(rb"(?:^|\n)%s (.*?)\n" % label.encode()).group(1))
    expect(sorted(row[0] for row in result["rows"]), ["ACME", "BOLT", "CRUX"])
    for row in result["rows"]:
        expect(float(row[1]) > 0, True, f"price of {row}")
    for answer in result["answers"]:
        expect(answer.startswith("ACME is at "), True, f"answer {answer!r}")


@cases()
def page(case):
    """And it finds its program again, when that is started anew."""
    folder = build_example(case)
    any_port = case.endpoint("ws")
    ticker, (ticks, questions) = start_ticker(case, folder, any_port, any_port)
    os.makedirs(os.path.dirname(PICTURE), exist_ok=True)
    address = f"{serve(case, folder)}?ticks={ticks}&questions={questions}"
    profile = os.path.join(case.folder, "profile")
    chromium = shutil.which("chromium")
    arguments = [SCRIPT, chromium, profile, PICTURE, address]
    browser = Program(case, "node", *arguments, environment=npm_packages.environment())
    seen(browser, "before")
    ticker.end()
    start_ticker(case, folder, ticks, questions)
    browser.write(b"after\n")
    seen(browser, "after")
    browser.process.stdin.close()
    browser.wait_for(rb"closed\n")
    expect(browser.join(), 0, "exit status")
    expect(b"page error" in browser.printed(), False, browser.text())


skip_without("chromium", "chromium")
npm_packages.need()
main()
