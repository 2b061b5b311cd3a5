"""Prints what training costs beside timm: the steps of train_step.py, then the loader of loader.py.

    python training.py BUILD [ROUNDS] [THREADS]     # BUILD: build/release, with the target vitrine_loader_time"""
import os
import pathlib
import subprocess
import sys

FOLDER = pathlib.Path(__file__).resolve().parent


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    rounds = sys.argv[2] if len(sys.argv) > 2 else "5"
    threads = sys.argv[3] if len(sys.argv) > 3 else str(os.cpu_count())
    for words in (
        ["train_step.py", build / "bin/vitrine", rounds, threads],
        ["loader.py", build / "tests/benchmark/vitrine_loader_time"],
    ):
        subprocess.run([sys.executable, FOLDER / words[0], *map(str, words[1:])], check=True)


if __name__ == "__main__":
    main()
