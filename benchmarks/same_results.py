"""Two results folders, made by two versions of the code: whether tables and weights are the same, bit for bit.

    python benchmarks/same_results.py ../before/results results

Of Parquet files the Arrow data, of safetensors files the tensors; metadata (code revision, settings digest) is left
aside. Prints a digest of each side's content, and every file that differs or is on one side alone; leaves with status
1 where any differs.
"""

import hashlib
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from safetensors.torch import load_file


def content(path: Path) -> str:
    """Digest of a file's data without its metadata."""
    digest = hashlib.sha256()
    if path.suffix == ".parquet":
        table = pq.read_table(path).replace_schema_metadata(None).combine_chunks()
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table)
        digest.update(sink.getvalue())
    else:
        for name, tensor in sorted(load_file(path).items()):
            digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode() + tensor.numpy().tobytes())
    return digest.hexdigest()


def contents(folder: Path) -> dict[str, str]:
    """Digest of each table and each file of tensors, by its path below the folder."""
    files = sorted(path for kind in ("parquet", "safetensors") for path in folder.rglob(f"*.{kind}"))
    return {str(path.relative_to(folder)): content(path) for path in files}


if __name__ == "__main__":
    sides = [contents(Path(folder)) for folder in sys.argv[1:3]]
    common = sorted(sides[0].keys() & sides[1].keys())
    differing = [name for name in common if sides[0][name] != sides[1][name]]
    for side, digests in zip(sys.argv[1:3], sides, strict=True):
        joined = hashlib.sha256("".join(f"{name} {digests[name]}\n" for name in common).encode()).hexdigest()
        alone = sorted(digests.keys() - set(common))
        print(f"{side}: {len(digests)} files, the common ones together {joined[:16]}")
        print("".join(f"  only here: {name}\n" for name in alone), end="")
    print(f"{len(common)} in common, {len(differing)} differ", *differing, sep="\n  ")
    sys.exit(bool(differing))
