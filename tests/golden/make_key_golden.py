"""Records the keys and shapes of timm's models, for tests/models/keys_test.cpp.

    python make_key_golden.py        # writes model_keys.txt beside it

Lines: "model NAME TENSORS PARAMETERS HASH" for each model of the zoo that timm has, the hash being FNV-1a
of the sorted lines "KEY SHAPE\\n"; "key NAME KEY SHAPE" for one small model of each family, so that a
difference can be read. Needs torch 2.11.0 and timm 1.0.31."""
import pathlib

import timm
import torch

from reference_fill import name_hash

assert torch.__version__.startswith("2.11.0") and timm.__version__ == "1.0.31"

MODELS = """vit_tiny_patch16_224 vit_tiny_patch16_384 vit_small_patch32_224 vit_small_patch32_384
vit_small_patch16_224 vit_small_patch16_384 vit_base_patch32_224 vit_base_patch32_384 vit_base_patch16_224
vit_base_patch16_384 vit_base_patch8_224 vit_large_patch32_224 vit_large_patch32_384 vit_large_patch16_224
vit_large_patch16_384 vit_huge_patch14_224 vit_giant_patch14_224 vit_gigantic_patch14_224 test_vit
deit_tiny_patch16_224 deit_small_patch16_224 deit_base_patch16_224 deit_base_patch16_384
deit_tiny_distilled_patch16_224 deit_small_distilled_patch16_224 deit_base_distilled_patch16_224
deit_base_distilled_patch16_384 deit3_small_patch16_224 deit3_small_patch16_384 deit3_medium_patch16_224
deit3_base_patch16_224 deit3_base_patch16_384 deit3_large_patch16_224 deit3_large_patch16_384
deit3_huge_patch14_224
swin_tiny_patch4_window7_224 swin_small_patch4_window7_224 swin_base_patch4_window7_224
swin_base_patch4_window12_384 swin_large_patch4_window7_224 swin_large_patch4_window12_384
swin_s3_tiny_224 swin_s3_small_224 swin_s3_base_224
swinv2_tiny_window8_256 swinv2_tiny_window16_256 swinv2_small_window8_256 swinv2_small_window16_256
swinv2_base_window8_256 swinv2_base_window16_256 swinv2_base_window12_192 swinv2_base_window12to16_192to256
swinv2_base_window12to24_192to384 swinv2_large_window12_192 swinv2_large_window12to16_192to256
swinv2_large_window12to24_192to384
mobilevit_xxs mobilevit_xs mobilevit_s
mobilevitv2_050 mobilevitv2_075 mobilevitv2_100 mobilevitv2_125 mobilevitv2_150 mobilevitv2_175
mobilevitv2_200 mobilevitv2_150.cvnets_in22k_ft_in1k_384 mobilevitv2_175.cvnets_in22k_ft_in1k_384
mobilevitv2_200.cvnets_in22k_ft_in1k_384""".split()
HEADLESS = """vit_small_patch16_224.dino vit_small_patch8_224 vit_base_patch16_224.dino vit_base_patch8_224.dino
vit_small_patch14_dinov2 vit_base_patch14_dinov2 vit_large_patch14_dinov2 vit_giant_patch14_dinov2
vit_small_patch14_reg4_dinov2 vit_base_patch14_reg4_dinov2 vit_large_patch14_reg4_dinov2
vit_giant_patch14_reg4_dinov2""".split()
LISTED = {
    "test_vit": ("test_vit", {}),
    "test_vit.avg": ("test_vit", dict(global_pool="avg", class_token=False, qkv_bias=False, num_classes=0)),
    "swin.small": ("swin_tiny_patch4_window7_224", dict(depths=(1, 2), num_heads=(2, 4), embed_dim=16)),
    "mobilevit_xxs": ("mobilevit_xxs", {}),
    "deit.distilled": ("deit_tiny_distilled_patch16_224", dict(depth=1)),
    "dinov2.reg4": ("vit_small_patch14_reg4_dinov2", dict(depth=1)),
    "dinov2.swiglu": ("vit_giant_patch14_dinov2", dict(depth=1, embed_dim=96, num_heads=4)),
    "swinv2.small": ("swinv2_tiny_window8_256", dict(depths=(1, 2), num_heads=(2, 4), embed_dim=16)),
    "mobilevitv2_050": ("mobilevitv2_050", {}),
}


def lines(model):
    return sorted(f"{key} {'x'.join(map(str, tensor.shape)) or 'scalar'}"
                  for key, tensor in model.state_dict().items())


out = []
with torch.device("meta"):
    for name in MODELS + HEADLESS:
        model = timm.create_model(name, num_classes=0 if name in HEADLESS else 1000)
        keys = lines(model)
        parameters = sum(parameter.numel() for parameter in model.parameters())
        digest = name_hash("".join(line + "\n" for line in keys))
        out.append(f"model {name} {len(keys)} {parameters} {digest}")
    for case, (name, arguments) in LISTED.items():
        out += [f"key {case} {line}" for line in lines(timm.create_model(name, **arguments))]
(pathlib.Path(__file__).parent / "model_keys.txt").write_text("\n".join(out) + "\n")
