"""Compares position embeddings at other sizes with the original code of DINO and DINOv2, which resample them in a
way of their own.

    python compare_with_dino.py PROGRAM FOLDER     # PROGRAM: build/release/tests/golden/vitrine_parity

FOLDER holds clones of github.com/facebookresearch/dino and .../dinov2. Their models, randomised, see images of
other sizes than they were made for; PROGRAM loads their weights by their own names, resampling on loading and on
the way. Ends with status 1 when a feature differs by more than 1e-4."""
import os
import pathlib
import subprocess
import sys
import tempfile

import torch
from safetensors.torch import load_file, save_file

from compare_with_timm import randomise

os.environ["XFORMERS_DISABLED"] = "1"
PROGRAM, FOLDER = sys.argv[1], pathlib.Path(sys.argv[2])
sys.path[:0] = [str(FOLDER / "dino"), str(FOLDER / "dinov2")]
import vision_transformer as dino  # noqa: E402
from dinov2.models import vision_transformer as dinov2  # noqa: E402

OWN_RULE = ["interpolate_antialias=false", "interpolate_offset=0.1"]
# (vitrine's name, the original, options that give its rule, sizes of images)
CASES = [
    ("vit_small_patch16_224.dino", dino.vit_small(patch_size=16), OWN_RULE, [(160, 160), (384, 384), (224, 320), (112, 448)]),
    ("vit_small_patch14_dinov2", dinov2.vit_small(
        patch_size=14, img_size=518, init_values=1.0, block_chunks=0, interpolate_offset=0.1,
        interpolate_antialias=False), OWN_RULE, [(224, 224), (98, 154), (560, 448)]),
    ("vit_small_patch14_reg4_dinov2", dinov2.vit_small(
        patch_size=14, img_size=518, init_values=1.0, block_chunks=0, num_register_tokens=4, interpolate_offset=0.0,
        interpolate_antialias=True), [], [(224, 224), (98, 154)]),
]


@torch.no_grad()
def main():
    torch.manual_seed(0)
    worst = 0.0
    with tempfile.TemporaryDirectory() as folder:
        weights, out, copy = (str(pathlib.Path(folder) / part) for part in ("in.pth", "out", "copy"))
        for name, model, rule, sizes in CASES:
            torch.save(randomise(model).state_dict(), weights)
            for rows, columns in sizes:
                images = torch.randn(2, 3, rows, columns)
                save_file({"images": images}, weights + ".images")
                expected = model(images)
                differences = []
                for how in (f"{rows}x{columns}", "dynamic_img_size=true"):
                    subprocess.run([PROGRAM, name, weights, out, copy, how, *rule], check=True)
                    differences.append(float((load_file(out)["logits"] - expected).abs().max()))
                worst = max(worst, *differences)
                print(f"{name:32} {rows}x{columns}  features' spread {expected.std():.2f}  "
                      f"difference {differences[0]:.1e}, on the way {differences[1]:.1e}", flush=True)
    print(f"worst difference {worst:.1e}, {'within' if worst <= 1e-4 else 'NOT within'} 1e-4")
    sys.exit(worst > 1e-4)


if __name__ == "__main__":
    main()
