"""A real Postgres and real S3 servers on loopback, each started once, and settings that put a lake on them."""

import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import boto3
import polars as pl
import pytest

from flywheel.core.settings import Settings

PASSWORD = "correct-horse"
BUCKET = "wheel"
_NUMBERS = count()


@dataclass(frozen=True)
class Postgres:
    """A Postgres server that takes passwords over TCP."""

    bin: Path
    port: int
    password: str = PASSWORD

    def catalog(self, database: str, password: str = PASSWORD) -> str:
        return f"postgres:dbname={database} host=127.0.0.1 port={self.port} user=flywheel password={password}"

    def run(self, statement: str, database: str = "postgres") -> str:
        call = [self.bin / "psql", "-Atqh", "127.0.0.1", "-p", str(self.port), "-U", "flywheel", database]
        environment = os.environ | {"PGPASSWORD": self.password}
        return subprocess.run(
            [*call, "-c", statement], check=True, capture_output=True, text=True, env=environment
        ).stdout

    def new_database(self) -> str:
        name = f"lake_{os.getpid()}_{next(_NUMBERS)}"
        self.run(f"create database {name}")
        return name


@dataclass(frozen=True)
class S3:
    """An S3 server with one bucket, and keys that may use it."""

    endpoint: str
    key_id: str
    secret: str
    bucket: str = BUCKET

    @property
    def url(self) -> str:
        return f"http://{self.endpoint}"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """Start Postgres in a folder of its own; it stops with the tests."""
    found = shutil.which("pg_config")
    bin_folder = Path(subprocess.check_output([found, "--bindir"], text=True).strip()) if found else Path()
    if not (bin_folder / "initdb").exists():
        pytest.skip("Postgres is not installed (Debian: apt-get install postgresql)")
    server, folder = Postgres(bin_folder, free_port()), Path(tempfile.mkdtemp(prefix="flywheel-postgres-"))
    secret = folder / "password"
    secret.write_text(PASSWORD)
    become: list[str] = []
    if os.getuid() == 0:  # Postgres refuses to run as root
        become = ["runuser", "-u", "postgres", "--"]
        for path in (folder, secret):
            shutil.chown(path, user="postgres")

    def call(program: str, *options: object) -> None:
        words = [*become, bin_folder / program, "-D", folder / "data", *map(str, options)]
        subprocess.run(words, check=True, stdout=subprocess.DEVNULL, cwd="/")

    call("initdb", "--auth=scram-sha-256", f"--pwfile={secret}", "--no-sync", "-E", "UTF8", "-U", "flywheel")
    options = f"-c listen_addresses=127.0.0.1 -c port={server.port} -c unix_socket_directories= -c fsync=off"
    call("pg_ctl", "-w", "-l", folder / "log", "-o", options, "start")
    try:
        yield server
    finally:
        call("pg_ctl", "-w", "-m", "immediate", "stop")
        shutil.rmtree(folder)


def ask(endpoint: str, method: str, path: str, body: bytes | None = None) -> int:
    connection = http.client.HTTPConnection(endpoint, timeout=30)
    try:
        connection.request(method, path, body, {"Content-Type": "text/plain"})
        return connection.getresponse().status
    finally:
        connection.close()


def wait_for(endpoint: str, path: str, seconds: float = 60) -> None:
    last = time.monotonic() + seconds
    while True:
        try:
            assert ask(endpoint, "GET", path) == 200
        except ConnectionError:
            if time.monotonic() > last:
                raise
            time.sleep(0.1)
        else:
            return


@pytest.fixture(scope="session")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3]:
    """Start moto, which from then on checks who asks, and how the request is signed."""
    endpoint = f"127.0.0.1:{free_port()}"
    host, _, port = endpoint.partition(":")
    with (tmp_path_factory.mktemp("moto") / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "moto.server", "-H", host, "-p", port], stdout=log, stderr=subprocess.STDOUT
        )
        try:
            wait_for(endpoint, "/moto-api/")
            yield with_keys(endpoint)
        finally:
            process.terminate()
            process.wait()


def with_keys(endpoint: str) -> S3:
    given: dict[str, Any] = {"endpoint_url": f"http://{endpoint}", "region_name": "us-east-1"}
    given |= {"aws_access_key_id": "setup", "aws_secret_access_key": "setup"}
    boto3.client("s3", **given).create_bucket(Bucket=BUCKET)
    people = boto3.client("iam", **given)
    people.create_user(UserName="wheel")
    allowed = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}'
    people.put_user_policy(UserName="wheel", PolicyName="all", PolicyDocument=allowed)
    key = people.create_access_key(UserName="wheel")["AccessKey"]
    assert ask(endpoint, "POST", "/moto-api/reset-auth", b"0") == 200  # from now on no request goes unchecked
    return S3(endpoint, key["AccessKeyId"], key["SecretAccessKey"])


@pytest.fixture(scope="session")
def ceph(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3]:
    """Start Ceph's RADOS gateway, a real S3 server."""
    if shutil.which("radosgw") is None:
        pytest.skip("Ceph is not installed (Debian: apt-get install ceph-mon ceph-osd ceph-mgr radosgw ceph-common)")
    folder, port = tmp_path_factory.mktemp("ceph"), free_port()
    try:
        subprocess.run([Path(__file__).with_name("start-rgw"), folder, str(port)], check=True, timeout=120)
        server = S3(f"127.0.0.1:{port}", "AKTEST", "SKTEST")
        keys = {"aws_access_key_id": server.key_id, "aws_secret_access_key": server.secret}
        boto3.client("s3", endpoint_url=server.url, region_name="us-east-1", **keys).create_bucket(Bucket=BUCKET)
        yield server
    finally:
        for pid in (folder / "pids").read_text().split() if (folder / "pids").exists() else []:
            os.kill(int(pid), signal.SIGTERM)


@pytest.fixture(autouse=True)
def _no_keys(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Forget the AWS and Postgres credentials of whoever runs the tests."""
    for name in [name for name in os.environ if name.startswith(("AWS_", "PG"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "no-config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "no-credentials"))


@pytest.fixture
def use_keys(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    def use(key_id: str, secret: str) -> None:
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", key_id)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", secret)

    return use


@pytest.fixture(params=["moto", "ceph"])
def s3(request: pytest.FixtureRequest, use_keys: Callable[[str, str], None]) -> S3:
    server: S3 = request.getfixturevalue(request.param)
    use_keys(server.key_id, server.secret)
    return server


@pytest.fixture
def s3_settings(s3: S3, tmp_path: Path) -> Settings:
    """Name a lake on S3 whose catalog is SQLite on this machine."""
    lake = f"s3://{s3.bucket}/lake-{os.getpid()}-{next(_NUMBERS)}"
    return Settings(lake=lake, control=tmp_path / "control", s3_endpoint=s3.endpoint, s3_use_ssl=False)


@pytest.fixture(params=["folder", "moto", "ceph"])
def place(request: pytest.FixtureRequest, use_keys: Callable[[str, str], None], tmp_path: Path) -> dict[str, Any]:
    """Return the settings that say where objects are."""
    if request.param == "folder":
        return {"lake": str(tmp_path / "lake")}
    server: S3 = request.getfixturevalue(request.param)
    use_keys(server.key_id, server.secret)
    lake = f"s3://{server.bucket}/lake-{os.getpid()}-{next(_NUMBERS)}"
    return {"lake": lake, "s3_endpoint": server.endpoint, "s3_use_ssl": False}


@pytest.fixture(params=["sqlite", "postgres"])
def catalog(request: pytest.FixtureRequest) -> str:
    if request.param == "sqlite":
        return ""
    server: Postgres = request.getfixturevalue("postgres")
    return server.catalog(server.new_database())


@pytest.fixture
def settings(place: dict[str, Any], catalog: str, tmp_path: Path) -> Settings:
    """Name a lake in each place, with each catalog."""
    return Settings(**place, catalog=catalog, control=tmp_path / "control")


@pytest.fixture
def rows_for() -> Callable[..., pl.DataFrame]:
    """Return a maker of frames: a table's contract, null where a row says nothing."""

    def make(lake: Any, table: str, *rows: dict[str, Any]) -> pl.DataFrame:
        made: pl.DataFrame = lake.typed(table, rows)
        return made

    return make
