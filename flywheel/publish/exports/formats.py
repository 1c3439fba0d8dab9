"""All formats that a release can be written in, by name."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from flywheel.core.errors import UsageError
from flywheel.publish.exports import for_axolotl, for_hf, for_llama_factory, for_openai, for_rl, for_trl
from flywheel.publish.exports.example import Example, Reads, check_chat

Write = Callable[[Example], Iterator[dict[str, Any]]]
Check = Callable[[Example, str], None]
CheckFile = Callable[[str, str, Mapping[str, int]], None]
Beside = Callable[[Mapping[str, str], str], dict[str, bytes]]


def nothing_beside(files: Mapping[str, str], base_model: str) -> dict[str, bytes]:
    """Return no further files."""
    del files, base_model
    return {}


@dataclass(frozen=True, slots=True)
class Format:
    """How a release becomes files for one trainer."""

    name: str
    about: str
    reads: Reads
    parts: Mapping[str, Write]  # file name with {split}, and what it holds
    check: Check = check_chat
    check_file: CheckFile = for_trl.check_records
    beside: Beside = nothing_beside
    is_hf: bool = False


def _one(write: Write) -> dict[str, Write]:
    return {"{split}.jsonl": write}


_LF_CHECK = for_llama_factory.check
_CHOSEN_COLUMNS = {"chosen": "chosen", "rejected": "rejected"}

FORMATS: Mapping[str, Format] = {
    form.name: form
    for form in (
        Format("openai-sft", "OpenAI supervised fine-tuning", Reads.CHOSEN, _one(for_openai.sft),
               for_openai.check, for_openai.check_file),
        Format("openai-dpo", "OpenAI direct preference optimisation", Reads.PAIR, _one(for_openai.dpo),
               for_openai.check, for_openai.check_file),
        Format("trl-sft", "TRL SFTTrainer, messages", Reads.CHOSEN, _one(for_trl.sft)),
        Format("trl-dpo", "TRL DPOTrainer, messages", Reads.PAIR, _one(for_trl.preference)),
        Format("trl-kto", "TRL KTOTrainer, messages", Reads.BOTH, _one(for_trl.kto), check_file=for_trl.check_kto),
        Format("trl-reward", "TRL RewardTrainer, messages", Reads.PAIR, _one(for_trl.preference)),
        Format("trl-sft-text", "TRL SFTTrainer, texts", Reads.CHOSEN, _one(for_trl.sft_text)),
        Format("trl-dpo-text", "TRL DPOTrainer, texts", Reads.PAIR, _one(for_trl.preference_text)),
        Format("trl-kto-text", "TRL KTOTrainer, texts", Reads.BOTH, _one(for_trl.kto_text),
               check_file=for_trl.check_kto),
        Format("trl-reward-text", "TRL RewardTrainer, texts", Reads.PAIR, _one(for_trl.preference_text)),
        Format("axolotl-sft", "Axolotl SFT, with its config", Reads.CHOSEN, _one(for_axolotl.sft),
               beside=for_axolotl.sft_config),
        Format("axolotl-dpo", "Axolotl DPO, with its config", Reads.PAIR, _one(for_axolotl.dpo),
               beside=for_axolotl.dpo_config),
        Format("llama-factory-sft", "LLaMA-Factory SFT, with its configs", Reads.CHOSEN,
               _one(for_llama_factory.sft), _LF_CHECK, beside=partial(for_llama_factory.config, "sft", {})),
        Format("llama-factory-dpo", "LLaMA-Factory DPO, with its configs", Reads.PAIR,
               _one(for_llama_factory.dpo), _LF_CHECK,
               beside=partial(for_llama_factory.config, "dpo", _CHOSEN_COLUMNS)),
        Format("llama-factory-kto", "LLaMA-Factory KTO, with its configs", Reads.BOTH,
               _one(for_llama_factory.kto), _LF_CHECK, for_trl.check_kto,
               partial(for_llama_factory.config, "kto", {"kto_tag": "label"})),
        Format("rl", "prompts with verifiers, for TRL GRPOTrainer and verl", Reads.PROMPT, _one(for_rl.prompts),
               beside=for_rl.reward_file),
        Format("hf", "Hugging Face dataset: Parquet and a card", Reads.BOTH,
               {"data/sft/{split}.parquet": for_hf.sft, "data/preference/{split}.parquet": for_hf.preference},
               is_hf=True),
        Format("parquet", "the rows themselves, with their weight", Reads.BOTH, {}),
    )
}  # fmt: skip


def find_format(name: str) -> Format:
    """Return a format by its name.

    Raises:
        UsageError: there is none of that name.

    """
    if name not in FORMATS:
        raise UsageError(f"There is no format {name!r}. Pass --format with one of: {', '.join(FORMATS)}.")
    return FORMATS[name]
