"""A script that `parquet` runs: it writes the rows of a Parquet file as lines of JSON, in no more than `MEMORY`."""

from __future__ import annotations

import json
import sys
from typing import Any

#: Bytes that the process may take beside what it starts with, and seconds of the processor.
MEMORY, SECONDS = 256 * 2**20, 60

#: Rows that are unpacked at once.
BATCH = 100

#: The exit status for a file that is not Parquet; any other but 0 means that it took too much.
NOT_PARQUET = 3


def main(work: str, path: str) -> int:
    """Do the work ("rows" or "metadata") and return the exit status."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    limit_memory()
    try:
        # Page by page, and not a whole row group at once.
        with pq.ParquetFile(path, buffer_size=2**16, pre_buffer=False) as file:
            if work == "metadata":
                print((file.schema_arrow.metadata or {}).get(b"huggingface", b"").decode())
            else:
                for batch in file.iter_batches(batch_size=BATCH, use_threads=False):
                    for row in batch.to_pylist():
                        print(json.dumps(row, default=spell))
        sys.stdout.flush()
    except (MemoryError, pa.ArrowMemoryError):
        return 1
    except (pa.ArrowException, ValueError):
        return NOT_PARQUET
    return 0


def spell(value: Any) -> Any:
    """What JSON lacks: a date or a decimal number as a text; bytes, which are no text, as an object."""
    return {"bytes": len(value)} if isinstance(value, bytes) else str(value)


def limit_memory() -> None:
    """Bound memory and time from here on, where the system can."""
    try:
        import resource

        with open("/proc/self/statm", encoding="ascii") as file:
            size = int(file.read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (size + MEMORY, size + MEMORY))
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    except (ImportError, OSError, ValueError):  # not Linux, or bounded more narrowly already
        return


if __name__ == "__main__":
    sys.path.pop(0)  # this folder: the names of its modules are not for other libraries
    sys.exit(main(*sys.argv[1:]))
