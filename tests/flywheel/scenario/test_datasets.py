"""Public data sets are found, fetched from a real HTTP server, and refused when their bytes are not right."""

import gzip
import hashlib
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from flywheel.core.errors import CorruptObject, MissingPart, UnknownDataset
from flywheel.scenario import datasets
from flywheel.scenario.datasets import SETS, Found, fetch, find, load_banking77, load_gsm8k_solutions


class QuietServer(SimpleHTTPRequestHandler):
    def log_message(self, *parts):
        """Keep the test's output free of requests."""


@pytest.fixture
def site(tmp_path, folder_of):
    """Serve the real files at the paths they have at their source; yield the address and the folder."""
    data = folder_of("gsm8k")
    wanted = SETS["gsm8k"]
    root = tmp_path / "site"
    for source in wanted.files:
        path = root / wanted.repo / wanted.commit / source.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes((data / source.name).read_bytes())
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(QuietServer, directory=str(root)))
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", root
    server.shutdown()
    server.server_close()


def put_empty_files(folder, name, suffix=""):
    folder.mkdir(parents=True)
    for source in SETS[name].files:
        (folder / f"{source.name}{suffix}").write_bytes(b"")


def test_fetch_puts_checked_files_into_the_cache(site, tmp_path):
    address, _ = site
    found = fetch("gsm8k", tmp_path / "cache", base_url=address)
    assert found == Found(tmp_path / "cache" / "gsm8k", "cache")
    assert sorted(path.name for path in found.path.iterdir()) == [
        "LICENSE",
        "example_model_solutions.jsonl",
        "test.jsonl",
    ]
    assert len(list(load_gsm8k_solutions(found.path))) == 1319


def test_what_is_there_and_right_is_not_downloaded_again(site, tmp_path):
    address, root = site
    fetch("gsm8k", tmp_path / "cache", base_url=address)
    for path in root.rglob("*"):
        if path.is_file():
            path.unlink()
    assert fetch("gsm8k", tmp_path / "cache", base_url=address).origin == "cache"


@pytest.mark.parametrize("body", [b"", b"not the licence", b"x" * 2_000_000])
def test_other_bytes_are_refused_and_not_kept(site, tmp_path, body):
    address, root = site
    wanted = SETS["gsm8k"]
    (root / wanted.repo / wanted.commit / "LICENSE").write_bytes(body)
    with pytest.raises(CorruptObject, match="LICENSE"):
        fetch("gsm8k", tmp_path / "cache", base_url=address)
    assert not (tmp_path / "cache" / "gsm8k" / "LICENSE").exists()
    assert find("gsm8k", None, tmp_path / "cache") is None


def test_a_damaged_cache_is_mended(site, tmp_path):
    address, _ = site
    found = fetch("gsm8k", tmp_path / "cache", base_url=address)
    (found.path / "LICENSE").write_bytes(b"damaged")
    fetch("gsm8k", tmp_path / "cache", base_url=address)
    assert hashlib.sha256((found.path / "LICENSE").read_bytes()).hexdigest() == SETS["gsm8k"].files[2].sha256


@pytest.mark.parametrize("address", ["http://127.0.0.1:1", "file:///etc"])
def test_without_a_network_the_message_says_how_to_go_on(tmp_path, address):
    with pytest.raises(MissingPart, match=r"FLYWHEEL_DATA.*built-in scenario"):
        fetch("banking77", tmp_path, base_url=address)


def test_a_file_the_source_no_longer_has_is_missing(site, tmp_path):
    address, _ = site
    with pytest.raises(MissingPart, match="404"):
        fetch("banking77", tmp_path, base_url=address)


@pytest.mark.parametrize("call", [lambda path: find("mnist", None, path), lambda path: fetch("mnist", path)])
def test_unknown_names_are_refused_with_the_known(tmp_path, call):
    with pytest.raises(UnknownDataset, match=r"'mnist'.*banking77, gsm8k"):
        call(tmp_path)


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_the_callers_folder_comes_before_the_cache(tmp_path, suffix):
    put_empty_files(tmp_path / "data" / "banking77", "banking77", suffix)
    put_empty_files(tmp_path / "cache" / "banking77", "banking77")
    folder, cache = tmp_path / "data", tmp_path / "cache"
    assert find("banking77", folder, cache) == Found(folder / "banking77", "folder")
    assert find("banking77", None, cache) == Found(cache / "banking77", "cache")


def test_a_set_with_a_file_missing_is_not_found(tmp_path):
    put_empty_files(tmp_path / "banking77", "banking77")
    (tmp_path / "banking77" / "test.csv").unlink()
    assert find("banking77", tmp_path, tmp_path) is None


def test_banking77_reads_plain_and_packed_alike(tmp_path):
    rows = 'text,category\n"where, is my card",card_arrival\n'
    (tmp_path / "train.csv").write_text(rows, "utf-8")
    (tmp_path / "test.csv.gz").write_bytes(gzip.compress(rows.encode()))
    train, test = load_banking77(tmp_path)
    assert train == test
    assert [(query.text, query.intent) for query in train] == [("where, is my card", "card_arrival")]


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(MissingPart, match=r"train\.csv"):
        load_banking77(tmp_path)


def test_the_real_banking77_has_its_published_size(folder_of):
    train, test = load_banking77(folder_of("banking77"))
    assert (len(train), len(test), len({query.intent for query in train})) == (10003, 3080, 77)


@pytest.mark.parametrize("name", sorted(SETS))
def test_the_table_of_sets_matches_the_real_files(name, folder_of):
    folder = folder_of(name)
    for source in datasets.SETS[name].files:
        body = (folder / source.name).read_bytes()
        assert (len(body), hashlib.sha256(body).hexdigest()) == (source.bytes, source.sha256)


@pytest.mark.parametrize("name", sorted(SETS))
def test_the_table_of_sets_names_the_recorded_sources(name, folder_of):
    recorded = folder_of(name).parent / "SOURCES.tsv"
    if not recorded.is_file():
        pytest.skip(f"{recorded} is not there to compare with")
    lines = recorded.read_text("utf-8").splitlines()
    for source in SETS[name].files:
        wanted = (SETS[name].repo, SETS[name].commit, source.path, str(source.bytes), source.sha256)
        assert any(line.split("\t")[2:7] == list(wanted) for line in lines), source
