"""What the ingest tests share: a certificate that nobody has signed."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture
def make_certificate(tmp_path: Path) -> Callable[[], tuple[Path, Path]]:
    def make() -> tuple[Path, Path]:
        certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
        command = [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-days",
            "1",
            "-subj",
            "/CN=courier.example",
        ]
        subprocess.run([*command, "-keyout", key, "-out", certificate], check=True, capture_output=True)
        return certificate, key

    return make
