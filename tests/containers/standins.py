"""Stand-ins for images that cannot be pulled: Debian by debootstrap by the names that compose and the Dockerfile use.

They have what the project relies on: a Python with venv and pip; PostgreSQL's entry point with its variables, as far as
compose sets them; a Metabase's API, by the tests' sample.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

MIRROR = "http://deb.debian.org/debian"
SUITE = "bookworm"
DEBIAN = f"standin/debian:{SUITE}"

PYTHON = f"""
FROM {DEBIAN}
RUN apt-get update && apt-get install --yes --no-install-recommends netbase python3 python3-pip python3-venv tzdata \\
    && rm -rf /var/lib/apt/lists/* && ln -s /usr/bin/python3 /usr/local/bin/python \\
    && printf '[global]\\ncert = /etc/ssl/certs/ca-certificates.crt\\n' >/etc/pip.conf
COPY certificates.crt /etc/ssl/certs/ca-certificates.crt
CMD ["python"]
"""
POSTGRES = f"""
FROM {DEBIAN}
RUN apt-get update && apt-get install --yes --no-install-recommends postgresql && rm -rf /var/lib/apt/lists/* \\
    && rm -r /var/lib/postgresql/15 && install -d -o postgres -g postgres -m 1777 /var/lib/postgresql/data \\
    && install -d -o postgres -g postgres -m 3777 /var/run/postgresql
COPY postgres.sh /usr/local/bin/
ENV LANG=C.UTF-8 PATH=/usr/lib/postgresql/15/bin:$PATH PGDATA=/var/lib/postgresql/data
VOLUME /var/lib/postgresql/data
ENTRYPOINT ["sh", "/usr/local/bin/postgres.sh"]
"""
# The official entry point's part: an empty folder becomes a server with this user, password and database.
POSTGRES_SH = """
set -eu
if [ ! -s "$PGDATA/PG_VERSION" ]; then
    [ -z "${POSTGRES_PASSWORD_FILE:-}" ] || POSTGRES_PASSWORD=$(cat "$POSTGRES_PASSWORD_FILE")
    [ -n "$POSTGRES_PASSWORD" ] || { echo "superuser password is not specified" >&2; exit 1; }
    chmod 700 "$PGDATA"
    printf '%s\\n' "$POSTGRES_PASSWORD" >/tmp/password
    initdb --username="$POSTGRES_USER" --pwfile=/tmp/password >/dev/null
    rm /tmp/password
    echo 'host all all all scram-sha-256' >>"$PGDATA/pg_hba.conf"
    pg_ctl --wait --options="-c listen_addresses=" start >/dev/null
    createdb --username="$POSTGRES_USER" "$POSTGRES_DB"
    pg_ctl --wait stop >/dev/null
fi
exec postgres -c 'listen_addresses=*'
"""
METABASE = """
FROM {pipeline}
COPY tests tests
CMD ["python", "-m", "tests.containers.metabase"]
"""


def build_bases(python: str, postgres: str) -> None:
    """Debian, Python and PostgreSQL, but for what is there. Needs root and debootstrap."""
    if is_there(python) and is_there(postgres):
        return
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "root"
        subprocess.run(["debootstrap", "--variant=minbase", SUITE, root, MIRROR], check=True, stdout=subprocess.DEVNULL)
        # As in the official images: no archive and no cache of apt stays.
        apt = 'DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb /var/cache/apt/*.bin || true"; };\n'
        (root / "etc/apt/apt.conf.d/clean").write_text(apt + 'Dir::Cache::pkgcache ""; Dir::Cache::srcpkgcache "";\n')
        archive = subprocess.Popen(["tar", "-C", root, "-c", "."], stdout=subprocess.PIPE)
        subprocess.run(["docker", "import", "-", DEBIAN], check=True, stdin=archive.stdout, stdout=subprocess.DEVNULL)
        if archive.wait():
            raise SystemExit("tar failed")
    # Where this machine trusts an authority of its own, a build inside it has to.
    authorities = os.environ.get("SSL_CERT_FILE", "/etc/ssl/certs/ca-certificates.crt")
    build(python, PYTHON, {"certificates.crt": Path(authorities).read_text()})
    build(postgres, POSTGRES, {"postgres.sh": POSTGRES_SH})


def is_there(image: str) -> bool:
    return subprocess.run(["docker", "image", "inspect", image], capture_output=True).returncode == 0


def build_metabase(metabase: str, pipeline: str, tests: Path) -> None:
    """The sample Metabase, on the pipeline's own image."""
    build(metabase, METABASE.format(pipeline=pipeline), {}, tests)


def build(name: str, dockerfile: str, files: dict[str, str], tests: Path | None = None) -> None:
    with tempfile.TemporaryDirectory() as folder:
        context = Path(folder)
        for path, text in {**files, "Dockerfile": dockerfile}.items():
            (context / path).write_text(text)
        if tests:
            shutil.copytree(tests, context / "tests", ignore=shutil.ignore_patterns("__pycache__"))
        subprocess.run(["docker", "build", "--quiet", "--tag", name, context], check=True, stdout=subprocess.DEVNULL)
