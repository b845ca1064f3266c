# SPDX-License-Identifier: MPL-2.0
"""npm packages for tests: pinned, installed by name into the build folder when they are missing."""

import fcntl
import json
import os
import shutil
import subprocess
import sys

from matrix import BUILD_DIR, SKIPPED, STOCK

PINNED = {
    "jszmq": "0.1.2",
    # What jszmq asks for. From 8 on its server refuses the "/" in ZWS2.0/NULL, whoever offers it.
    "ws": "7.5.14",
    "esbuild": "0.28.2",
    "playwright-core": "1.65.1",
}
FOLDER = os.path.join(BUILD_DIR, "npm")
MODULES = os.path.join(FOLDER, "node_modules")


def version_of(name):
    try:
        with open(os.path.join(MODULES, name, "package.json"), encoding="utf-8") as file:
            return json.load(file)["version"]
    except (OSError, ValueError):
        return None


def missing():
    return [f"{name}@{version}" for name, version in PINNED.items() if version_of(name) != version]


def install():
    # What a package wants to run when it is installed is not needed by any of these.
    options = ["--no-audit", "--no-fund", "--no-save", "--ignore-scripts", "--loglevel=error"]
    packages = [f"{name}@{version}" for name, version in PINNED.items()]
    done = subprocess.run(
        ["npm", "install", "--prefix", FOLDER, *options, *packages],
        cwd=FOLDER,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=STOCK.environment(),
        check=False,
    )
    if done.returncode != 0 or missing():
        print(done.stdout.decode(errors="replace"))
        print(f"npm could not install {' '.join(packages)} into {FOLDER}")
        sys.exit(1)


def need():
    """Returns when the packages are there; several tests may ask at once."""
    for program in ("node", "npm"):
        if not shutil.which(program):
            print(f"no {program} (Debian: nodejs, npm): skipped")
            sys.exit(SKIPPED)
    os.makedirs(FOLDER, exist_ok=True)
    with open(os.path.join(FOLDER, "lock"), "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if missing():
            install()


def environment():
    """For node programs that use the packages, wherever they are."""
    return {"NODE_PATH": MODULES, "NODE_OPTIONS": "", "NODE_NO_WARNINGS": "1"}
