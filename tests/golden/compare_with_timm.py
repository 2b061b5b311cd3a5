"""Compares vitrine with timm for real: every parameter and buffer randomised, batches of 1 and 3, and back.

    python compare_with_timm.py PROGRAM [NAME...]     # PROGRAM: build/release/tests/golden/vitrine_parity

For each model: timm's weights and images go to files, PROGRAM answers, logits are compared, and the copy that
vitrine saves is loaded by timm strictly and compared again. Ends with status 1 when a difference exceeds 1e-4."""
import pathlib
import subprocess
import sys
import tempfile

import timm
import torch
from safetensors.torch import load_file, save_file

# (model, options in which it differs from the model that its weights are of; those of a MobileViT, which takes any
# image, only say the image's size)
CASES = [(name, {}) for name in [
    "vit_tiny_patch16_224", "vit_small_patch16_224", "vit_base_patch16_224", "vit_base_patch32_224",
    "vit_base_patch16_384", "swin_tiny_patch4_window7_224", "swin_small_patch4_window7_224",
    "swin_base_patch4_window7_224", "swin_base_patch4_window12_384", "mobilevit_xxs", "mobilevit_xs",
    "mobilevit_s", "deit_tiny_patch16_224", "deit_tiny_distilled_patch16_224", "deit3_small_patch16_224",
    "vit_small_patch16_224.dino", "vit_small_patch8_224", "vit_small_patch14_dinov2",
    "vit_small_patch14_reg4_dinov2", "swin_s3_tiny_224", "swinv2_tiny_window8_256", "swinv2_small_window16_256",
    "swinv2_base_window12to16_192to256", "mobilevitv2_050", "mobilevitv2_100", "mobilevitv2_200"]]
# Position embeddings resampled on loading, with those of the class token apart or without; to as many patches too.
CASES += [("vit_tiny_patch16_224", dict(img_size=size)) for size in [(160, 160), (384, 384), (224, 320), (112, 448)]]
CASES += [("vit_small_patch14_dinov2", dict(img_size=size)) for size in [(98, 98), (224, 224)]]
CASES += [("vit_small_patch14_reg4_dinov2", dict(img_size=size)) for size in [(98, 126), (224, 224)]]
# Other windows; images that are no multiple of the window, or with maps smaller than it.
CASES += [("swin_tiny_patch4_window7_224", arguments) for arguments in [
    dict(img_size=(256, 256), window_size=8), dict(img_size=(384, 384), window_size=12), dict(window_size=8),
    dict(img_size=(256, 256)), dict(img_size=(384, 384)), dict(img_size=(224, 320)), dict(img_size=(96, 224))]]
CASES += [("swin_base_patch4_window12_384", dict(img_size=(224, 224), window_size=7))]
CASES += [("swinv2_tiny_window8_256", arguments) for arguments in [
    dict(img_size=(384, 384)), dict(img_size=(384, 384), window_size=12), dict(img_size=(224, 320))]]
CASES += [("swinv2_tiny_window16_256", dict(img_size=(384, 384), window_size=24)),
          ("swinv2_base_window12to16_192to256", dict(img_size=(384, 384), window_size=24))]
CASES += [(name, dict(img_size=size)) for name in ["mobilevit_xxs", "mobilevitv2_050"]
          for size in [(224, 224), (288, 288), (250, 250), (200, 136), (40, 33)]]


@torch.no_grad()
def randomise(model):
    for key, tensor in model.state_dict().items():
        if not tensor.is_floating_point():
            tensor.random_(0, 1000)
        elif key.endswith("running_var"):
            tensor.uniform_(0.5, 1.5)
        elif tensor.dim() == 1 and key.endswith("weight"):
            tensor.normal_(1.0, 0.2)
        elif tensor.dim() >= 2 and key.endswith("weight"):
            tensor.normal_(0.0, (tensor.shape[0] / tensor.numel()) ** 0.5)
        else:
            tensor.normal_(0.0, 0.3)
    return model.eval()


def as_words(arguments):
    return [f"{value[0]}x{value[1]}" if name == "img_size" else f"{name}={value}" for name, value in arguments.items()]


def compare(program, name, arguments, folder):
    torch.manual_seed(0)
    model = randomise(timm.create_model(name))
    rows, columns = arguments.get("img_size", timm.models.get_pretrained_cfg(name).input_size[1:])
    wanted = {} if name.startswith("mobilevit") else arguments
    weights, out, copy = (str(folder / part) for part in ("in", "out", "copy"))
    save_file(model.state_dict(), weights)
    reference = model
    if wanted:
        reference = timm.create_model(name, **wanted)
        family = sys.modules[type(reference).__module__]
        reference.load_state_dict(family.checkpoint_filter_fn(model.state_dict(), reference), strict=True)
        reference.eval()
    worst = 0.0
    for batch in (1, 3):
        images = torch.randn(batch, 3, rows, columns)
        save_file({"images": images}, weights + ".images")
        subprocess.run([program, name, weights, out, copy, *as_words(wanted)], check=True)
        with torch.no_grad():
            expected = reference(images)
            worst = max(worst, float((load_file(out)["logits"] - expected).abs().max()))
            again = timm.create_model(name, **wanted).eval()
            again.load_state_dict(load_file(copy), strict=True)
            worst_copy = float((again(images) - expected).abs().max())
    count = sum(p.numel() for p in model.parameters())
    window = f" window {arguments['window_size']}" if "window_size" in arguments else ""
    print(f"{name:34} {rows}x{columns}{window:10}  {count:>12,} parameters  logits' spread {expected.std():.2f}  "
          f"difference {worst:.1e}  saved copy in timm {worst_copy:.1e}", flush=True)
    return max(worst, worst_copy)


def main():
    program, names = sys.argv[1], sys.argv[2:]
    with tempfile.TemporaryDirectory() as folder:
        cases = [case for case in CASES if not names or case[0] in names]
        worst = max(compare(program, name, arguments, pathlib.Path(folder)) for name, arguments in cases)
    print(f"worst difference {worst:.1e}, {'within' if worst <= 1e-4 else 'NOT within'} 1e-4")
    sys.exit(worst > 1e-4)


if __name__ == "__main__":
    main()
