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

# (model, rows and columns where they differ from the model's own)
CASES = [(name, None) for name in [
    "vit_tiny_patch16_224", "vit_small_patch16_224", "vit_base_patch16_224", "vit_base_patch32_224",
    "vit_base_patch16_384", "swin_tiny_patch4_window7_224", "swin_small_patch4_window7_224",
    "swin_base_patch4_window7_224", "swin_base_patch4_window12_384", "mobilevit_xxs", "mobilevit_xs",
    "mobilevit_s", "deit_tiny_patch16_224", "deit_tiny_distilled_patch16_224", "deit3_small_patch16_224",
    "vit_small_patch16_224.dino", "vit_small_patch8_224", "vit_small_patch14_dinov2",
    "vit_small_patch14_reg4_dinov2", "swin_s3_tiny_224", "swinv2_tiny_window8_256", "swinv2_small_window16_256",
    "swinv2_base_window12to16_192to256", "mobilevitv2_050", "mobilevitv2_100", "mobilevitv2_200"]]
# Position embeddings resampled on loading, with those of the class token apart or without.
CASES += [("vit_tiny_patch16_224", size) for size in [(160, 160), (384, 384), (224, 320)]]
CASES += [("vit_small_patch14_dinov2", (98, 98)), ("vit_small_patch14_reg4_dinov2", (98, 126))]


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


def compare(program, name, size, folder):
    torch.manual_seed(0)
    model = randomise(timm.create_model(name))
    weights, out, copy = (str(folder / part) for part in ("in", "out", "copy"))
    save_file(model.state_dict(), weights)
    reference = model
    if size:
        reference = timm.create_model(name, img_size=size)
        reference.load_state_dict(timm.models.vision_transformer.checkpoint_filter_fn(
            model.state_dict(), reference), strict=True)
        reference.eval()
    rows, columns = size or timm.models.get_pretrained_cfg(name).input_size[1:]
    worst = 0.0
    for batch in (1, 3):
        images = torch.randn(batch, 3, rows, columns)
        save_file({"images": images}, weights + ".images")
        subprocess.run([program, name, weights, out, copy] + ([f"{rows}x{columns}"] if size else []), check=True)
        with torch.no_grad():
            expected = reference(images)
            worst = max(worst, float((load_file(out)["logits"] - expected).abs().max()))
            again = timm.create_model(name, **({"img_size": size} if size else {})).eval()
            again.load_state_dict(load_file(copy), strict=True)
            worst_copy = float((again(images) - expected).abs().max())
    count = sum(p.numel() for p in model.parameters())
    print(f"{name:34} {rows}x{columns}  {count:>12,} parameters  logits' spread {expected.std():.2f}  "
          f"difference {worst:.1e}  saved copy in timm {worst_copy:.1e}", flush=True)
    return max(worst, worst_copy)


def main():
    program, names = sys.argv[1], sys.argv[2:]
    with tempfile.TemporaryDirectory() as folder:
        cases = [case for case in CASES if not names or case[0] in names]
        worst = max(compare(program, name, size, pathlib.Path(folder)) for name, size in cases)
    print(f"worst difference {worst:.1e}, {'within' if worst <= 1e-4 else 'NOT within'} 1e-4")
    sys.exit(worst > 1e-4)


if __name__ == "__main__":
    main()
