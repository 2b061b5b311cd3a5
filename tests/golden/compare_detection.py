"""Compares what vitrine makes of a file and a photo, told nothing else, with the library that wrote the file.

    python compare_detection.py PROGRAM [NAME...]     # PROGRAM: build/release/bin/vitrine; NAME as compare_checkpoints.py

For each model, with every parameter and buffer randomised: the library saves it, and PROGRAM, which is not told the
model, classifies a photo with the file (of a model without a head: gives its features). The library does the same after
its own preprocessing, which for transformers is that of the files on its hub. So the model, its options and the defaults
of its source must all be found. Ends with status 1 when an answer differs by more than 3e-3."""
import json
import pathlib
import subprocess
import sys
import tempfile

import timm
import torch
import torchvision
import transformers
from PIL import Image
from safetensors.torch import save_file

import checkpoint_cases
from compare_checkpoints import DERIVED
from compare_with_timm import randomise

PHOTO = pathlib.Path(__file__).resolve().parent.parent / "data/images/baseline_420.jpg"
IMAGENET = dict(image_mean=[0.485, 0.456, 0.406], image_std=[0.229, 0.224, 0.225])
BILINEAR, BICUBIC = 2, 3  # Pillow's numbers


def of_timm(made, _):
    config = timm.data.resolve_data_config(made.model.pretrained_cfg)
    return timm.data.create_transform(**config)


def of_torchvision(_, name):
    return torchvision.models.get_model_weights(name).DEFAULT.transforms()


def squash(side, **more):
    return "ViTImageProcessor", dict(size={"height": side, "width": side}, **more)


def crop(side, resized, kind="BitImageProcessor", **more):
    return kind, dict(size={"shortest_edge": resized}, crop_size={"height": side, "width": side}, **more)


MOBILE = dict(kind="MobileViTImageProcessor", resample=BILINEAR)
# The second version was trained on RGB, as vitrine reads images.
PROCESSORS = {
    "ViT": squash(224, resample=BILINEAR),
    "Dinov2": crop(224, 256, resample=BICUBIC, **IMAGENET),
    "Dinov2WithRegisters": crop(224, 256, resample=BICUBIC, **IMAGENET),
    "Swin": squash(224, resample=BICUBIC, **IMAGENET),
    "Swinv2": squash(256, resample=BICUBIC, **IMAGENET),
    "MobileViT": crop(256, 288, do_flip_channel_order=True, **MOBILE),
    "MobileViTV2": crop(256, 288, do_flip_channel_order=False, **MOBILE),
}


def of_transformers(_, name):
    kind, options = PROCESSORS[name]
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "preprocessor_config.json"
        file.write_text(json.dumps({"image_processor_type": kind, **options}))
        processor = transformers.AutoImageProcessor.from_pretrained(folder, backend="pil")
    return lambda image: processor(image, return_tensors="pt")["pixel_values"][0]


LIBRARIES = {"timm": of_timm, "torchvision": of_torchvision, "transformers": of_transformers}
# Those whose files tell the model: a ViT of timm may be a DeiT, which differs in preprocessing alone.
TITLES = [
    "timm DeiT distilled", "timm DeiT III", "timm DINOv2", "timm DINOv2 registers", "timm Swin", "timm Swin S3",
    "timm MobileViT", "timm MobileViT V2", "torchvision vit_b_16", "torchvision swin_t", "torchvision swin_v2_t",
    "transformers ViT", "transformers Dinov2", "transformers Dinov2WithRegisters", "transformers Dinov2 classifier",
    "transformers Dinov2WithRegisters classifier", "transformers Swin", "transformers Swinv2", "transformers MobileViT",
    "transformers MobileViTV2"]


@torch.no_grad()
def compare(program, title, folder):
    torch.manual_seed(0)
    made = checkpoint_cases.CASES[title].make()
    derived = {key: tensor.clone() for key, tensor in made.model.state_dict().items() if key.endswith(DERIVED)}
    randomise(made.model)
    made.model.load_state_dict({**made.model.state_dict(), **derived})
    made.model.eval()
    file = made.save(folder) if made.save else folder / "model.safetensors"
    if not made.save:
        save_file({key: tensor.clone() for key, tensor in made.model.state_dict().items()}, file)
    library, name = title.split()[:2]
    pixels = LIBRARIES[library](made, name)(Image.open(PHOTO).convert("RGB"))[None]
    expected = made.answer(pixels)[0]
    head = getattr(made.model, "num_classes", 1000) > 0 and not type(made.model).__name__.endswith("Model")
    command = ["classify", "--top-k", "0", "--format", "jsonl"] if head else ["features"]
    answer = json.loads(subprocess.run([program, *command, "--weights", file, PHOTO], check=True,
                                       capture_output=True, text=True).stdout)
    ours = torch.tensor([one["logit"] for one in answer["predictions"]] if head else answer["features"])
    difference = float((ours - expected).abs().max())
    print(f"{title:44} spread {expected.std():.2f}  difference {difference:.1e}", flush=True)
    return difference


def main():
    program, names = str(pathlib.Path(sys.argv[1]).resolve()), tuple(sys.argv[2:])
    worst = []
    for title in TITLES:
        if names and not title.startswith(names):
            continue
        with tempfile.TemporaryDirectory() as folder:
            worst.append(compare(program, title, pathlib.Path(folder)))
    if not worst:
        sys.exit("no case was compared")
    good = max(worst) <= 3e-3
    print(f"{len(worst)} models, worst difference {max(worst):.1e}, {'within' if good else 'NOT within'} 3e-3")
    sys.exit(not good)


if __name__ == "__main__":
    main()
