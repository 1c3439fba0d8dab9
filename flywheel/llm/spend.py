"""Copy the ledger into the lake, where cost is joined with what it bought."""

from flywheel.core.lake import Lake
from flywheel.llm.ledger import Ledger


def record_spend(lake: Lake, ledger: Ledger, run_id: str = "") -> int:
    """Land the ledger's calls in `spend`; return how many were not there yet."""
    return lake.land("spend", ledger.rows(), run_id)
