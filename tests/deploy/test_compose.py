"""The compose file: the versions that are tested, and nobody with more than they need."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

import baton
import worker
from baton.settings import WorkerSettings
from tests.conftest import executable
from tests.deploy.conftest import ROOT, run, tool

if TYPE_CHECKING:
    from tests.deploy.conftest import Service

SECRET_HOLDERS = {
    "postgres_password": {"postgres", "temporal", "temporal-schema"},
    "git_ssh_key": {"worker-release"},
    "gpg_passphrase": {"worker-sign"},
    "identity_client_secret": {"worker-sign"},
    "github_token": {"worker-ci"},
    "azure_token": {"worker-ci"},
}
ONE_SHOT = {"temporal-schema", "temporal-namespace"}


def _mounts(service: Service) -> dict[str, str]:
    return {mount["source"]: mount["target"] for mount in service.get("volumes", ()) if mount["type"] == "volume"}


def test_the_server_and_the_ui_are_the_versions_that_the_tests_run_on(services: dict[str, Service]) -> None:
    told = run(executable("temporal"), "--version").stdout
    found = re.search(r"Server (\S+), UI (\S+)\)", told)
    assert found is not None
    server, ui = found.groups()
    images = {service["image"] for service in services.values() if service["image"].startswith("temporalio/")}
    assert images == {f"temporalio/server:{server}", f"temporalio/admin-tools:{server}", f"temporalio/ui:{ui}"}


def test_the_workers_image_is_named_after_this_version(workers: dict[str, Service]) -> None:
    assert {service["image"] for service in workers.values()} == {f"baton:{baton.__version__}"}


def test_only_this_machine_reaches_the_server_and_the_ui_and_nobody_the_database(services: dict[str, Service]) -> None:
    published = {
        name: [(port["host_ip"], port["target"]) for port in service["ports"]]
        for name, service in services.items()
        if service.get("ports")
    }
    assert published == {"temporal": [("127.0.0.1", 7233)], "temporal-ui": [("127.0.0.1", 8080)]}


def test_workers_are_not_on_the_databases_network(compose: dict[str, Any], services: dict[str, Service]) -> None:
    assert compose["networks"]["database"]["internal"]
    on_it = {name for name, service in services.items() if "database" in service["networks"]}
    assert on_it == {"postgres", "temporal", "temporal-schema"}


def test_every_container_is_closed(services: dict[str, Service]) -> None:
    for name, service in services.items():
        assert service["read_only"], name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service.get("user") != "root", name
        assert not service.get("privileged"), name


def test_each_secret_is_a_file_in_the_hands_of_those_who_use_it(
    compose: dict[str, Any], services: dict[str, Service]
) -> None:
    holders: dict[str, set[str]] = {}
    for name, service in services.items():
        for secret in service.get("secrets", ()):
            holders.setdefault(secret["source"], set()).add(name)
    assert holders == SECRET_HOLDERS
    assert all(str(ROOT / "deploy/secrets") in secret["file"] for secret in compose["secrets"].values())


def test_no_secret_stands_in_an_environment(services: dict[str, Service]) -> None:
    telling = re.compile(r"PASS|PWD|SECRET|TOKEN|KEY")
    for name, service in services.items():
        for variable, value in service.get("environment", {}).items():
            if telling.search(variable) and value is not None:
                assert variable.endswith("_FILE"), f"{name}: {variable}"
                assert value.startswith("/run/secrets/"), f"{name}: {variable}"


def test_only_the_signer_has_the_key_ring_and_only_the_publisher_the_served_folder(
    services: dict[str, Service],
) -> None:
    for volume, holder in {"gnupg": "worker-sign", "served": "worker-publish", "postgres": "postgres"}.items():
        assert {name for name, service in services.items() if volume in _mounts(service)} == {holder}


def test_those_who_hold_secrets_judge_by_projects_that_no_container_can_change(services: dict[str, Service]) -> None:
    judging = {name for name, service in services.items() if "BATON_PROJECTS" in service.get("environment", {})}
    assert judging == {"worker-release", "worker-ci", "worker-sign", "worker-publish"}
    for name, service in services.items():
        mounts = [mount for mount in service.get("volumes", ()) if mount["target"] == "/etc/baton/projects"]
        assert [mount["read_only"] for mount in mounts] == [True] * (name in judging)


def test_builders_hold_nothing_but_the_store_and_their_own_folder(workers: dict[str, Service]) -> None:
    builders = {queue: service for queue, service in workers.items() if queue.startswith("build-")}
    assert builders
    for queue, service in builders.items():
        assert not service.get("secrets")
        assert set(_mounts(service)) == {"store", f"work-{queue}"}


def test_every_setting_of_a_worker_is_one_that_it_reads(services: dict[str, Service]) -> None:
    known = {f"BATON_{field}".upper() for field in WorkerSettings.model_fields}
    used = {name for service in services.values() for name in service.get("environment", {}) if "BATON" in name}
    assert used <= known, used - known


def test_every_workers_command_serves_the_queue_of_its_name(workers: dict[str, Service]) -> None:
    assert {"release", "sign", "publish"} < set(workers)
    for queue, service in workers.items():
        assert service["command"][:3] == ["python", "-m", "worker"]
        given = worker.arguments(service["command"][3:])
        assert [served.name for served in given.queue] == [queue]
        assert service["healthcheck"]["test"][-1] == str(given.ready_file)


def test_a_stopped_worker_gets_longer_than_its_own_grace(workers: dict[str, Service]) -> None:
    for service in workers.values():
        [seconds] = re.findall(r"^(\d+)s$", service["stop_grace_period"])
        assert timedelta(seconds=int(seconds)) > worker.GRACE


def test_everything_that_runs_on_is_watched_and_started_again(services: dict[str, Service]) -> None:
    for name, service in services.items():
        if name in ONE_SHOT:
            assert service["restart"].startswith("on-failure"), name
        else:
            assert service["restart"] == "unless-stopped", name
            assert service["healthcheck"]["test"][0] == "CMD", name


def test_everything_starts_after_what_it_needs(services: dict[str, Service]) -> None:
    def needs(name: str) -> dict[str, str]:
        return {on: need["condition"] for on, need in services[name].get("depends_on", {}).items()}

    healthy, completed = "service_healthy", "service_completed_successfully"
    assert needs("temporal-schema") == {"postgres": healthy}
    assert needs("temporal") == {"postgres": healthy, "temporal-schema": completed}
    assert needs("temporal-namespace") == {"temporal": healthy}
    assert needs("temporal-ui") == {"temporal": healthy}
    for name in services:
        if name.startswith("worker-"):
            assert needs(name) == {"temporal": healthy, "temporal-namespace": completed}


@pytest.mark.parametrize("volume", ["store", "gnupg", "served", "work-release"])
def test_the_image_has_the_folder_whose_owner_a_volume_takes_over(volume: str, workers: dict[str, Service]) -> None:
    [target] = {_mounts(service)[volume] for service in workers.values() if volume in _mounts(service)}
    prepared = re.findall(
        r"install -d -o baton -g baton -m 0\d+ +((?:\\\n|[/\w ])+)", (ROOT / "Dockerfile").read_text()
    )
    assert target in " ".join(prepared).split()


@pytest.fixture(scope="module")
def embargoed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The installation with `deploy/embargo.yml`, in a copy that has a file of keys."""
    copy = tmp_path_factory.mktemp("embargo") / "deploy"
    (copy / "secrets").mkdir(parents=True)
    (copy / "secrets" / "codec.env").write_text("BATON_CODEC_KEYS=*:key\n")
    for name in ("docker-compose.yml", "deploy/embargo.yml"):
        (copy.parent / name).write_text((ROOT / name).read_text())
    files = [f"--file={copy.parent / name}" for name in ("docker-compose.yml", "deploy/embargo.yml")]
    done = run(
        tool("docker-compose"), "--env-file", "/dev/null", *files, "config", "--format", "json",
        env={"PROJECTS": "/etc/baton/projects/spam/release.toml"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout)["services"])


def test_under_embargo_every_worker_and_the_codec_server_have_the_keys_and_nobody_else(
    embargoed: dict[str, Service], workers: dict[str, Service]
) -> None:
    holders = {name for name, service in embargoed.items() if "BATON_CODEC_KEYS" in service.get("environment", {})}
    assert holders == {"codec", *(f"worker-{name}" for name in workers)}


def test_the_codec_server_is_closed_and_reached_from_this_machine_alone(embargoed: dict[str, Service]) -> None:
    server, ui = embargoed["codec"], embargoed["temporal-ui"]
    assert server["image"] == f"baton:{baton.__version__}"
    assert [(port["host_ip"], port["target"]) for port in server["ports"]] == [("127.0.0.1", 8081)]
    assert set(server["networks"]).isdisjoint(set(embargoed["temporal"]["networks"]))
    assert (server["read_only"], server["cap_drop"], server["security_opt"]) == (
        True, ["ALL"], ["no-new-privileges:true"],
    )  # fmt: skip
    assert ui["environment"]["TEMPORAL_CODEC_ENDPOINT"] == "http://localhost:8081"
    assert f"--origin={ui['environment']['TEMPORAL_CORS_ORIGINS']}" in server["command"]
