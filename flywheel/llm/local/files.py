"""Uploaded files: bytes and what is known about them, on disk under ids that never repeat."""

from dataclasses import asdict, dataclass
from pathlib import Path
from uuid import uuid4

from flywheel.llm.local.disk import read_json, write_atomic, write_json
from flywheel.llm.local.wire import ApiError, Json, missing

PURPOSES = frozenset({"assistants", "batch", "fine-tune", "vision", "user_data", "evals"})


@dataclass(frozen=True, slots=True)
class FileRecord:
    """Describe one uploaded file."""

    file_id: str
    filename: str
    purpose: str
    size_bytes: int
    created_at: int

    def shown(self) -> Json:
        """Return the file in OpenAI's shape."""
        return {
            "id": self.file_id,
            "object": "file",
            "bytes": self.size_bytes,
            "created_at": self.created_at,
            "filename": self.filename,
            "purpose": self.purpose,
            "status": "processed",
        }


class FileStore:
    """Keep files in a folder; the record is written last, so a listed file is whole."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        records = (FileRecord(**read_json(path)) for path in sorted(folder.glob("file-*.json")))
        self._records = {record.file_id: record for record in records}

    def add(self, content: bytes, filename: str, purpose: str, created_at: int) -> FileRecord:
        """Store an upload; raises ApiError when it has an unknown purpose or no bytes."""
        if purpose not in PURPOSES:
            expected = ", ".join(sorted(PURPOSES))
            raise ApiError(f"purpose is {purpose!r}; expected one of {expected}.", 400, "purpose")
        if not content:
            raise ApiError(f"The file {filename!r} is empty. Upload a file with content.", 400, "file")
        record = FileRecord(f"file-{uuid4().hex[:24]}", filename, purpose, len(content), created_at)
        write_atomic(self._bytes_path(record.file_id), content)
        write_json(self._folder / f"{record.file_id}.json", asdict(record))
        self._records[record.file_id] = record
        return record

    def get(self, file_id: str, param: str = "file_id") -> FileRecord:
        """Return a file's record; raises ApiError when there is none."""
        if file_id not in self._records:
            raise missing("file", file_id, param)
        return self._records[file_id]

    def content(self, file_id: str) -> bytes:
        """Return a file's bytes; raises ApiError when there is none."""
        return self._bytes_path(self.get(file_id).file_id).read_bytes()

    def newest_first(self, purpose: str | None = None) -> list[FileRecord]:
        """List files, of one purpose if given."""
        chosen = [record for record in self._records.values() if purpose in (None, record.purpose)]
        return sorted(chosen, key=lambda record: (-record.created_at, record.file_id))

    def delete(self, file_id: str) -> None:
        """Forget a file; models trained on it keep their own copy."""
        self.get(file_id)
        (self._folder / f"{file_id}.json").unlink()
        self._bytes_path(file_id).unlink()
        del self._records[file_id]

    def _bytes_path(self, file_id: str) -> Path:
        return self._folder / f"{file_id}.content"
