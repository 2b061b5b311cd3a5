"""Records what Pillow makes of synthetic pictures, for tests/data/image_ops_test.cpp.

Run:  python tests/golden/make_image_ops_golden.py
Made with Pillow 12.3.0, timm 1.0.31 and torchvision 0.26.0, through whose functions Pillow is called. Writes
image_ops.json beside this script: for each case the operation, its arguments, the picture (height, width and
seed of make_preprocess_golden.picture, whose values are divided by `over` and moved by `plus`), the FNV-1a hash
of the result, and some of its values, `step` apart.
"""

import json
import pathlib

import numpy as np
import PIL
import timm
import torchvision
from PIL import Image
from timm.data import auto_augment
from torchvision.transforms import functional

from make_preprocess_golden import fnv, picture

VERSIONS = {PIL: "12.3.0", timm: "1.0.31", torchvision: "0.26.0"}
SIZES = [(37, 53), (64, 48), (1, 9), (8, 1), (2, 2), (33, 33), (3, 40)]
STEP = 89
FILL = (124, 116, 104)
RESAMPLE = {"nearest": Image.Resampling.NEAREST, "bilinear": Image.Resampling.BILINEAR,
            "bicubic": Image.Resampling.BICUBIC}

POINT = {
    "autocontrast": (lambda i, _: auto_augment.auto_contrast(i), [0]),
    "equalize": (lambda i, _: auto_augment.equalize(i), [0]),
    "invert": (lambda i, _: auto_augment.invert(i), [0]),
    "posterize": (lambda i, a: auto_augment.posterize(i, a), [0, 1, 3, 4, 7, 8]),
    "solarize": (lambda i, a: auto_augment.solarize(i, a), [0, 76.5, 128, 255, 256]),
    "solarize_add": (lambda i, a: auto_augment.solarize_add(i, a), [0, 33, 110, 128]),
    "brightness": (lambda i, a: auto_augment.brightness(i, a), [0.0, 0.1, 0.37, 1.0, 1.9, 3.3]),
    "contrast": (lambda i, a: auto_augment.contrast(i, a), [0.0, 0.1, 0.37, 1.0, 1.9, 3.3]),
}
AREA = {
    "saturation": (lambda i, a: auto_augment.color(i, a), [0.0, 0.1, 0.37, 1.0, 1.9, 3.3]),
    "grey": (lambda i, _: functional.to_grayscale(i, num_output_channels=3), [0]),
    "hue": (lambda i, a: functional.adjust_hue(i, a), [-0.5, -0.21, 0.0, 0.003, 0.1, 0.33, 0.5]),
    "sharpness": (lambda i, a: auto_augment.sharpness(i, a), [0.0, 0.1, 0.37, 1.0, 1.9, 3.3]),
    "gaussian_blur": (lambda i, a: auto_augment.gaussian_blur(i, a), [0.0, 0.1, 0.5, 1.05, 2.0, 4.7, 20.0]),
}
KERNEL = ("convolve_gaussian", lambda i, a: functional.gaussian_blur(i, [23, 23], [a, a]), [0.1, 0.7, 1.0, 1.5, 2.0])
WARP = {
    "shear_x": (auto_augment.shear_x, [-0.3, 0.03, 0.27, 0.99]),
    "shear_y": (auto_augment.shear_y, [-0.3, 0.03, 0.27, 0.99]),
    "translate_x": (auto_augment.translate_x_abs, [-7.0, 3.25, 0.5]),
    "translate_y": (auto_augment.translate_y_abs, [-7.0, 3.25, 0.5]),
    "translate_x_rel": (auto_augment.translate_x_rel, [-0.45, 0.09, 0.315]),
    "translate_y_rel": (auto_augment.translate_y_rel, [-0.45, 0.09, 0.315]),
    "rotate": (auto_augment.rotate, [0.0, -30.0, 3.0, 27.3, 90.0, 180.0, -90.0, 135.0]),
}


def cases():
    for name, (apply, arguments) in {**POINT, **AREA}.items():
        for k, argument in enumerate(arguments):
            for n, size in enumerate(SIZES):
                if n < 2 or (n + k) % len(arguments) < 2:
                    yield name, argument, "", size, apply
    for name, (function, arguments) in WARP.items():
        for k, argument in enumerate(arguments):
            for m, (sampling, resample) in enumerate(RESAMPLE.items()):
                def apply(image, a, function=function, resample=resample):
                    return function(image, a, resample=resample, fillcolor=FILL)
                for n, size in enumerate(SIZES):
                    if n == 0 or (n + k + m) % 3 == 0:
                        yield name, argument, sampling, size, apply
    name, apply, arguments = KERNEL
    for argument in arguments:
        for size in SIZES:
            if min(size) > 11:  # which torchvision's margin needs
                yield name, argument, "", size, apply


def main():
    for module, version in VERSIONS.items():
        assert module.__version__.split("+")[0] == version, (module.__name__, module.__version__)
    records = []
    for i, (name, argument, sampling, (height, width), apply) in enumerate(cases()):
        over, plus = (1, 0) if i % 3 else (2, 41)
        source = picture(height, width, i) // over + plus
        result = np.asarray(apply(Image.fromarray(source.astype(np.uint8)), argument)).reshape(-1)
        assert result.size == source.size
        records.append(dict(op=name, argument=argument, sampling=sampling, picture=[height, width, i, over, plus],
                            hash=str(fnv(result.tobytes())), values=result[::STEP].tolist()))
    lines = ",\n".join(json.dumps(record, separators=(",", ":")) for record in records)
    text = f'{{"step":{STEP},"fill":{list(FILL)},"cases":[\n{lines}\n]}}\n'
    path = pathlib.Path(__file__).with_name("image_ops.json")
    path.write_text(text)
    print(len(records), "cases,", path.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
