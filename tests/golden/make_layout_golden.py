"""Records small checkpoints of other libraries and their logits, for tests/weights/layouts_test.cpp.

    python make_layout_golden.py        # writes layouts/ beside it

Needs torch 2.11.0, torchvision 0.26.0, transformers 5.23.0 and safetensors."""
import pathlib

import torch
import torchvision
import transformers
from safetensors.torch import save_file

from compare_checkpoints import DERIVED
from compare_with_timm import randomise
from reference_fill import reference_tensor

assert torch.__version__.startswith("2.11.0") and torchvision.__version__.startswith("0.26.0")
assert transformers.__version__ == "5.23.0"
OUT = pathlib.Path(__file__).parent / "layouts"

vit = transformers.ViTForImageClassification(transformers.ViTConfig(
    image_size=32, patch_size=8, hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64,
    num_labels=5, layer_norm_eps=1e-6))
MODELS = {
    "torchvision_vit": torchvision.models.VisionTransformer(
        image_size=32, patch_size=8, num_layers=2, num_heads=2, hidden_dim=16, mlp_dim=64, num_classes=5),
    "torchvision_swin_v2": torchvision.models.SwinTransformer(
        patch_size=[4, 4], embed_dim=8, depths=[2, 2], num_heads=[1, 2], window_size=[4, 4], num_classes=5,
        block=torchvision.models.swin_transformer.SwinTransformerBlockV2,
        downsample_layer=torchvision.models.swin_transformer.PatchMergingV2),
    "huggingface_vit": vit,
}

OUT.mkdir(exist_ok=True)
logits = {}
images = reference_tensor("image 32x32", (2, 3, 32, 32))
for name, model in MODELS.items():
    torch.manual_seed(0)
    derived = {key: tensor.clone() for key, tensor in model.state_dict().items() if key.endswith(DERIVED)}
    randomise(model)
    model.load_state_dict({**model.state_dict(), **derived})
    with torch.no_grad():
        answer = model(images)
    logits[name] = getattr(answer, "logits", answer).contiguous()
    # One of the older form, the others of the newer, inside a training checkpoint.
    torch.save({"model": model.state_dict(), "epoch": 1}, OUT / f"{name}.pth",
               _use_new_zipfile_serialization=name != "torchvision_vit")
save_file(logits, OUT / "logits.safetensors")
print(sum(file.stat().st_size for file in OUT.iterdir()), "bytes")
