"""Loads what `vitrine convert --to ...` writes in the libraries it is for: timm, torchvision, transformers.

    python compare_exports.py PROGRAM [CASE...]     # PROGRAM: build/release/bin/vitrine

For each model, with every parameter and buffer randomised: timm saves it, PROGRAM converts the file, the library loads
the result strictly and answers for the same images. Of transformers' folders, PROGRAM answers for a photo as well,
told nothing but the file, against transformers with the folder's image processor. Ends with status 1 when a logit (of a
model without a head: a feature) differs by more than 1e-4 from timm's, or for the photo by more than 3e-3."""
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
from safetensors.torch import load_file, save_file

from compare_with_timm import randomise

PHOTO = pathlib.Path(__file__).resolve().parent.parent / "data/images/baseline_420.jpg"


def for_timm(name, out):
    model = timm.create_model(name)
    model.load_state_dict(load_file(out), strict=True)
    return model


def for_torchvision(name, out):
    model = getattr(torchvision.models, name)()
    model.load_state_dict(load_file(out), strict=True)
    return model


def for_transformers(kind, out):
    model, info = getattr(transformers, kind).from_pretrained(out, output_loading_info=True)
    # A ViT's tanh layer, which no classifier uses, is the one thing a model without a head may lack.
    absent = [key for key in info["missing_keys"] if not key.startswith("pooler.")]
    assert not absent and not info["unexpected_keys"] and not info["mismatched_keys"], info
    if kind.endswith("WithTeacher") or "ForImage" in kind:
        return lambda images: model.eval()(images).logits
    return lambda images: model.eval()(images).last_hidden_state[:, 0]


# timm's name, library, the library's name
CASES = [
    ("vit_tiny_patch16_224", "timm", "vit_tiny_patch16_224"),
    ("swinv2_tiny_window8_256", "timm", "swinv2_tiny_window8_256"),
    ("mobilevitv2_050", "timm", "mobilevitv2_050"),
    ("vit_base_patch32_224", "torchvision", "vit_b_32"),
    ("swin_tiny_patch4_window7_224", "torchvision", "swin_t"),
    ("swinv2_tiny_window8_256", "torchvision", "swin_v2_t"),
    ("vit_tiny_patch16_224", "huggingface", "ViTForImageClassification"),
    ("vit_small_patch16_224.dino", "huggingface", "ViTModel"),
    ("deit_tiny_distilled_patch16_224", "huggingface", "DeiTForImageClassificationWithTeacher"),
    ("deit_tiny_patch16_224", "huggingface", "DeiTForImageClassification"),
    ("vit_small_patch14_dinov2", "huggingface", "Dinov2Model"),
    ("vit_small_patch14_reg4_dinov2", "huggingface", "Dinov2WithRegistersModel"),
    ("swin_tiny_patch4_window7_224", "huggingface", "SwinForImageClassification"),
    ("swinv2_tiny_window8_256", "huggingface", "Swinv2ForImageClassification"),
    ("swinv2_base_window12to16_192to256", "huggingface", "Swinv2ForImageClassification"),
    ("mobilevit_xxs", "huggingface", "MobileViTForImageClassification"),
    ("mobilevitv2_050", "huggingface", "MobileViTV2ForImageClassification"),
]
# A DeiT whose distillation token has no head.
REG_TOKENS = {"DeiTForImageClassification": 1}


@torch.no_grad()
def compare_photo(program, kind, folder):
    """Worst difference of the logits, or of a model without a head the features, for a photo, told by the folder alone."""
    head = "ForImage" in kind
    command = ["classify", "--top-k", "0", "--format", "jsonl"] if head else ["features"]
    answer = json.loads(subprocess.run([program, *command, "--weights", folder / "model.safetensors", PHOTO],
                                       check=True, capture_output=True, text=True).stdout)
    ours = torch.tensor([one["logit"] for one in answer["predictions"]] if head else answer["features"])
    processor = transformers.AutoImageProcessor.from_pretrained(folder, backend="pil")
    pixels = processor(Image.open(PHOTO).convert("RGB"), return_tensors="pt")["pixel_values"]
    return float((for_transformers(kind, folder)(pixels)[0] - ours).abs().max())


@torch.no_grad()
def compare(program, case, folder):
    name, library, theirs = case
    torch.manual_seed(0)
    bare = name.endswith(".dino") or "dinov2" in name
    tokens = REG_TOKENS.get(theirs, 0)
    model = timm.create_model(
        name, **({"num_classes": 0} if bare else {}), **({"reg_tokens": tokens} if tokens else {})).eval()
    derived = {k: v.clone() for k, v in model.state_dict().items() if "relative_" in k}
    randomise(model)
    model.load_state_dict({**model.state_dict(), **derived})
    file, out = folder / "in.safetensors", folder / (f"{library}.{theirs}" + ".safetensors" * (library != "huggingface"))
    save_file(model.state_dict(), file)
    subprocess.run([program, "convert", file, out, "--model", name, "--to", library, "--force",
                    *(["--model-kwargs", f"reg_tokens={tokens}"] if tokens else [])],
                   check=True, stdout=subprocess.DEVNULL)
    load = {"timm": for_timm, "torchvision": for_torchvision, "huggingface": for_transformers}[library]
    images = torch.randn(2, *model.default_cfg["input_size"])
    expected = model(images)
    loaded = load(theirs, out)
    if isinstance(loaded, torch.nn.Module):
        loaded.eval()
    # transformers' MobileViT is for images in BGR.
    difference = float((loaded(images.flip(1) if theirs.startswith("MobileViTFor") else images) - expected).abs().max())
    told = f"{name:36} {theirs:40} spread {expected.std():.2f}  difference {difference:.1e}"
    photo = compare_photo(program, theirs, out) if library == "huggingface" else None
    print(told + (f"  photo {photo:.1e}" if photo is not None else ""), flush=True)
    return max(difference, (photo or 0.0) / 30)  # the photo's bound is 30 times as wide


def main():
    program, names = str(pathlib.Path(sys.argv[1]).resolve()), sys.argv[2:]
    with tempfile.TemporaryDirectory() as folder:
        worst = max(compare(program, case, pathlib.Path(folder)) for case in CASES
                    if not names or any(name in case for name in names))
    print(f"worst difference {worst:.1e}, {'within' if worst <= 1e-4 else 'NOT within'} 1e-4")
    sys.exit(worst > 1e-4)


if __name__ == "__main__":
    main()
