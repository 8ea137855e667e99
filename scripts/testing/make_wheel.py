"""Makes a wheel of the captchad that runs this, under another version; on request with something broken in it."""

import argparse
import base64
import hashlib
import importlib.metadata
import zipfile
from collections.abc import Iterator
from pathlib import Path

import captchad

PACKAGE = Path(captchad.__file__).parent
FAULTS = {
    # Before everything else in the file.
    "worker": ("captchad/roles/worker.py", b"", b'raise SystemExit("this worker ends at once")\n'),
    "doctor": ("captchad/cli/doctor/machine.py", b"OLDEST_PYTHON = (3, 11)", b"OLDEST_PYTHON = (4, 0)"),
}
"""What can be broken: a file, and in it what is replaced by what."""


def list_files(version: str, fault: str | None) -> Iterator[tuple[str, bytes]]:
    """Return what is in the wheel."""
    for path in sorted(PACKAGE.rglob("*")):
        if not path.is_file() or "__pycache__" in path.parts:
            continue
        name, content = f"captchad/{path.relative_to(PACKAGE)}", path.read_bytes()
        if name == "captchad/__init__.py":
            content = content.replace(f'"{captchad.__version__}"'.encode(), f'"{version}"'.encode())
        if fault is not None and name == FAULTS[fault][0]:
            content = content.replace(*FAULTS[fault][1:], 1)
        yield name, content
    own = importlib.metadata.distribution("captchad")
    metadata = (own.read_text("METADATA") or "").replace(f"\nVersion: {own.version}\n", f"\nVersion: {version}\n")
    texts = {"METADATA": metadata, "entry_points.txt": own.read_text("entry_points.txt") or ""}
    texts["WHEEL"] = "Wheel-Version: 1.0\nGenerator: captchad\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    yield from ((f"captchad-{version}.dist-info/{name}", text.encode()) for name, text in texts.items())


def main() -> None:
    """Write the wheel, and print its path."""
    parser = argparse.ArgumentParser()
    parser.add_argument("version")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--fault", choices=FAULTS)
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    path = options.folder / f"captchad-{options.version}-py3-none-any.whl"
    record = f"captchad-{options.version}.dist-info/RECORD"
    rows = [f"{record},,"]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as wheel:
        for name, content in list_files(options.version, options.fault):
            digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
            rows.append(f"{name},sha256={digest},{len(content)}")
            wheel.writestr(name, content)
        wheel.writestr(record, "\n".join(rows) + "\n")
    print(path)


if __name__ == "__main__":
    main()
