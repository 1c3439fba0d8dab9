"""Find people's names with a language model: Presidio and spaCy, where they are installed; imported nowhere else."""

from functools import lru_cache
from importlib.util import find_spec
from typing import Any, Protocol

from flywheel.core.errors import MissingPart
from flywheel.core.settings import Settings
from flywheel.text.pii_kinds import PiiKind, PiiSpan

_REMEDY = (
    "Install them: pip install 'flywheel[privacy]', then `python -m spacy download {model}`; "
    "or set redact_names to false."
)


class NameFinder(Protocol):
    """What finds names in a text."""

    def find(self, text: str) -> list[PiiSpan]:
        """Return the names in a text, in order and without overlaps."""


class PresidioNames:
    """Presidio's analyzer with a spaCy model; names score 0.85 where spaCy itself gives no score."""

    def __init__(self, model: str, min_score: float = 0.5) -> None:
        _check_installed(model)
        from presidio_analyzer import AnalyzerEngine
        from presidio_analyzer.nlp_engine import NlpEngineProvider

        configuration = {"nlp_engine_name": "spacy", "models": [{"lang_code": "en", "model_name": model}]}
        engine = NlpEngineProvider(nlp_configuration=configuration).create_engine()
        self._analyzer: Any = AnalyzerEngine(nlp_engine=engine, supported_languages=["en"])
        self._min_score = min_score

    def find(self, text: str) -> list[PiiSpan]:
        """Return the people spaCy sees in a text."""
        found = self._analyzer.analyze(text=text, language="en", entities=["PERSON"], score_threshold=self._min_score)
        spans: list[PiiSpan] = []
        for one in sorted(found, key=lambda result: (result.start, -result.end)):
            if not spans or one.start >= spans[-1].end:
                spans.append(PiiSpan(PiiKind.NAME, one.start, one.end))
        return spans


def name_finder(settings: Settings | None) -> NameFinder | None:
    """Return what finds names, if settings ask for that; a model is loaded once per process.

    Raises:
        MissingPart: Presidio, spaCy or its model is not installed.

    """
    return _loaded(settings.names_model) if settings is not None and settings.redact_names else None


@lru_cache(maxsize=1)
def _loaded(model: str) -> NameFinder:
    return PresidioNames(model)


def _check_installed(model: str) -> None:
    """Raise MissingPart before Presidio would download a model by itself."""
    missing = [name for name in ("presidio_analyzer", "spacy", model) if find_spec(name) is None]
    if missing:
        raise MissingPart(f"What redact_names needs ({', '.join(missing)})", _REMEDY.format(model=model))
