"""Records the logits of timm's models, filled by reference_fill, for tests/models/golden_test.cpp.

    python make_model_golden.py        # writes models.safetensors beside it

Needs torch 2.11.0, timm 1.0.31 and safetensors."""
import pathlib

import timm
import torch
from safetensors.torch import save_file

from reference_fill import reference_fill, reference_tensor

assert torch.__version__.startswith("2.11.0") and timm.__version__ == "1.0.31"

# name in the file: (timm model, its arguments, rows, columns)
CASES = {name: (name, {}, size, size) for name, size in [
    ("vit_tiny_patch16_224", 224), ("vit_small_patch16_224", 224), ("vit_base_patch16_224", 224),
    ("vit_base_patch32_224", 224), ("vit_base_patch16_384", 384), ("test_vit", 160),
    ("swin_tiny_patch4_window7_224", 224), ("swin_small_patch4_window7_224", 224),
    ("swin_base_patch4_window7_224", 224), ("swin_base_patch4_window12_384", 384),
    ("mobilevit_xxs", 256), ("mobilevit_xs", 256), ("mobilevit_s", 256),
    ("deit_tiny_distilled_patch16_224", 224), ("deit3_small_patch16_224", 224), ("vit_small_patch8_224", 224),
    ("swin_s3_tiny_224", 224), ("swinv2_tiny_window8_256", 256), ("swinv2_base_window12to16_192to256", 256),
    ("mobilevitv2_050", 256), ("mobilevitv2_100", 256)]}
CASES.update({
    # Position embeddings resampled while running, and pooling other than the class token.
    "vit.dynamic_160": ("vit_tiny_patch16_224", dict(dynamic_img_size=True), 160, 160),
    "vit.dynamic_384": ("vit_tiny_patch16_224", dict(dynamic_img_size=True), 384, 384),
    "vit.dynamic_224x320": ("vit_tiny_patch16_224", dict(dynamic_img_size=True), 224, 320),
    "vit.avg": ("test_vit", dict(img_size=160, global_pool="avg"), 160, 160),
    "vit.mean_all": ("test_vit", dict(img_size=160, global_pool="avg", pool_include_prefix=True), 160, 160),
    "vit.no_class_token": ("test_vit", dict(img_size=160, class_token=False, global_pool="avg"), 160, 160),
    "vit.no_qkv_bias": ("test_vit", dict(img_size=160, qkv_bias=False), 160, 160),
    # Maps that are no multiple of the window, an odd map to merge, a rectangular one.
    "swin.uneven": ("swin_tiny_patch4_window7_224", dict(img_size=200), 200, 200),
    "swin.rectangular": ("swin_tiny_patch4_window7_224", dict(img_size=(96, 224)), 96, 224),
    # Maps that are no multiple of the patch.
    "mobilevit.uneven": ("mobilevit_xxs", {}, 200, 136),
    "mobilevitv2.uneven": ("mobilevitv2_050", {}, 200, 136),
    # DINOv2 at a small size; with registers, whose positions are of the patches alone; gated MLPs.
    "dinov2": ("vit_small_patch14_dinov2", dict(img_size=98), 98, 98),
    "dinov2.reg4": ("vit_small_patch14_reg4_dinov2", dict(img_size=98), 98, 98),
    "dinov2.reg4_dynamic": ("vit_small_patch14_reg4_dinov2", dict(img_size=98, dynamic_img_size=True), 70, 112),
    "dinov2.reg4_avg": ("vit_small_patch14_reg4_dinov2", dict(img_size=98, global_pool="avg", num_classes=100), 98, 98),
    "dinov2.swiglu": ("vit_giant_patch14_dinov2", dict(img_size=70, depth=3, embed_dim=96, num_heads=4), 70, 70),
    "deit.distilled_dynamic": ("deit_tiny_distilled_patch16_224", dict(dynamic_img_size=True), 160, 192),
    # Fixed positions, which timm has not: put in the place of learned ones.
    "simple_vit": ("vit_small_patch16_224", dict(class_token=False, global_pool="avg", fc_norm=False), 224, 224),
    "swinv2.uneven": ("swinv2_tiny_window8_256", dict(img_size=200), 200, 200),
    "swinv2.rectangular": ("swinv2_tiny_window8_256", dict(img_size=(96, 224)), 96, 224),
    "swin.windows": ("swin_tiny_patch4_window7_224", dict(img_size=160, window_size=(4, 5, 6, 7)), 160, 160),
})


def sincos_positions(side, dim):
    """Beyer et al. (2022), section 3."""
    place = torch.arange(side * side)
    frequency = 10000.0 ** -(torch.arange(dim // 4) / (dim // 4 - 1))
    x, y = ((value[:, None] * frequency) for value in (place % side, place // side))
    return torch.cat([x.sin(), x.cos(), y.sin(), y.cos()], dim=1)[None]


outputs = {}
for case, (name, arguments, rows, columns) in CASES.items():
    size = {"img_size": 160} if name == "test_vit" and not arguments else {}
    model = reference_fill(timm.create_model(name, **size, **arguments))
    if case == "simple_vit":
        model.pos_embed.data.copy_(sincos_positions(14, 384))
    images = reference_tensor(f"image {rows}x{columns}", (2, 3, rows, columns))
    with torch.no_grad():
        # Every eighth class keeps the file small and misses no mistake in what leads up to the head.
        outputs[case] = model(images)[:, ::8].contiguous()
    print(case, tuple(outputs[case].shape), float(outputs[case].std()))
save_file(outputs, pathlib.Path(__file__).parent / "models.safetensors")
