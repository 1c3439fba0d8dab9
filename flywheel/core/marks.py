"""What became known about a release after it was published; the release itself never changes.

marks/<dataset>/<version>/<request id>.json    rows of it that tell of somebody who was forgotten
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime

import orjson

from flywheel.core.names import check_dataset
from flywheel.core.storage import Store


@dataclass(frozen=True, slots=True)
class Mark:
    """Rows of a version that tell of what one request had forgotten."""

    version: int
    request_id: str
    row_count: int


def mark_forgotten(store: Store, dataset: str, mark: Mark, now: datetime) -> None:
    """Write down that rows of a release tell of what was forgotten; once for each request.

    Raises:
        BadSetting: the dataset's name cannot be one.

    """
    name = f"marks/{check_dataset(dataset)}/{mark.version}/{mark.request_id}.json"
    store.put_new(name, orjson.dumps(asdict(mark) | {"marked_at": now.isoformat()}))


def forgotten_rows(store: Store, dataset: str) -> Mapping[int, int]:
    """Return how many rows of each version tell of what was forgotten; versions without any are left out.

    Raises:
        BadSetting: the dataset's name cannot be one.

    """
    found: Counter[int] = Counter()
    for name in store.names(f"marks/{check_dataset(dataset)}"):
        said = orjson.loads(store.read(name))
        found[said["version"]] += said["row_count"]
    return found
