"""What blotter is deployed by: valid by the schemas of who reads it, and of one mind about the settings."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from blotter.config import load_settings

REPOSITORY = Path(__file__).parents[2]
COMPOSE = REPOSITORY / "docker-compose.yaml"
KUBERNETES = REPOSITORY / "deploy" / "kubernetes"


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def validate_compose(path: Path) -> "subprocess.CompletedProcess[str]":
    check = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(path)]
    return subprocess.run(check, capture_output=True, text=True, check=False)


def test_the_compose_file_is_valid_by_the_schema_of_compose(tmp_path: Path) -> None:
    assert validate_compose(COMPOSE).returncode == 0
    broken = tmp_path / "broken.yaml"
    broken.write_text(COMPOSE.read_text().replace("healthcheck:", "health_check:", 1))
    assert validate_compose(broken).returncode != 0


def test_no_secret_has_a_value_in_the_compose_file() -> None:
    text = COMPOSE.read_text()
    for name in set(re.findall(r"\$\{(\w+)", text)) - {"HOSTNAME"}:
        assert re.search(rf"\$\{{{name}:\?[^}}]+\}}", text), f"{name}: nothing says that it must be set"
        assert f"${{{name}:-" not in text
    assert not re.search(r"(?i)(password|secret|key): ['\"]?[\w+/=-]{12,}['\"]?$", text, re.MULTILINE)


def test_every_service_has_a_health_check_and_no_image_floats() -> None:
    for name, service in read(COMPOSE)["services"].items():
        assert name == "init" or "healthcheck" in service, name
        assert re.search(r":[\d.]+$", service["image"]), name


def test_the_pod_template_is_valid_by_the_schema_of_kubernetes() -> None:
    pod = read(KUBERNETES / "pod-template.yaml")
    kubernetes_validate.validate(pod, "1.34", strict=True)
    assert [container["name"] for container in pod["spec"]["containers"]] == ["base"]  # Airflow's executor asks for it
    pod["spec"]["containers"][0]["imagePullPolicies"] = "Always"
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(pod, "1.34", strict=True)


def test_every_deployment_sets_the_same_settings_and_they_exist() -> None:
    compose = set(read(COMPOSE)["services"]["worker"]["environment"])
    values = read(KUBERNETES / "values.yaml")
    by_chart = {one["name"] for one in values["env"]} | {one["envName"] for one in values["secret"]}
    in_pod = {one["name"] for one in read(KUBERNETES / "pod-template.yaml")["spec"]["containers"][0]["env"]}
    ours = {name for name in compose if name.startswith("BLOTTER_")}
    assert ours == {name for name in by_chart if name.startswith("BLOTTER_")}
    assert ours == {name for name in in_pod if name.startswith("BLOTTER_")}
    load_settings(environ=dict.fromkeys(ours, "/somewhere"))
