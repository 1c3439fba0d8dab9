"""Find out whether a store creates a key only once: all that keeps two publishers from both winning a version.

Some S3 servers take `If-None-Match: *` and write over what is there all the same; Ceph does so where a bucket keeps
versions. No server says so, so a throw-away key is created twice.
"""

from uuid import uuid4
from weakref import WeakSet

from flywheel.core.errors import MissingPart
from flywheel.core.settings import Settings
from flywheel.core.storage import FolderStore, Store

_proven: WeakSet[Store] = WeakSet()  # stores of this process that have shown it


def creates_once(store: Store) -> bool:
    """Create a throw-away key twice, and return whether the second try was refused and changed nothing.

    Raises:
        StoreBusy: the store is away.
        MissingPart: it does not let us write.

    """
    name = f"probes/{uuid4().hex}"
    is_first = store.put_new(name, b"first")
    is_second = store.put_new(name, b"second")
    held = store.read(name)
    store.delete(name)
    return is_first and not is_second and held == b"first"


def require_one_winner(store: Store, settings: Settings) -> None:
    """Let nobody publish where two could win; asked once for each store that is opened.

    A folder's links are the kernel's promise. With the setting `single_publisher` the operator promises instead.

    Raises:
        MissingPart: the store lets a key be created twice.
        StoreBusy: it is away.

    """
    if isinstance(store, FolderStore) or settings.single_publisher or store in _proven:
        return
    if not creates_once(store):
        raise MissingPart(
            f"Creating a key only once (If-None-Match: *) in {store.root!r} at {settings.s3_endpoint or 'AWS'}",
            "It was created twice, so two publishers could both win a version. Switch the bucket's versioning off if "
            "that is Ceph, else use a newer server; or set `single_publisher = true` if only one machine publishes.",
        )
    _proven.add(store)
