"""Compares vitrine, for real, with the libraries whose checkpoints it opens.

    python compare_checkpoints.py PROGRAM [--repositories FOLDER] [NAME...]

PROGRAM is build/release/tests/golden/vitrine_parity, NAME the beginning of cases' names ("timm", "transformers ViT"),
FOLDER what original_cases.py asks for; without it the cases of the original repositories are skipped, and named.

For each model, with every parameter and buffer randomised: the library saves it, bare and inside a training checkpoint
(optimizer, arguments, numpy scalars, dates), as safetensors, as PyTorch's zip and as its older stream; PROGRAM opens each
file and answers for stored images. Ends with status 1 when an answer differs by more than 1e-4."""
import argparse
import datetime
import functools
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import torch
from safetensors.torch import load_file, save_file

import checkpoint_cases
import original_cases
from compare_with_timm import randomise

# Tables that the options decide.
DERIVED = ("relative_position_index", "relative_coords_table", "attn_mask")


def optimizer_state(model):
    """State of an optimizer after a step, on copies of the model's smaller parameters."""
    parameters = [torch.nn.Parameter(p.detach().clone()) for p in model.parameters() if 0 < p.numel() < 10000]
    for parameter in parameters:
        parameter.grad = torch.ones_like(parameter)
    optimizer = torch.optim.AdamW(parameters)
    optimizer.step()
    return optimizer.state_dict()


def files(made, folder):
    """The files that hold a model, by what they are; one at a time, as they can be large."""
    state = made.model.state_dict()
    training = {
        **made.training(state), "optimizer": optimizer_state(made.model), "epoch": 3,
        "args": argparse.Namespace(lr=0.1, out=pathlib.PosixPath("x"), since=datetime.datetime(2024, 1, 2)),
        "best": np.float64(0.5), "seed": np.int64(7), "day": datetime.date(2024, 1, 2)}
    if made.save:
        file = made.save(folder)
        torch.save(load_file(file), folder / "bin")  # the names on disk are not those in memory
        yield "safetensors", file
        yield "bin", folder / "bin"
    else:
        save_file({key: tensor.clone() for key, tensor in state.items()}, folder / "safetensors")
        yield "safetensors", folder / "safetensors"
    for kind, content in (("", state), (".training", training)):
        for form in ("zip", "legacy"):
            file = folder / (form + kind)
            torch.save(content, file, _use_new_zipfile_serialization=form == "zip")
            yield form + kind, file


@torch.no_grad()
def compare(program, title, case, make, folder):
    torch.manual_seed(0)
    made = make()
    derived = {key: tensor.clone() for key, tensor in made.model.state_dict().items() if key.endswith(DERIVED)}
    randomise(made.model)
    made.model.load_state_dict({**made.model.state_dict(), **derived})
    images = torch.randn(case.batch, 3, case.side, case.side)
    expected = made.answer(images.flip(1) if case.bgr else images)
    worst = {}
    with torch.enable_grad():
        saved = files(made, folder)
        for kind, file in saved:
            save_file({"images": images}, f"{file}.images")
            out, copy = folder / "out", folder / "copy"
            subprocess.run([program, case.name, file, out, copy, *case.options], check=True)
            worst[kind] = float((load_file(out)["logits"] - expected).abs().max())
            file.unlink()
    print(f"{title:32} {case.name:32} spread {expected.std():.2f}  "
          + "  ".join(f"{kind} {value:.1e}" for kind, value in worst.items()), flush=True)
    return max(worst.values())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("names", nargs="*")
    parser.add_argument("--repositories", type=pathlib.Path)
    arguments = parser.parse_intermixed_args()
    worst, skipped = [], []
    for title, case in {**checkpoint_cases.CASES, **original_cases.CASES}.items():
        if arguments.names and not title.startswith(tuple(arguments.names)):
            continue
        make = case.make
        if case.repository:
            folder = arguments.repositories and arguments.repositories.absolute() / case.repository
            if not folder or not folder.is_dir():
                skipped.append(title)
                continue
            make = functools.partial(make, folder)
        with tempfile.TemporaryDirectory() as folder:
            worst.append(compare(arguments.program, title, case, make, pathlib.Path(folder)))
    if skipped:
        print(f"skipped, as their repositories are not there: {', '.join(skipped)}")
    if not worst:
        sys.exit("no case was compared")
    good = max(worst) <= 1e-4
    print(f"{len(worst)} models, worst difference {max(worst):.1e}, {'within' if good else 'NOT within'} 1e-4")
    sys.exit(not good)


if __name__ == "__main__":
    main()
