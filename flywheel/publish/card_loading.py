"""How to load each file of a release: code that runs in the release's folder."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

_MODEL = "Qwen/Qwen3-0.6B"
_TRAINERS = {"sft": "SFT", "dpo": "DPO", "kto": "KTO"}
_METHODS = {"sft": "supervised", "dpo": "dpo"}


@dataclass(frozen=True, slots=True)
class Loading:
    """Code that loads something of a release, and in which language it is."""

    title: str
    language: str
    code: str


def ways_to_load(files: Iterable[str]) -> list[Loading]:
    """Return how to load the files of a release, in every library there is an export for."""
    names = sorted(files)
    found = list(_tables()) if "train.parquet" in names else []
    exports = [PurePosixPath(name) for name in names if name.startswith("exports/")]
    return found + [_export(path) for path in exports]


def _tables() -> Iterator[Loading]:
    yield Loading(
        "Polars",
        "python",
        'import polars as pl\n\ntrain = pl.read_parquet("train.parquet")  # input, rejected, chosen ...\n'
        'heldout = pl.read_parquet("heldout.parquet")  # to measure with, never to train on',
    )
    yield Loading("DuckDB", "sql", "select mode_name, count(*) from 'train.parquet' group by all order by all;")
    yield Loading(
        "Hugging Face datasets",
        "python",
        "from datasets import load_dataset\n\n"
        'rows = load_dataset("parquet", data_files={"train": "train.parquet", "test": "heldout.parquet"})',
    )


def _export(path: PurePosixPath) -> Loading:
    """Return how to hand over an export; one of a kind not known here is loaded as a table."""
    library, _, method = path.stem.partition("-")
    if library == "openai" and method in _METHODS:
        return Loading(f"OpenAI: {path.name}", "python", _openai(path, _METHODS[method]))
    if library == "trl" and method in _TRAINERS:
        return Loading(f"TRL: {path.name}", "python", _trl(path, _TRAINERS[method]))
    kind = "parquet" if path.suffix == ".parquet" else "json"
    code = f'from datasets import load_dataset\n\nrows = load_dataset("{kind}", data_files="{path}", split="train")'
    return Loading(path.name, "python", code)


def _openai(path: PurePosixPath, method: str) -> str:
    return (
        "from openai import OpenAI\n\nclient = OpenAI()\n"
        f'with open("{path}", "rb") as examples:\n'
        '    uploaded = client.files.create(file=examples, purpose="fine-tune")\n'
        "client.fine_tuning.jobs.create(\n"
        '    model="gpt-4.1-mini-2025-04-14",\n'
        "    training_file=uploaded.id,\n"
        f'    method={{"type": "{method}"}},\n)'
    )


def _trl(path: PurePosixPath, trainer: str) -> str:
    return (
        f"from datasets import load_dataset\nfrom trl import {trainer}Trainer\n\n"
        f'rows = load_dataset("json", data_files="{path}", split="train")\n'
        f'{trainer}Trainer(model="{_MODEL}", train_dataset=rows).train()'
    )
