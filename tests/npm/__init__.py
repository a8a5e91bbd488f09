"""Clients from npm, installed from package-lock.json (exact versions and hashes) into a temporary folder."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent


def install(folder: Path) -> Path:
    """Installs the packages into `folder`/node_modules; returns `folder`. Skips the test if there is no npm."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm is not installed: install Node.js 20 or newer (Debian: apt install npm)")
    for name in ("package.json", "package-lock.json"):
        shutil.copy(FOLDER / name, folder)
    command = (npm, "ci", "--prefer-offline", "--no-audit", "--no-fund", "--ignore-scripts")
    process = subprocess.run(command, capture_output=True, text=True, cwd=folder)
    if process.returncode and not os.environ.get("CI"):
        pytest.skip(f"npm ci failed; check that npm reaches its registry: {process.stderr.strip()[-500:]}")
    assert process.returncode == 0, process.stderr
    return folder
