"""One case of benchmarks/near_duplicates.py: `python near_duplicate_cases.py CASE FOLDER` prints what it measured.

Runs in the environment of its peer, so it imports nothing of ours but for our own cases. Equal parameters for all:
word 3-grams split at blanks, 128 permutations, 16 bands of 8. The timed section goes from texts in memory, for
datatrove and ours from a Parquet file, to the ids to drop.
"""

import json
import os
import resource
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

BANDS, ROWS = 16, 8
PERMUTATIONS = BANDS * ROWS


def _read(folder: str) -> list[str]:
    import pyarrow.parquet as pq

    return pq.read_table(f"{folder}/text.parquet", columns=["text"]).column(0).to_pylist()


def _shingles(text: str) -> list[bytes]:
    words = text.encode().split(b" ")
    return [b" ".join(words[place : place + 3]) for place in range(max(1, len(words) - 2))]


def flywheel(folder: str) -> tuple[float, list[int]]:
    """Find them with ours at the peers' parameters: rensa's threshold is .7, the others verify nothing."""
    from flywheel.text.minhash import Banding

    return _ours(folder, 0.7, Banding(BANDS, ROWS))


def flywheel_default(folder: str) -> tuple[float, list[int]]:
    """Find them with ours as the wheel does."""
    from flywheel.text.minhash import Banding

    return _ours(folder, 0.8, Banding())


def _ours(folder: str, threshold: float, banding: object) -> tuple[float, list[int]]:
    import polars as pl

    from flywheel.text.near_duplicates import near_duplicates

    began = _cpu()
    grouped = near_duplicates(pl.read_parquet(f"{folder}/text.parquet"), threshold, banding)
    dropped = grouped.filter(~pl.col("is_representative"))["id"].to_list()
    return _cpu() - began, dropped


def rensa(folder: str) -> tuple[float, list[int]]:
    """Flag them with rensa; it flags both members of a pair."""
    from rensa import RMinHash, RMinHashLSH

    texts = _read(folder)
    began = _cpu()
    matrix = RMinHash.digest_matrix_from_token_byte_sets([_shingles(text) for text in texts], PERMUTATIONS, 42)
    flags = RMinHashLSH(0.7, PERMUTATIONS, BANDS).query_duplicate_flags_matrix_one_shot(matrix)
    return _cpu() - began, [place for place, flag in enumerate(flags) if flag]


def datasketch(folder: str) -> tuple[float, list[int]]:
    """Find them with datasketch."""
    from datasketch import MinHash, MinHashLSH

    texts = _read(folder)
    began = _cpu()
    index, dropped = MinHashLSH(num_perm=PERMUTATIONS, params=(BANDS, ROWS)), []
    for place, sketch in enumerate(MinHash.generator((_shingles(text) for text in texts), num_perm=PERMUTATIONS)):
        if index.query(sketch):
            dropped.append(place)
        index.insert(place, sketch)
    return _cpu() - began, dropped


def datatrove(folder: str) -> tuple[float, list[int]]:
    """Find them with datatrove's four steps on two workers, words split at blanks."""
    from datatrove.executor import LocalPipelineExecutor

    work = Path(folder) / "datatrove"
    count = _halves(folder, work / "in")
    steps = _datatrove_steps(work)
    began = _cpu()
    for number, (pipeline, tasks) in enumerate(steps):
        log = str(work / f"log{number}")
        LocalPipelineExecutor(pipeline, tasks=tasks, workers=2, logging_dir=log, start_method="fork").run()
    taken = _cpu() - began
    # its writer leaves the key out where the id is 0
    kept = {int(json.loads(line).get("id") or 0) for out in (work / "out").glob("*") for line in out.open()}
    return taken, [place for place in range(count) if place not in kept]


def _halves(folder: str, into: Path) -> int:
    """Write the texts as two files, one for each worker; return how many there are."""
    import pyarrow.parquet as pq

    shutil.rmtree(into.parent, ignore_errors=True)
    into.mkdir(parents=True)
    table = pq.read_table(f"{folder}/text.parquet")
    half = len(table) // 2
    pq.write_table(table.slice(0, half), into / "0.parquet")
    pq.write_table(table.slice(half), into / "1.parquet")
    return len(table)


def _datatrove_steps(work: Path) -> list[tuple[list[object], int]]:
    """Return its steps, each with the number of tasks it is cut into."""
    from datatrove.pipeline import dedup
    from datatrove.pipeline.dedup.minhash import MinhashConfig
    from datatrove.pipeline.readers import ParquetReader
    from datatrove.pipeline.writers.jsonl import JsonlWriter
    from datatrove.utils.hashing import HashConfig
    from datatrove.utils.word_tokenizers import WordTokenizer

    class AtBlanks(WordTokenizer):
        def word_tokenize(self, text: str) -> list[str]:
            return text.split(" ")

        def sent_tokenize(self, text: str) -> list[str]:
            return [text]

        def span_tokenize(self, text: str) -> list[tuple[int, int]]:
            return [(0, len(text))]

    hashing = HashConfig(hash_fc="xxhash", precision=64)
    config = MinhashConfig(n_grams=3, num_buckets=BANDS, hashes_per_bucket=ROWS, hash_config=hashing)
    into = {name: str(work / name) for name in ("in", "sig", "buckets", "remove", "out")}
    readers = [ParquetReader(into["in"], text_key="text", id_key="id") for _ in range(2)]
    writer = JsonlWriter(into["out"], compression=None)
    return [
        ([readers[0], dedup.MinhashDedupSignature(into["sig"], config=config, language=AtBlanks())], 2),
        ([dedup.MinhashDedupBuckets(into["sig"], into["buckets"], config=config)], BANDS),
        ([dedup.MinhashDedupCluster(into["buckets"], into["remove"], config=config)], 1),
        ([readers[1], dedup.MinhashDedupFilter(into["remove"]), writer], 2),
    ]


def _cpu() -> float:
    return sum(os.times()[:4])


def _peak_gb() -> float:
    unit = 1 if sys.platform == "darwin" else 1024
    return (
        max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
        * unit
        / 1e9
    )


CASES: dict[str, Callable[[str], tuple[float, list[int]]]] = {
    "flywheel": flywheel,
    "flywheel_default": flywheel_default,
    "rensa": rensa,
    "datasketch": datasketch,
    "datatrove": datatrove,
}

if __name__ == "__main__":
    section, dropped = CASES[sys.argv[1]](sys.argv[2])
    told = {"section_seconds": section, "cpu_seconds": _cpu(), "peak_gb": _peak_gb(), "dropped": dropped}
    print(json.dumps(told))
