"""Measure decontamination: `python -m benchmarks.decontamination [--documents 20000]`; prints a Markdown table.

Documents with planted copies of 8,792 made-up problems, verbatim and with three words replaced, against Python sets
of 8-grams and a Polars semi-join of hashed 8-grams. Those two say whether any 8-gram is shared; ours applies the rule
of `flywheel.text.contamination`, verifies every word and returns the span. `--data FOLDER` measures, on real
benchmarks (gsm8k, humaneval, mbpp below it), how much of them is found again in disguise.
"""

import argparse
import random
import time
from collections.abc import Callable
from pathlib import Path

import polars as pl

from benchmarks.corpus import texts
from flywheel.mine.texts_to_check import read_texts
from flywheel.text.contamination import find_contamination

_GRAM = 8
_PROBLEMS = 8_792  # as many as GSM8K has
_LOOKALIKES = str.maketrans("aceopxyABCEHKMOPTX", "асеорхуАВСЕНКМОРТХ")
_FILES = {
    "gsm8k": ("gsm8k/test.jsonl", "question"),
    "humaneval": ("humaneval/HumanEval.jsonl.gz", "prompt"),
    "mbpp, text": ("mbpp/mbpp.jsonl.gz", "text"),
    "mbpp, text and code": ("mbpp/mbpp.jsonl.gz", "text,code"),
}


def replaced(text: str, count: int, rng: random.Random) -> str:
    """Return a text with some of its words replaced."""
    words = text.split(" ")
    for place in rng.sample(range(len(words)), min(count, len(words))):
        words[place] = f"zz{place}"
    return " ".join(words)


def planted(count: int) -> tuple[pl.DataFrame, pl.DataFrame, dict[str, bool]]:
    """Return documents, problems, and which documents hold one: True verbatim, False with three words replaced."""
    documents = pl.concat(texts(count)).select(pl.col("id").cast(pl.String), "text")
    rng = random.Random(7)
    words = " ".join(documents["text"][:2000]).split()
    problems = [" ".join(rng.choices(words, k=rng.randint(30, 60))) for _ in range(_PROBLEMS)]
    held = documents["text"].to_list()
    truth = {}
    for place in rng.sample(range(count), count // 200):
        truth[str(place)] = rng.random() < 0.5
        problem = rng.choice(problems)
        held[place] += " " + (problem if truth[str(place)] else replaced(problem, 3, rng))
    instances = pl.DataFrame({"id": [str(number) for number in range(_PROBLEMS)], "text": problems})
    return documents.with_columns(text=pl.Series(held)), instances, truth


def by_flywheel(documents: pl.DataFrame, problems: pl.DataFrame) -> set[str]:
    return set(find_contamination(documents, problems)["id"])


def by_python_sets(documents: pl.DataFrame, problems: pl.DataFrame) -> set[str]:
    known = {gram for text in problems["text"] for gram in _grams(text)}
    return {name for name, text in documents.iter_rows() if not known.isdisjoint(_grams(text))}


def _grams(text: str) -> list[tuple[str, ...]]:
    words = text.split(" ")
    return list(zip(*(words[place:] for place in range(_GRAM)), strict=False))


def by_polars_join(documents: pl.DataFrame, problems: pl.DataFrame) -> set[str]:
    known = _hashed(problems).select("gram").unique()
    return set(_hashed(documents).join(known, on="gram", how="semi").select("id").unique().collect()["id"])


def _hashed(frame: pl.DataFrame) -> pl.LazyFrame:
    words = frame.lazy().select("id", word=pl.col("text").str.split(" ")).explode("word")
    parts = [pl.col("word").hash(7).shift(-place) * pl.lit((2 * place + 3) ** 7, pl.UInt64) for place in range(_GRAM)]
    within = pl.col("id") == pl.col("id").shift(1 - _GRAM)
    return words.select("id", gram=pl.sum_horizontal(parts), within=within).filter("within").select("id", "gram")


def compare(count: int) -> list[str]:
    """Time every way on the same documents, in turn, and return a Markdown table of the fastest of three."""
    documents, problems, truth = planted(count)
    ways: dict[str, Callable[[pl.DataFrame, pl.DataFrame], set[str]]] = {
        "flywheel: rule, verified, with spans": by_flywheel,
        "Polars semi-join of 8-gram hashes: any shared": by_polars_join,
        "Python sets of 8-grams: any shared": by_python_sets,
    }
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    found: dict[str, set[str]] = {}
    for _ in range(3):
        for name, way in ways.items():
            began = time.process_time()
            found[name] = way(documents, problems)
            seconds[name].append(time.process_time() - began)
    lines = [
        "| case | CPU s | records a CPU s | found verbatim | found edited | precision |",
        "|---|---|---|---|---|---|",
    ]
    for name, hits in found.items():
        best = min(seconds[name])
        shares = [
            _share(hits, [place for place, kind in truth.items() if kind is wanted]) for wanted in (True, False)
        ]
        precision = len(hits & set(truth)) / max(len(hits), 1)
        lines.append(
            f"| {name} | {best:.2f} | {count / best:,.0f} | {shares[0]:.3f} | {shares[1]:.3f} | {precision:.3f} |"
        )
    return lines


def _share(hits: set[str], wanted: list[str]) -> float:
    return sum(name in hits for name in wanted) / max(len(wanted), 1)


def disguises(folder: Path) -> list[str]:
    """Return a table of how much of each benchmark is found again in each disguise."""
    rng = random.Random(1)
    ways: dict[str, Callable[[str], str]] = {
        "verbatim": str,
        "3 words replaced": lambda text: replaced(text, 3, rng),
        "case, punctuation": lambda text: text.upper().replace(" ", "  ").replace(".", "!").replace(",", " -"),
        "look-alikes": lambda text: "".join(c.translate(_LOOKALIKES) if rng.random() < 0.5 else c for c in text),
        "split over turns": lambda text: f"{text[: len(text) // 2]}\nSure, go on please.\n{text[len(text) // 2 :]}",
    }
    lines = [f"| benchmark | instances | {' | '.join(ways)} |", "|---" * (len(ways) + 2) + "|"]
    around = "Please help me with the homework that is due tomorrow. {} Explain each of your steps, and be brief."
    for name, (file, columns) in _FILES.items():
        instances = read_texts(folder / file, columns.split(","))
        shares = []
        for way in ways.values():
            rows = instances.with_columns(text=pl.Series([around.format(way(text)) for text in instances["text"]]))
            pairs = find_contamination(rows, instances).filter(pl.col("id") == pl.col("instance_id"))
            shares.append(f"{pairs['id'].n_unique() / instances.height:.3f}")
        lines.append(f"| {name} | {instances.height} | {' | '.join(shares)} |")
    return lines


def main() -> None:
    """Measure and print tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=20_000)
    parser.add_argument("--data", type=Path, help="folder with real benchmarks")
    chosen = parser.parse_args()
    print("\n".join(disguises(chosen.data) if chosen.data else compare(chosen.documents)))


if __name__ == "__main__":
    main()
