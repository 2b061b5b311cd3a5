"""Records what timm's evaluation transform makes of synthetic images, for tests/image.

Run:  python tests/golden/make_preprocess_golden.py
Needs the pinned versions below. Writes preprocess.bin beside this script, little-endian:

    uint32 number of cases, then for each case
    int32  input height, input width, seed of the picture, result height, result width
    int32  crop mode (0 center, 1 squash, 2 border), interpolation (0 nearest, 1 bilinear, 2 bicubic)
    int32  step between the recorded values
    float64 crop_pct, mean[3]
    uint64 FNV-1a hash of the whole result, uint8 [height, width, 3]
    uint32 number of recorded values, then the values 0, step, 2 * step, ... of the result

and normalize.bin: float32 [3, 256], the values 0 to 255 normalised with ImageNet's mean and deviation.
"""

import pathlib
import random
import struct

import numpy as np
import PIL
import timm
import torch
import torchvision
from PIL import Image
from timm.data.transforms_factory import transforms_imagenet_eval

VERSIONS = {PIL: "12.3.0", timm: "1.0.31", torchvision: "0.26.0"}
MODES = ["center", "squash", "border"]
FILTERS = ["nearest", "bilinear", "bicubic"]
MEANS = [(0.5, 0.5, 0.5), (0.485, 0.456, 0.406), (0.0, 0.0, 0.0)]
IMAGENET = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
HERE = pathlib.Path(__file__).parent


def picture(height, width, seed):
    """Noise mixed with gradients in proportion to the seed; tests/image/picture.h makes the same."""
    count = height * width * 3
    noise = np.empty(count, np.int64)
    state = seed
    for i in range(count):
        state = (state * 1664525 + 1013904223) & 0xFFFFFFFF
        noise[i] = state >> 24
    y, x, c = np.mgrid[0:height, 0:width, 0:3]
    gradient = (x * (3 + c) + y * (5 - c)) % 256
    amount = seed % 5
    return ((noise.reshape(height, width, 3) * amount + gradient * (4 - amount)) // 4).astype(np.uint8)


def fnv(data):
    value = 0xCBF29CE484222325
    for byte in data:
        value = ((value ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return value


def cases():
    random.seed(20)
    for i in range(240):
        wide = i % 8
        height, width = random.randint(1, 80), random.randint(1, 80)
        if wide == 0:
            height = random.randint(1, 4)
        elif wide == 1:
            width = random.randint(1, 4)
        size = random.randint(1, 22)
        other = size if i % 3 else random.randint(1, 22)
        pct = random.choice([0.9, 0.875, 0.95, 1.0, 0.4])
        yield height, width, size, other, MODES[i % 3], FILTERS[1 + i // 3 % 2], pct
    for i in range(12):
        yield random.randint(1, 40), random.randint(1, 40), 9, 9 + i % 3, MODES[i % 3], "nearest", 0.9
    for height, width, size, other, mode, kind, pct in [
        (375, 500, 224, 224, "center", "bicubic", 0.9),
        (500, 375, 224, 224, "center", "bilinear", 0.875),
        (375, 500, 224, 224, "squash", "bicubic", 1.0),
        (500, 333, 224, 224, "border", "bicubic", 0.95),
        (333, 500, 384, 384, "center", "bicubic", 1.0),
        (100, 130, 256, 256, "center", "bilinear", 0.9),
        (240, 320, 160, 256, "center", "bicubic", 0.9),
        (480, 30, 224, 224, "border", "bilinear", 0.9),
        (30, 480, 96, 96, "center", "bicubic", 0.9),
        (804, 8, 64, 40, "border", "bicubic", 0.76),
        (1, 700, 32, 32, "squash", "bicubic", 0.9),
    ]:
        yield height, width, size, other, mode, kind, pct


def main():
    for module, version in VERSIONS.items():
        assert module.__version__.split("+")[0] == version, (module.__name__, module.__version__)
    records = []
    for i, (height, width, size, other, mode, kind, pct) in enumerate(cases()):
        mean = MEANS[i % len(MEANS)]
        transform = transforms_imagenet_eval(
            (size, other), crop_pct=pct, crop_mode=mode, interpolation=kind, mean=mean, normalize=False)
        try:
            result = transform(Image.fromarray(picture(height, width, i)))
        except ValueError:
            continue  # Pillow refuses to scale a side to nothing
        flat = result.permute(1, 2, 0).contiguous().numpy().reshape(-1)
        step = 1 if flat.size <= 1600 else flat.size // 997
        kept = flat[::step]
        records.append(
            struct.pack("<8i", height, width, i, size, other, MODES.index(mode), FILTERS.index(kind), step)
            + struct.pack("<4d", pct, *mean)
            + struct.pack("<QI", fnv(flat.tobytes()), kept.size)
            + kept.tobytes())
    (HERE / "preprocess.bin").write_bytes(struct.pack("<I", len(records)) + b"".join(records))

    values = torch.arange(256, dtype=torch.uint8).expand(3, 1, 256)
    image = Image.fromarray(values.permute(1, 2, 0).contiguous().numpy())
    transform = transforms_imagenet_eval((1, 256), crop_pct=1.0, mean=IMAGENET[0], std=IMAGENET[1])
    (HERE / "normalize.bin").write_bytes(transform(image).numpy().astype("<f4").tobytes())
    print(len(records), "cases,", (HERE / "preprocess.bin").stat().st_size, "bytes")


if __name__ == "__main__":
    main()
