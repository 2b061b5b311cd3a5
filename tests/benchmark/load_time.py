"""Times loading weights into a model, in turn: vitrine, and Python's safetensors and torch with load_state_dict.

    python load_time.py PROGRAM [MODEL] [ROUNDS]     # PROGRAM: build/release/tests/benchmark/vitrine_load_time

Files are read once before, so that the page cache holds them. vitrine loads by turns as `load_model` does, which throws the
model away on an error, and all or nothing, which looks at every value before the first is copied. Python looks at none. Prints
the medians and the ratios vitrine / Python."""
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

            def ours(how):
                print(how, file=child.stdin, flush=True)
                return float(child.stdout.readline())

            ways = {"once": [], "all_or_nothing": []}
            theirs = []
            for _ in range(rounds + 1):
                for way, own in ways.items():
                    own.append(ours(way))
                theirs.append(seconds(loaders[kind]))
            child.stdin.close()
            child.wait()
            peer = statistics.median(theirs[1:])
            for way, own in ways.items():
                mine = statistics.median(own[1:])
                print(f"{name} {kind:11} {way:14} vitrine {mine:.3f} s  Python {peer:.3f} s  ratio {mine / peer:.2f}", flush=True)


if __name__ == "__main__":
    main()
