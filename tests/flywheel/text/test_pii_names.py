from importlib.util import find_spec

import pytest

from flywheel.core.errors import MissingPart
from flywheel.text.pii_kinds import PiiKind
from flywheel.text.pii_names import PresidioNames

MODELS = [name for name in ("en_core_web_lg", "en_core_web_md", "en_core_web_sm") if find_spec(name)]


def test_a_model_that_is_not_installed_is_not_downloaded():
    with pytest.raises(MissingPart, match="redact_names to false"):
        PresidioNames("en_core_web_that_nobody_has")


@pytest.mark.skipif(
    not MODELS or find_spec("presidio_analyzer") is None,
    reason="presidio-analyzer or a spaCy model is not installed: pip install 'flywheel[privacy]'",
)
def test_names_are_found():
    text = "My name is John Smith and I live in Berlin."
    spans = PresidioNames(MODELS[0]).find(text)
    assert [(span.kind, text[span.start : span.end]) for span in spans] == [(PiiKind.NAME, "John Smith")]
