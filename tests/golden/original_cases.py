"""Models of the original repositories whose checkpoints compare_checkpoints.py opens. They are not installed but lie
in one folder, as `git clone` makes them:

    Swin-Transformer (microsoft), dino, dinov2, deit (facebookresearch), ml-cvnets (apple)

and, as `pip install --no-deps --target vit-pytorch-VERSION vit-pytorch==VERSION` makes them, vit-pytorch of the
versions below; in the same way einops, which it needs."""
import argparse
import contextlib
import functools
import importlib
import io
import os
import sys
from unittest import mock

import torch
import yaml

from checkpoint_cases import OF_518, Case, Made

VIT_PYTORCH = ["0.7.0", "0.10.3", "0.40.2", "1.2.9", "1.4.5", "1.16.1", "1.26.11"]


@contextlib.contextmanager
def importing(folder):
    """Modules of `folder`, without what they print; forgotten afterwards, as several have modules of one name."""
    before = set(sys.modules)
    sys.path.insert(0, str(folder))
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            yield importlib.import_module
    finally:
        sys.path.remove(str(folder))
        for name in set(sys.modules) - before:
            if str(folder) in str(getattr(sys.modules[name], "__file__", "")):
                del sys.modules[name]


class CfgNode(dict):
    """Pickles as yacs's class of this name does, which holds the settings in Swin's training files."""

    def __init__(self, settings):
        super().__init__(settings)
        self.__dict__["__immutable__"] = True


CfgNode.__module__ = "yacs.config"


def swin(version, options, folder):
    sys.modules["yacs"] = sys.modules["yacs.config"] = sys.modules[__name__]
    module, name = [("swin_transformer", "SwinTransformer"), ("swin_transformer_v2", "SwinTransformerV2")][version - 1]
    with importing(folder) as load:
        model = getattr(load(f"models.{module}"), name)(**options)
    return Made(model, model, lambda state: {
        "model": state, "max_accuracy": 81.2, "scaler": {}, "config": CfgNode({"MODEL": CfgNode({"NAME": "swin"})})})


def prefixed(prefix, state):
    return {prefix + key: value for key, value in state.items()}


def dino(folder):
    with importing(folder) as load:
        vit = load("vision_transformer")
        model, head = vit.vit_small(patch_size=16), vit.DINOHead(384, 1024).state_dict()

    def training(state):
        networks = {**prefixed("backbone.", state), **prefixed("head.", head)}
        return {"student": {key: torch.zeros_like(value) for key, value in prefixed("module.", networks).items()},
                "teacher": networks, "dino_loss": {"center": torch.zeros(1, 1024)}}
    return Made(model, model, training)


def dinov2(registers, chunks, folder):
    os.environ["XFORMERS_DISABLED"] = "1"
    with importing(folder) as load:
        model = load("dinov2.models.vision_transformer").vit_small(
            patch_size=14, img_size=518, init_values=1.0, num_register_tokens=registers, block_chunks=chunks)
        head = load("dinov2.layers").DINOHead(384, 1024).state_dict()
    return Made(model, model, lambda state: {"teacher": {
        **prefixed("backbone.", state), **prefixed("dino_head.", head), **prefixed("ibot_head.", head)}})


def deit(module, name, folder):
    with importing(folder) as load:
        model = getattr(load(module), name)()
    return Made(model, model, lambda state: {
        "model": {key: torch.zeros_like(value) for key, value in state.items()}, "model_ema": state,
        "scaler": {"scale": 65536.0, "growth_tracker": 1}})


def flat(options, prefix=""):
    for key, value in options.items():
        if isinstance(value, dict):
            yield from flat(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value


def cvnets(config, changes, folder):
    stub = {} if importlib.util.find_spec("urllib3") else {"requests": mock.MagicMock()}
    with importing(folder) as load, mock.patch.dict(sys.modules, stub):
        library = load("cvnets")
        options = library.modeling_arguments(argparse.ArgumentParser(allow_abbrev=False)).parse_args([])
        settings = yaml.safe_load((folder / "config/classification/imagenet" / config).read_text())
        for key, value in {**dict(flat(settings)), **changes}.items():
            setattr(options, key, value)
        model = library.get_model(options)
    return Made(model, model, lambda state: {
        "model_state_dict": {key: torch.zeros_like(value) for key, value in state.items()},
        "ema_state_dict": state, "iterations": 7, "gradient_scalar_state_dict": {}})


SMALL = dict(image_size=224, patch_size=16, num_classes=1000, dim=384, depth=12, heads=6, mlp_dim=1536)


def vit_pytorch(kind, options, folder):
    sys.path.append(str(folder.parent / "einops"))
    with importing(folder) as load:
        module = load("vit_pytorch" if kind == "ViT" else "vit_pytorch.simple_vit")
        model = getattr(module, kind)(**{**SMALL, **options})
    return Made(model, model)


def vit_pytorch_cases():
    """A class token; the mean of all tokens; few wide heads; and SimpleViT, of each version that has them."""
    for version in VIT_PYTORCH:
        numbers = tuple(map(int, version.split(".")))
        mean = () if numbers >= (1, 16) else ("global_pool=mean_all",)
        for title, kind, options, vitrines in [
                ("ViT", "ViT", {}, ()), ("ViT mean", "ViT", {"pool": "mean"}, mean),
                ("ViT wide heads", "ViT", {"heads": 4, "dim_head": 128}, ("num_heads=4", "head_dim=128"))]:
            yield f"vit-pytorch {version} {title}", Case(
                "vit_small_patch16_224", 224, functools.partial(vit_pytorch, kind, options), vitrines,
                repository=f"vit-pytorch-{version}")
        if numbers >= (0, 30):
            yield f"vit-pytorch {version} SimpleViT", Case(
                "simple_vit_small_patch16_224", 224, functools.partial(vit_pytorch, "SimpleViT", {}),
                repository=f"vit-pytorch-{version}")


CASES = {
    "Microsoft Swin": Case("swin_tiny_patch4_window7_224", 224, functools.partial(swin, 1, {}),
                           repository="Swin-Transformer"),
    "Microsoft Swin V2": Case("swinv2_tiny_window8_256", 256, functools.partial(
        swin, 2, dict(img_size=256, window_size=8)), repository="Swin-Transformer"),
    "Microsoft Swin V2 finer": Case("swinv2_base_window12to16_192to256", 256, functools.partial(
        swin, 2, dict(img_size=256, window_size=16, embed_dim=128, depths=[2, 2, 18, 2], num_heads=[4, 8, 16, 32],
                      pretrained_window_sizes=[12, 12, 12, 6])), repository="Swin-Transformer"),
    "DINO": Case("vit_small_patch16_224.dino", 224, dino, repository="dino"),
    "DINOv2": Case("vit_small_patch14_dinov2", 518, functools.partial(dinov2, 0, 0), batch=1, options=OF_518,
                   repository="dinov2"),
    "DINOv2 registers in chunks": Case("vit_small_patch14_reg4_dinov2", 518, functools.partial(dinov2, 4, 4), batch=1,
                                       options=OF_518, repository="dinov2"),
    "DeiT": Case("deit_tiny_patch16_224", 224, functools.partial(deit, "models", "deit_tiny_patch16_224"),
                 repository="deit"),
    "DeiT distilled": Case("deit_tiny_distilled_patch16_224", 224, functools.partial(
        deit, "models", "deit_tiny_distilled_patch16_224"), repository="deit"),
    "DeiT III": Case("deit3_small_patch16_224", 224, functools.partial(deit, "models_v2", "deit_small_patch16_LS"),
                     repository="deit"),
    "ml-cvnets MobileViT": Case("mobilevit_s", 256, functools.partial(cvnets, "mobilevit.yaml", {}), bgr=True,
                                repository="ml-cvnets"),
    "ml-cvnets MobileViT V2": Case("mobilevitv2_100", 256, functools.partial(
        cvnets, "mobilevit_v2.yaml", {"model.classification.mitv2.width_multiplier": 1.0}), repository="ml-cvnets"),
    **dict(vit_pytorch_cases()),
}
