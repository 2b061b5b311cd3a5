"""Records what timm's and torchvision's augmentation draws and does, for tests/data.

Run:  python tests/golden/make_augment_golden.py
Made with Pillow 12.3.0, timm 1.0.31 and torchvision 0.26.0. Writes augment.json beside this script:

    levels     for each operation, and for 0.25 and 0.75 drawn: its argument at the levels 0, 0.5, ... 30 of an
               image whose shorter side is 224
    policies   for each text: choices of [operation, probability, level]
    sets       for each text: [operation, share of the choice or 0 where all are alike, probability, level]
    trivial    operation, bin, sign, picture, FNV-1a hash of the result
    erasing    height, width, boxes, two numbers drawn from [0, 1), height and width of the box or nothing
    repeats    images, repeats, replicas, rank, order of the images, indices
"""

import json
import math
import pathlib
import random
from unittest import mock

import numpy as np
import PIL
import timm
import torch
import torchvision
from PIL import Image
from timm.data import auto_augment
from timm.data.distributed_sampler import RepeatAugSampler
from timm.data.random_erasing import RandomErasing
from torchvision.transforms import InterpolationMode, autoaugment

from make_preprocess_golden import fnv, picture

VERSIONS = {PIL: "12.3.0", timm: "1.0.31", torchvision: "0.26.0"}
SIDE = 224


def drawing(*numbers):
    """random.random gives the numbers in turn, and everything evenly drawn follows from them."""
    stream = iter(numbers)
    uniform = mock.patch("random.uniform", lambda a, b: a + (b - a) * next(stream))
    return mock.patch("random.random", lambda: next(stream)), uniform


def levels():
    hparams = dict(translate_const=int(SIDE * 0.45))
    table = {}
    for name, argument in auto_augment.LEVEL_TO_ARG.items():
        rows = {}
        for drawn in (0.25, 0.75):
            values = []
            for half in range(61):
                one, other = drawing(drawn)
                with one, other:
                    value = argument(half / 2, hparams)[0] if argument else 0
                    if name == "GaussianBlurRand":  # which draws where it blurs
                        with mock.patch.object(auto_augment.ImageFilter, "GaussianBlur", lambda radius: radius):
                            value = auto_augment.gaussian_blur_rand(mock.Mock(filter=lambda radius: radius), value)
                    values.append(value)
            rows[str(drawn)] = values
        table[name] = rows
    return table


def policies():
    result = {}
    for text in ("v0", "v0r", "original", "originalr", "3a"):
        transform = auto_augment.auto_augment_transform(text)
        result[text] = [[[op.name, op.prob, op.magnitude] for op in steps] for steps in transform.policy]
    return result


def sets():
    result = {}
    for text in ("rand", "rand-m9-mstd0.5-inc1", "rand-n3-p0.7-m15-mmax30", "rand-m9-tweights", "rand-t3a-n1",
                 "rand-m9-inc0-t3aw"):
        transform = auto_augment.rand_augment_transform(text)
        weights = transform.choice_weights
        ops = [[op.name, 0 if weights is None else weights[i], op.prob, op.magnitude]
               for i, op in enumerate(transform.ops)]
        first = transform.ops[0]
        result[text] = dict(n=transform.num_layers, mstd=first.magnitude_std, mmax=first.magnitude_max or 10, ops=ops)
    return result


def trivial():
    space = autoaugment.TrivialAugmentWide()._augmentation_space(31)
    records = []
    for k, (name, (magnitudes, signed)) in enumerate(space.items()):
        for number in (0, 1, 7, 14, 15, 20, 29, 30) if magnitudes.ndim else (0,):
            for sign in (1, -1) if signed else (1,):
                height, width = ((37, 53), (33, 33))[(k + number) % 2]
                magnitude = float(magnitudes[number]) if magnitudes.ndim else 0.0
                source = Image.fromarray(picture(height, width, number))
                result = autoaugment._apply_op(
                    source, name, sign * magnitude, interpolation=InterpolationMode.NEAREST, fill=None)
                records.append([name, number, sign, [height, width, number],
                                str(fnv(np.asarray(result).tobytes()))])
    return records


def erasing():
    random.seed(3)
    records = []
    for i in range(60):
        height, width = random.choice([(224, 224), (32, 32), (8, 8), (96, 40), (5, 64)])
        count = 1 + i % 3
        share, aspect = random.random(), random.random()
        box = []

        def position(low, high):
            box.append((height, width)[len(box)] - high)
            return low

        transform = RandomErasing(probability=1.0, min_count=count, max_count=count, device="cpu")
        one, other = drawing(0.5, *[share, aspect] * 10 * count)
        with one, other, mock.patch("random.randint", position):
            try:
                transform._erase(torch.ones(3, height, width), 3, height, width, torch.float32)
            except IndexError:  # a second box was placed
                pass
        records.append([height, width, count, share, aspect, box[:2]])
    return records


def repeats():
    records = []
    for images, repeated, replicas, rank, epoch in [
        (10, 3, 1, 0, None), (10, 3, 2, 0, None), (10, 3, 2, 1, 1), (7, 2, 3, 2, 4), (7, 1.5, 1, 0, None),
        (11, 2.5, 2, 1, 2), (5, 1, 1, 0, 3), (300, 3, 1, 0, 7), (520, 3, 4, 3, None), (3, 3, 5, 4, None)]:
        sampler = RepeatAugSampler(range(images), replicas, rank, shuffle=epoch is not None, num_repeats=repeated)
        order = list(range(images))
        if epoch is not None:
            sampler.set_epoch(epoch)
            generator = torch.Generator()
            generator.manual_seed(epoch)
            order = torch.randperm(images, generator=generator).tolist()
        records.append([images, repeated, replicas, rank, order, list(sampler)])
    return records


def main():
    for module, version in VERSIONS.items():
        assert module.__version__.split("+")[0] == version, (module.__name__, module.__version__)
    golden = dict(levels=levels(), policies=policies(), sets=sets(), trivial=trivial(), erasing=erasing(),
                  repeats=repeats())
    path = pathlib.Path(__file__).with_name("augment.json")
    parts = [f'"{name}":{json.dumps(value, separators=(",", ":"))}' for name, value in golden.items()]
    path.write_text("{" + ",\n".join(parts) + "}\n")
    print(path.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
