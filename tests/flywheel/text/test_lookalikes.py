import polars as pl
import pytest

from flywheel.text.lookalikes import looking_alike


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("plain", "plain"),
        ("раураl", "paypal"),
        ("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "ABEZHIKMNOPTYX"),
        ("café naïve", "cafe naive"),
        ("ｆｕｌｌ", "full"),
        ("日本語", "日本語"),
        (None, None),
    ],
)
def test_what_looks_alike_is_spelled_alike(text, plain):
    assert looking_alike(pl.Series([text], dtype=pl.String)).to_list() == [plain]
