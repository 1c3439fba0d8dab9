"""Text into tokens that concatenate back to it exactly."""

import re
from collections.abc import Iterable
from functools import lru_cache

# Words, runs of underscores and single punctuation marks, each with at most one space before it, as
# byte-pair tokenisers cut; what is left is white space.
_PIECE = re.compile(r" ?[^\W_]+| ?_+| ?[^\w\s]|\s+")

# Every message costs three tokens of framing:
# cookbook.openai.com/examples/how_to_count_tokens_with_tiktoken
_FRAME_TOKENS = 3


@lru_cache(maxsize=16_384)
def pieces(text: str) -> tuple[str, ...]:
    """Split text into tokens; joining them gives the text back."""
    return tuple(_PIECE.findall(text))


def count_tokens(text: str) -> int:
    """Count the tokens of one text."""
    return len(_PIECE.findall(text))


def count_prompt(contents: Iterable[str]) -> int:
    """Count the tokens of a conversation's message contents, with the framing of each message."""
    return sum(count_tokens(content) + _FRAME_TOKENS for content in contents)
