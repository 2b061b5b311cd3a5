"""Times loading weights into a model, in turn: vitrine, and Python's safetensors and torch with load_state_dict.

    python load_time.py PROGRAM [MODEL] [ROUNDS]     # PROGRAM: build/release/tests/benchmark/vitrine_load_time

Files are read once before, so that the page cache holds them. Prints the medians and the ratio vitrine / Python."""
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import timm
import torch
from safetensors.torch import load_file, save_file


def seconds(work):
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main():
    program = str(pathlib.Path(sys.argv[1]).resolve())
    name = sys.argv[2] if len(sys.argv) > 2 else "vit_large_patch16_224"
    rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 7
    model = timm.create_model(name)
    with tempfile.TemporaryDirectory() as folder:
        files = {"safetensors": f"{folder}/model.safetensors", "pth": f"{folder}/model.pth"}
        save_file(model.state_dict(), files["safetensors"])
        torch.save(model.state_dict(), files["pth"])
        loaders = {
            "safetensors": lambda: model.load_state_dict(load_file(files["safetensors"])),
            "pth": lambda: model.load_state_dict(torch.load(files["pth"], weights_only=True)),
        }
        for kind, file in files.items():
            child = subprocess.Popen([program, name, file], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            child.stdout.readline()

            def ours():
                print(file=child.stdin, flush=True)
                return float(child.stdout.readline())

            ours(), loaders[kind]()
            own, theirs = [], []
            for _ in range(rounds):
                own.append(ours())
                theirs.append(seconds(loaders[kind]))
            child.stdin.close()
            child.wait()
            a, b = statistics.median(own), statistics.median(theirs)
            print(f"{name} {kind:12} vitrine {a:.3f} s  Python {b:.3f} s  ratio {a / b:.2f}", flush=True)


if __name__ == "__main__":
    main()
