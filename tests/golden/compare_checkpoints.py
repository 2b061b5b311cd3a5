"""Compares vitrine with the libraries whose checkpoints it opens, for real: torchvision and Hugging Face transformers.

    python compare_checkpoints.py PROGRAM [NAME...]     # PROGRAM: build/release/tests/golden/vitrine_parity

For each model, with every parameter and buffer randomised: the library saves it, bare and inside a training
checkpoint, as safetensors, as PyTorch's zip and as its older stream; PROGRAM opens each file and answers for stored
images. Ends with status 1 when a logit differs by more than 1e-4."""
import argparse
import datetime
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import torch
import torchvision
import transformers
from safetensors.torch import load_file, save_file

from compare_with_timm import randomise

# Tables that the options decide.
DERIVED = ("relative_position_index", "relative_coords_table")


def hugging_face(kind, **options):
    config = getattr(transformers, kind + "Config")(num_labels=1000, **options)
    model = getattr(transformers, kind + "ForImageClassification")(config)
    return model, lambda images: model(images).logits


def of_torchvision(name):
    model = getattr(torchvision.models, name)()
    return model, model


# vitrine's name, side of the images, how the library makes the model and what gives its logits
CASES = {
    "torchvision vit_b_16": ("vit_base_patch16_224", 224, lambda: of_torchvision("vit_b_16")),
    "torchvision swin_t": ("swin_tiny_patch4_window7_224", 224, lambda: of_torchvision("swin_t")),
    "torchvision swin_v2_t": ("swinv2_tiny_window8_256", 256, lambda: of_torchvision("swin_v2_t")),
    "transformers ViT": ("vit_tiny_patch16_224", 224, lambda: hugging_face(
        "ViT", hidden_size=192, num_attention_heads=3, intermediate_size=768, layer_norm_eps=1e-6)),
    "transformers Swin": ("swin_tiny_patch4_window7_224", 224, lambda: hugging_face("Swin")),
    "transformers Swinv2": ("swinv2_tiny_window8_256", 256, lambda: hugging_face(
        "Swinv2", image_size=256, window_size=8)),
    "transformers MobileViT": ("mobilevit_s", 256, lambda: hugging_face("MobileViT")),
    "transformers MobileViTV2": ("mobilevitv2_100", 256, lambda: hugging_face("MobileViTV2")),
}
# These models' checkpoints are for images in BGR, which vitrine turns to RGB as it loads them.
BGR = {"transformers MobileViT"}


def save_all(state, folder):
    """The files that hold `state`, by what they are."""
    plain = {key: tensor.contiguous() for key, tensor in state.items()}
    training = {
        "model": state, "epoch": 3, "args": argparse.Namespace(lr=0.1, out=pathlib.PosixPath("x")),
        "best": np.float64(0.5), "when": datetime.datetime(2024, 1, 2), "optimizer": {"state": {0: {"step": 1}}}}
    files = {kind: folder / kind for kind in ("safetensors", "zip", "legacy", "zip.training", "legacy.training")}
    save_file(plain, files["safetensors"])
    torch.save(state, files["zip"])
    torch.save(state, files["legacy"], _use_new_zipfile_serialization=False)
    torch.save(training, files["zip.training"])
    torch.save(training, files["legacy.training"], _use_new_zipfile_serialization=False)
    return files


@torch.no_grad()
def compare(program, case, folder):
    name, side, make = CASES[case]
    torch.manual_seed(0)
    model, logits_of = make()
    derived = {key: tensor.clone() for key, tensor in model.state_dict().items() if key.endswith(DERIVED)}
    randomise(model)
    model.load_state_dict({**model.state_dict(), **derived})
    images = torch.randn(2, 3, side, side)
    expected = logits_of(images.flip(1) if case in BGR else images)
    worst = {}
    for kind, file in save_all(model.state_dict(), folder).items():
        save_file({"images": images}, str(file) + ".images")
        out, copy = folder / "out", folder / "copy"
        subprocess.run([program, name, file, out, copy], check=True)
        worst[kind] = float((load_file(out)["logits"] - expected).abs().max())
    print(f"{case:28} spread {expected.std():.2f}  " + "  ".join(f"{k} {v:.1e}" for k, v in worst.items()), flush=True)
    return max(worst.values())


def main():
    program, names = sys.argv[1], sys.argv[2:]
    with tempfile.TemporaryDirectory() as folder:
        worst = max(compare(program, case, pathlib.Path(folder)) for case in CASES if not names or case in names)
    print(f"worst difference {worst:.1e}, {'within' if worst <= 1e-4 else 'NOT within'} 1e-4")
    sys.exit(worst > 1e-4)


if __name__ == "__main__":
    main()
