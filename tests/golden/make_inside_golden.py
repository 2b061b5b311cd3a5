"""Records what lies inside timm's models, filled by reference_fill: features on the way, attention weights,
and the factors of layer-wise decay.

    python make_inside_golden.py        # writes inside.safetensors and layer_decay.json beside it

Needs torch 2.11.0, timm 1.0.31 and safetensors."""
import json
import pathlib

import timm
import torch
from safetensors.torch import save_file
from timm.layers import set_fused_attn
from timm.optim import param_groups_layer_decay

from reference_fill import reference_fill, reference_tensor

assert torch.__version__.startswith("2.11.0") and timm.__version__ == "1.0.31"

SIDE = 32
VIT = dict(img_size=SIDE, patch_size=8, embed_dim=16, depth=3, num_heads=2, num_classes=5)
DYNAMIC = dict(VIT, img_size=24, dynamic_img_size=True)
SWIN = dict(img_size=SIDE, embed_dim=8, depths=(2, 2), num_heads=(1, 2), window_size=4, num_classes=5)
SWIN_V2 = dict(SWIN, patch_size=4)
# name in the files: (timm model, its arguments)
MODELS = {
    "vit": ("vit_tiny_patch16_224", VIT),
    "vit_avg": ("vit_tiny_patch16_224", dict(VIT, global_pool="avg")),
    "vit_dynamic": ("vit_tiny_patch16_224", DYNAMIC),
    "deit": ("deit_tiny_distilled_patch16_224", VIT),
    "registers": ("vit_small_patch14_reg4_dinov2", VIT),
    "swin": ("swin_tiny_patch4_window7_224", SWIN),
    "swin_v2": ("swinv2_tiny_window8_256", SWIN_V2),
    "mobilevit": ("mobilevit_xxs", dict(num_classes=5)),
    "mobilevit_v2": ("mobilevitv2_050", dict(num_classes=5)),
}
HEADLESS = {"registers_headless": ("vit_small_patch14_reg4_dinov2", dict(VIT, num_classes=0))}
# name in the file: (model, arguments of forward_intermediates)
WAYS = {
    "vit.all": ("vit", dict()),
    "vit.some": ("vit", dict(indices=[-1, 0], norm=True, return_prefix_tokens=True)),
    "vit.early": ("vit", dict(indices=[1], output_fmt="NLC", stop_early=True)),
    "vit_avg.norm": ("vit_avg", dict(indices=[-1], norm=True)),
    "vit_dynamic.all": ("vit_dynamic", dict(norm=True)),
    "deit.prefix": ("deit", dict(indices=[1], return_prefix_tokens=True)),
    "registers.prefix": ("registers", dict(indices=[2], norm=True, return_prefix_tokens=True)),
    "swin.all": ("swin", dict()),
    "swin.norm": ("swin", dict(norm=True)),
    "swin.early": ("swin", dict(indices=[-2], norm=True, stop_early=True)),
    "swin_v2.norm": ("swin_v2", dict(norm=True)),
    "mobilevit.all": ("mobilevit", dict()),
    "mobilevit.early": ("mobilevit", dict(indices=[2], stop_early=True)),
    "mobilevit_v2.all": ("mobilevit_v2", dict()),
}


def make(name, arguments):
    return reference_fill(timm.create_model(name, **arguments))


def thinned(tensor):
    """At most some 400 of the values: those at every k-th place."""
    flat = tensor.flatten()
    return flat[:: max(1, flat.numel() // 400)].clone()


tensors = {}
set_fused_attn(False)
images = reference_tensor(f"image {SIDE}x{SIDE}", (1, 3, SIDE, SIDE))
with torch.no_grad():
    for way, (model, arguments) in WAYS.items():
        features, maps = make(*MODELS[model]).forward_intermediates(images, **arguments)
        tensors[f"{way}.features"] = thinned(features)
        for i, value in enumerate(maps):
            pair = value if isinstance(value, tuple) else (value,)
            for part, tensor in zip(("map", "prefix"), pair):
                tensors[f"{way}.{part}{i}"] = thinned(tensor)
    for name in ("vit", "registers", "swin", "swin_v2", "mobilevit", "mobilevit_v2"):
        model = make(*MODELS[name])
        for key, module in model.named_modules():
            if key.endswith(".attn_drop"):
                module.register_forward_hook(
                    lambda _, inputs, __, key=key: tensors.__setitem__(
                        f"{name}.attention.{key.removesuffix('.attn_drop')}", thinned(inputs[0])))
        model(images)
save_file(tensors, pathlib.Path(__file__).with_name("inside.safetensors"))

DECAY = 0.5  # whose powers are exact
scales = {}
for name, (model, arguments) in {**MODELS, **HEADLESS}.items():
    model = timm.create_model(model, **arguments)
    names = {id(parameter): key for key, parameter in model.named_parameters()}
    of_key = {names[id(parameter)]: group["lr_scale"]
              for group in param_groups_layer_decay(model, layer_decay=DECAY) for parameter in group["params"]}
    assert len(of_key) == len(names)
    # Of a module's parameters one is enough where all have the same.
    scales[name] = {}
    for key, scale in sorted(of_key.items()):
        scales[name].setdefault(key.rpartition(".")[0] or key, {})[key] = scale
    scales[name] = {key: scale for of_module in scales[name].values()
                    for key, scale in (list(of_module.items())[:1] if len(set(of_module.values())) == 1
                                       else of_module.items())}
pathlib.Path(__file__).with_name("layer_decay.json").write_text(
    json.dumps(scales, separators=(",", ":")).replace("},", "},\n") + "\n")
print(len(tensors), "tensors,", sum(map(len, scales.values())), "factors")
