"""Run the benchmarks: `python bench/run.py api --quick`; without a name, all of them in turn.

Each one stops by itself, cleans up after itself and prints tables; docs/benchmarks.md keeps them.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BENCHMARKS = {
    "api": "bench.bench_api",
    "qr": "bench.bench_qr",
    "slips": "bench.bench_slips",
    "import": "bench.bench_import",
    "farm": "bench.bench_farm",
}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("name", nargs="?", choices=BENCHMARKS, help="one benchmark alone")
    options.add_argument("--quick", action="store_true", help="a short run of api")
    chosen, rest = options.parse_known_args()
    failed = [
        name
        for name in ([chosen.name] if chosen.name else BENCHMARKS)
        if not run(name, [*rest, *(["--quick"] if chosen.quick and name == "api" else [])])
    ]
    if failed:
        sys.exit(f"bench: {', '.join(failed)} did not come to an end.")


def run(name: str, arguments: list[str]) -> bool:
    """Run one benchmark in a process, and a folder, of its own."""
    print(f"\n## {name}\n", flush=True)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        defaults = {
            "SECRET_KEY": "only-for-measuring-" + "x" * 40,
            "DATABASE_URL": f"sqlite:///{folder}/bench.sqlite3",
            "VAR_DIR": folder,
        }
        command = [sys.executable, "-m", BENCHMARKS[name], *arguments]
        done = subprocess.run(command, cwd=ROOT, env=defaults | os.environ, check=False)
        return done.returncode == 0


if __name__ == "__main__":
    main()
