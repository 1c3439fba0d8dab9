import polars as pl

from flywheel.text.fingerprint import fingerprint64, fingerprint128, fingerprints


def test_fingerprints_never_change():
    # Stored in releases: if one of these differs, every id would.
    assert fingerprint64("Where is my order?") == 7560350116652158337
    assert fingerprint128("Where is my order?") == "3a3370fc2669d4f39be3b5601e252661"


def test_spelling_does_not_matter_and_words_do():
    assert fingerprint128(" WHERE is my  order?") == fingerprint128("Where is my order?")
    assert fingerprint128("Where is my refund?") != fingerprint128("Where is my order?")


def test_a_column_has_the_fingerprints_of_its_texts():
    column = pl.Series("input", ["Where is my order?", None, "Straße"])
    found = fingerprints(column)
    assert found.to_list() == [fingerprint128("Where is my order?"), None, fingerprint128("Straße")]
    assert found.name == "input"
