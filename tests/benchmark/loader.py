"""Times loading images, in turn: vitrine with one and two workers, and timm with as many.

    python loader.py PROGRAM [ROUNDS]     # PROGRAM: build/release/tests/benchmark/vitrine_loader_time

Makes 300 JPEGs of 500x375 pixels (gradients, shapes and noise, quality 90), and passes over them in batches of 32 at 224
pixels, as for evaluation (resize, crop, normalise) and as for training (random crop and flip). timm's loader keeps its
workers between rounds, and so pays no start. Prints the medians of images per second and their ratios."""
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import numpy
import timm.data
from PIL import Image

IMAGES = 300


def draw(random):
    """Something that a JPEG of a photo compares with: smooth ground, edges, noise of a sensor."""
    rows, columns = numpy.mgrid[0:375, 0:500].astype(numpy.float32)
    image = numpy.zeros((375, 500, 3), numpy.float32)
    for channel in range(3):
        a, b, c = random.uniform(-1, 1, 3)
        image[..., channel] = 128 + 60 * numpy.sin(a * rows / 60 + b * columns / 80 + 6 * c)
    for _ in range(12):
        y, x, radius = random.uniform(0, 375), random.uniform(0, 500), random.uniform(10, 80)
        image[(rows - y) ** 2 + (columns - x) ** 2 < radius**2] += random.uniform(-60, 60, 3)
    return Image.fromarray(numpy.clip(image + random.normal(0, 6, image.shape), 0, 255).astype(numpy.uint8))


def write_images(folder):
    random = numpy.random.default_rng(1)
    for i in range(IMAGES):
        path = pathlib.Path(folder, f"class{i % 3}", f"{i}.jpg")
        path.parent.mkdir(exist_ok=True)
        draw(random).save(path, quality=90)


class Vitrine:
    def __init__(self, program, folder, workers, mode):
        command = [program, folder, str(workers), mode]
        self.child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.child.stdout.readline()

    def rate(self):
        print(file=self.child.stdin, flush=True)
        return float(self.child.stdout.readline())

    def close(self):
        self.child.kill()  # timm's workers hold a copy of its input open, so that closing it would not end it
        self.child.wait()


class Timm:
    def __init__(self, folder, workers, mode):
        training = mode == "train"
        self.loader = timm.data.create_loader(
            timm.data.create_dataset("folder", folder),
            input_size=(3, 224, 224),
            batch_size=32,
            is_training=training,
            use_prefetcher=False,
            interpolation="random" if training else "bicubic",
            color_jitter=None,
            auto_augment=None,
            re_prob=0.0,
            crop_pct=0.9,
            mean=(0.5, 0.5, 0.5),
            std=(0.5, 0.5, 0.5),
            num_workers=workers,
            pin_memory=False,
        )

    def rate(self):
        start = time.perf_counter()
        images = sum(len(batch) for batch, _ in self.loader)
        return images / (time.perf_counter() - start)

    def close(self):
        pass


def main():
    program = str(pathlib.Path(sys.argv[1]).resolve())
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    with tempfile.TemporaryDirectory() as folder:
        write_images(folder)
        for mode in ("eval", "train"):
            runs = {("vitrine", n): Vitrine(program, folder, n, mode) for n in (1, 2)}
            runs |= {("timm", n): Timm(folder, n, mode) for n in (1, 2)}
            rates = {key: [] for key in runs}
            for run in runs.values():
                run.rate()
            for _ in range(rounds):
                for key, run in runs.items():
                    rates[key].append(run.rate())
            for run in runs.values():
                run.close()
            median = {key: statistics.median(values) for key, values in rates.items()}
            for n in (1, 2):
                ratio = statistics.median(
                    a / b for a, b in zip(rates["vitrine", n], rates["timm", n])
                )
                print(
                    f"{mode:5} {n} workers  vitrine {median['vitrine', n]:.0f}/s  timm {median['timm', n]:.0f}/s"
                    f"  ratio {ratio:.2f}"
                )
            two = statistics.median(a / b for a, b in zip(rates["vitrine", 2], rates["vitrine", 1]))
            print(f"{mode:5} vitrine, two workers over one: {two:.2f}", flush=True)


if __name__ == "__main__":
    main()
