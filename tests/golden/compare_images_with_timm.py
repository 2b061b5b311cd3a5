"""Compares the program with timm for real, from image file to logits and features: `vitrine classify` and `vitrine
features` against timm's transform and model.

    python compare_images_with_timm.py VITRINE     # VITRINE: build/release/bin/vitrine

Draws pictures with the structure of photos (edges, gradients, grain) in several sizes and formats, saves timm models
with every weight randomised, and lets both loose on the files. Ends with status 1 when a logit or a feature differs by
more than 3e-3, which is what a difference of 2/255 in a few pixels of the input may come to."""
import json
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import timm
import torch
from PIL import Image, ImageDraw, ImageFilter, ImageOps
from safetensors.torch import save_file

from compare_with_timm import randomise

MODELS = ["vit_tiny_patch16_224", "vit_base_patch16_384", "swin_tiny_patch4_window7_224", "mobilevit_xs"]
# (name, columns, rows, arguments of Image.save)
FILES = [
    ("landscape.jpg", 1600, 1067, dict(quality=90)),
    ("portrait.jpg", 480, 640, dict(quality=75, subsampling=0)),
    ("progressive.jpg", 500, 375, dict(quality=85, progressive=True)),
    ("small.png", 64, 48, {}),
    ("wide.png", 900, 250, {}),
    ("lossless.webp", 333, 500, dict(lossless=True)),
    ("turned.jpg", 640, 480, dict(quality=90, exif=b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\3\0\0\0\1\0\6\0\0\0\0\0\0")),
]


def draw(columns, rows, seed):
    random = np.random.default_rng(seed)
    y, x = np.mgrid[0:rows, 0:columns]
    sky = np.stack([90 + 120 * y / rows, 120 + 60 * x / columns, 200 - 90 * y / rows], axis=-1)
    picture = Image.fromarray(sky.astype(np.uint8))
    pen = ImageDraw.Draw(picture)
    for _ in range(40):
        a, b = sorted(random.integers(0, columns, 2)), sorted(random.integers(0, rows, 2))
        colour = tuple(int(c) for c in random.integers(0, 256, 3))
        getattr(pen, random.choice(["ellipse", "rectangle", "line"]))([a[0], b[0], a[1] + 1, b[1] + 1], fill=colour)
    picture = picture.filter(ImageFilter.GaussianBlur(1))
    grain = random.normal(0, 6, (rows, columns, 3))
    return Image.fromarray(np.clip(np.asarray(picture) + grain, 0, 255).astype(np.uint8))


@torch.no_grad()
def compare(program, name, files, folder):
    torch.manual_seed(1)
    model = randomise(timm.create_model(name))
    weights = folder / f"{name}.safetensors"
    save_file(model.state_dict(), weights)
    common = ["--model", name, "--weights", weights, "--device", "cpu"]
    done = subprocess.run([program, "classify", *common, "--top-k", "0", "--format", "jsonl", *files],
                          check=True, capture_output=True, text=True)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    subprocess.run([program, "features", *common, "--output", folder / "features.npy", *files], check=True)
    features = torch.from_numpy(np.load(folder / "features.npy"))
    assert (folder / "features.npy.txt").read_text().splitlines() == [str(file) for file in files]
    transform = timm.data.create_transform(**timm.data.resolve_model_data_config(model), is_training=False)
    worst = np.zeros(2)
    for file, answer, feature in zip(files, answers, features, strict=True):
        image = ImageOps.exif_transpose(Image.open(file)).convert("RGB")
        tokens = model.forward_features(transform(image).unsqueeze(0))
        expected = [model.forward_head(tokens)[0], model.forward_head(tokens, pre_logits=True)[0]]
        found = [torch.tensor([prediction["logit"] for prediction in answer["predictions"]]), feature]
        differences = [float((a - b).abs().max()) for a, b in zip(found, expected)]
        print(f"{name:30} {file.name:16} " + "  ".join(
            f"{what}: spread {value.std():.2f}, difference {difference:.1e}"
            for what, value, difference in zip(("logits", "features"), expected, differences)), flush=True)
        worst = np.maximum(worst, differences)
    return worst


def main():
    program = sys.argv[1]
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        files = []
        for seed, (name, columns, rows, options) in enumerate(FILES):
            files.append(folder / name)
            draw(columns, rows, seed).save(files[-1], **options)
        worst = np.max([compare(program, name, files, folder) for name in MODELS], axis=0)
    good = bool((worst <= 3e-3).all())
    print(f"worst difference of logits {worst[0]:.1e}, of features {worst[1]:.1e}, "
          f"{'within' if good else 'NOT within'} 3e-3")
    sys.exit(not good)


if __name__ == "__main__":
    main()
