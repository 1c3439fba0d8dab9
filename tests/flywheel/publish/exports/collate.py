"""Run by the Python of an environment with TRL: load exported files, make each trainer, collate one batch.

usage: collate.py FOLDER, in which <format>/train.jsonl lies; prints one JSON object, format to the batch's shapes
"""

import json
import sys
from pathlib import Path

import trl
from datasets import load_dataset
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, LlamaForSequenceClassification, PreTrainedTokenizerFast

TEMPLATE = (
    "{% if tools %}<tools>{{ tools | tojson }}</tools>{% endif %}"
    "{% for message in messages %}<|{{ message.role }}|>"
    "{{ message.content }}{% for call in message.tool_calls or [] %}"
    "<call>{{ call.function.name }}{{ call.function.arguments | tojson }}</call>{% endfor %}</s>"
    "{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
SIZES = {
    "vocab_size": 400, "hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2,
    "num_key_value_heads": 2, "pad_token_id": 0,
}  # fmt: skip
OPTIONS = {"per_device_train_batch_size": 2, "report_to": [], "use_cpu": True, "bf16": False, "max_length": 100_000}


def tokenizer() -> PreTrainedTokenizerFast:
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    special = ["<pad>", "</s>"]
    made.train_from_iterator(
        [], trainers.BpeTrainer(vocab_size=300, special_tokens=special, initial_alphabet=alphabet)
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=made, pad_token="<pad>", eos_token="</s>", chat_template=TEMPLATE, padding_side="left"
    )


def tiny(folder: Path, kind: type) -> str:
    """Save a model of no use and its tokenizer: trainers load a second copy by its folder."""
    place = folder / kind.__name__
    kind(LlamaConfig(**SIZES, num_labels=1)).save_pretrained(place)
    tokenizer().save_pretrained(place)
    return str(place)


def trainer_of(form: str, rows, folder: Path):
    name = form.removesuffix("-text")
    kind = LlamaForSequenceClassification if name == "trl-reward" else LlamaForCausalLM
    model = kind.from_pretrained(tiny(folder.parent / "models", kind))
    given = {"train_dataset": rows, "processing_class": tokenizer()}
    if name == "rl":
        options = {key: value for key, value in OPTIONS.items() if key != "max_length"}
        config = trl.GRPOConfig(str(folder), num_generations=2, max_completion_length=4, **options)
        return trl.GRPOTrainer(model, reward_of(folder), args=config, **given)
    trainer, config = {
        "trl-sft": lambda: (trl.SFTTrainer, trl.SFTConfig),
        "trl-dpo": lambda: (trl.DPOTrainer, trl.DPOConfig),
        "trl-kto": kto_classes,
        "trl-reward": lambda: (trl.RewardTrainer, trl.RewardConfig),
    }[name]()
    return trainer(model, args=config(str(folder), **OPTIONS), **given)


def reward_of(folder: Path):
    sys.path.insert(0, str(folder))
    from rewards import reward

    return reward


def kto_classes():
    try:
        from trl import KTOConfig, KTOTrainer
    except ImportError:  # it was experimental for a while
        from trl.experimental.kto import KTOConfig, KTOTrainer
    return KTOTrainer, KTOConfig


def shapes(batch: object) -> object:
    if isinstance(batch, list):
        return [sorted(batch[0]), len(batch)]
    return {
        name: list(value.shape) if hasattr(value, "shape") else len(value) for name, value in sorted(batch.items())
    }


def main(folder: Path) -> None:
    found = {"trl": trl.__version__}
    for path in sorted(folder.glob("*/train.jsonl")):
        rows = load_dataset("json", data_files=str(path), split="train")
        trainer = trainer_of(path.parent.name, rows, path.parent)
        batch = next(iter(trainer.get_train_dataloader()))
        found[path.parent.name] = shapes(batch)
        if path.parent.name == "rl":
            found["rl rewards"] = trainer.reward_funcs[0](
                [[{"role": "assistant", "content": row["reward_model"]["ground_truth"]}] for row in rows],
                reward_model=rows["reward_model"],
                extra_info=rows["extra_info"],
            )[:2]
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
