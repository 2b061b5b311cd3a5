"""Records what models of other libraries answer, and the names of their tensors, for tests/weights/sources_test.cpp.

    python make_source_golden.py FOLDER     # FOLDER as original_cases.py asks for; writes layouts/sources.* beside it

Weights are those of reference_fill.py, by the names that the libraries give, so that no weights are stored. Lines of
sources.txt: "model NAME", then "KEY SHAPE" for each of its tensors, "-" for that of a scalar. Needs torch 2.11.0,
transformers 5.23.0, and the repositories."""
import functools
import pathlib
import sys
import tempfile

import torch
import transformers
from safetensors.torch import load_file, save_file

from compare_checkpoints import DERIVED
from original_cases import cvnets, importing, vit_pytorch
from reference_fill import reference_fill, reference_tensor

assert torch.__version__.startswith("2.11.0") and transformers.__version__ == "5.23.0"
OUT = pathlib.Path(__file__).parent / "layouts"
FOLDER = pathlib.Path(sys.argv[1]).absolute()
VIT = dict(image_size=32, patch_size=8, hidden_size=16, num_hidden_layers=2, num_attention_heads=2,
           intermediate_size=64, num_labels=5)
SMALL = dict(image_size=32, patch_size=8, dim=16, depth=2, heads=2, dim_head=8, mlp_dim=64, num_classes=5)
PLAIN = dict(img_size=32, patch_size=8, embed_dim=16, depth=2, num_heads=2)
SWIN = dict(img_size=32, patch_size=4, embed_dim=8, depths=[2, 2], num_heads=[1, 2], window_size=4, num_classes=5)


def fill(model):
    derived = {key: tensor.clone() for key, tensor in model.state_dict().items() if key.endswith(DERIVED)}
    reference_fill(model)
    model.load_state_dict({**model.state_dict(), **derived})
    return model


def hugging_face(kind, head, on_disk, **options):
    """The model and its state dict by the names in memory or by those on disk."""
    config = getattr(transformers, kind + "Config")(**{**VIT, **options})
    model = getattr(transformers, kind + head)(config)
    if not on_disk:
        return fill(model), model.state_dict()
    holder = torch.nn.Module()
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        file = pathlib.Path(folder) / "model.safetensors"
        state = load_file(file)
        holder.state_dict = lambda: state
        reference_fill(holder)
        save_file(state, file, {"format": "pt"})
        return type(model).from_pretrained(folder).eval(), state


def inside(path, model, **beside):
    """The model and its state dict as part of another module, beside further ones."""
    whole = torch.nn.Module()
    place = whole
    for part in path.split(".")[:-1]:
        setattr(place, part, torch.nn.Module())
        place = getattr(place, part)
    for name, module in {path.split(".")[-1]: model, **beside}.items():
        setattr(place, name, module)
    fill(whole)
    return model, whole.state_dict()


def original(folder, module, make):
    with importing(FOLDER / folder) as load:
        return make(load(module), load)


def dino(vit, load):
    return inside("module.backbone", vit.VisionTransformer(
        img_size=[32], patch_size=8, embed_dim=16, depth=2, num_heads=2, qkv_bias=True,
        norm_layer=functools.partial(torch.nn.LayerNorm, eps=1e-6)),
        head=vit.DINOHead(16, 8, hidden_dim=8, bottleneck_dim=4))


def dinov2_swiglu(vit, load):
    return state_of(vit.DinoVisionTransformer(**PLAIN, block_chunks=0, init_values=1.0, ffn_layer="swiglufused"))


def dinov2(vit, load):
    head = load("dinov2.layers").DINOHead(16, 8, hidden_dim=8, bottleneck_dim=4)
    return inside("backbone", vit.DinoVisionTransformer(
        **PLAIN, block_chunks=2, num_register_tokens=2, init_values=1.0), dino_head=head)


def deit3(models, load):
    model = models.vit_models(**PLAIN, num_classes=5, qkv_bias=True, block_layers=models.Layer_scale_init_Block,
                              norm_layer=functools.partial(torch.nn.LayerNorm, eps=1e-6))
    return model, fill(model).state_dict()


def state_of(model):
    return model, fill(model).state_dict()


def of_cvnets(config, changes):
    return state_of(cvnets(config, changes, FOLDER / "ml-cvnets").model)


def of_vit_pytorch(version, kind="ViT", **options):
    return state_of(vit_pytorch(kind, {**SMALL, **options}, FOLDER / f"vit-pytorch-{version}").model)


MODELS = {
    "huggingface_deit": lambda: hugging_face("DeiT", "ForImageClassification", True),
    "huggingface_deit_distilled": lambda: hugging_face("DeiT", "ForImageClassificationWithTeacher", False),
    "huggingface_dinov2_registers": lambda: hugging_face(
        "Dinov2WithRegisters", "Model", True, num_register_tokens=2),
    "huggingface_dinov2_classifier": lambda: hugging_face("Dinov2", "ForImageClassification", True),
    "huggingface_dinov2_registers_classifier": lambda: hugging_face(
        "Dinov2WithRegisters", "ForImageClassification", True, num_register_tokens=2),
    "huggingface_dinov2_swiglu": lambda: hugging_face("Dinov2", "Model", True, use_swiglu_ffn=True),
    "huggingface_dinov2_swiglu_in_memory": lambda: hugging_face("Dinov2", "Model", False, use_swiglu_ffn=True),
    "microsoft_swin": lambda: original("Swin-Transformer", "models.swin_transformer", lambda m, _: state_of(
        m.SwinTransformer(**SWIN))),
    "microsoft_swin_v2": lambda: original("Swin-Transformer", "models.swin_transformer_v2", lambda m, _: state_of(
        m.SwinTransformerV2(**SWIN))),
    "dino_student": lambda: original("dino", "vision_transformer", dino),
    "dinov2_teacher": lambda: original("dinov2", "dinov2.models.vision_transformer", dinov2),
    "dinov2_swiglu": lambda: original("dinov2", "dinov2.models.vision_transformer", dinov2_swiglu),
    "deit3": lambda: original("deit", "models_v2", deit3),
    "cvnets_mobilevit": lambda: of_cvnets("mobilevit.yaml", {"model.classification.mit.mode": "xx_small"}),
    "cvnets_mobilevit_v2": lambda: of_cvnets(
        "mobilevit_v2.yaml", {"model.classification.mitv2.width_multiplier": 0.5}),
    "vit_pytorch_0.7": lambda: of_vit_pytorch("0.7.6"),
    "vit_pytorch_0.40_mean": lambda: of_vit_pytorch("0.40.2", pool="mean"),
    "vit_pytorch_1.2": lambda: of_vit_pytorch("1.2.9"),
    "vit_pytorch_1.16_mean": lambda: of_vit_pytorch("1.16.1", pool="mean"),
    "vit_pytorch_1.26": lambda: of_vit_pytorch("1.26.11", dim_head=4),
    "simple_vit_0.40": lambda: of_vit_pytorch("0.40.2", "SimpleViT"),
    "simple_vit_1.26": lambda: of_vit_pytorch("1.26.11", "SimpleViT"),
}

answers, lines = {}, []
for name, make in MODELS.items():
    torch.manual_seed(0)
    model, state = make()
    side = 64 if name.startswith("cvnets") else 32
    images = reference_tensor(f"image {side}x{side}", (2, 3, side, side))
    with torch.no_grad():
        # What reads images in BGR is opened as a model that reads them in RGB.
        answer = model(images.flip(1) if name == "cvnets_mobilevit" else images)
    for part in ("logits", "pooler_output"):
        answer = getattr(answer, part, answer)
    answers[name] = answer.contiguous()
    lines.append(f"model {name}")
    lines += [f"{key} {'x'.join(map(str, tensor.shape)) or '-'}" for key, tensor in state.items()]
    print(name, answer.std())
save_file(answers, OUT / "sources.safetensors")
(OUT / "sources.txt").write_text("\n".join(lines) + "\n")
