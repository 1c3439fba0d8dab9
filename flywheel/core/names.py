"""What datasets and tags may be called: names are parts of paths, and never mistaken for a version."""

import re

from flywheel.core.errors import BadSetting

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9._-]{0,63}")
NAME_IN_WORDS = "a letter, then up to 63 letters, digits, '.', '_' or '-'"


def is_name(text: str) -> bool:
    """Whether something can be called this."""
    return _NAME.fullmatch(text) is not None


def check_dataset(name: str) -> str:
    """Return the name of a dataset.

    Raises:
        BadSetting: it cannot be part of a path.

    """
    if not is_name(name):
        raise BadSetting("dataset", name, NAME_IN_WORDS)
    return name
