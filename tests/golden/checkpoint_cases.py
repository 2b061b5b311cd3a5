"""Models of the installed libraries whose checkpoints compare_checkpoints.py opens: timm, torchvision, transformers."""
import dataclasses
import typing

import timm
import torch
import torchvision
import transformers

transformers.utils.logging.disable_progress_bar()


@dataclasses.dataclass
class Made:
    """A model of a library."""
    model: torch.nn.Module
    answer: typing.Callable  # logits or, of a model without a head, features of images
    # The library's training checkpoint beside what all have (compare_checkpoints.py); by the state dict
    training: typing.Callable = lambda state: {"model": state}
    save: typing.Callable = None  # into a folder, as the library does it; returns the safetensors file


@dataclasses.dataclass
class Case:
    """How vitrine opens what a library saves."""
    name: str  # vitrine's
    side: int  # of the images
    make: typing.Callable  # returns Made
    options: tuple = ()  # of vitrine's model, as vitrine_parity takes them
    bgr: bool = False  # the checkpoint is for images in BGR; vitrine turns it to RGB
    batch: int = 2
    repository: str = ""  # folder that holds the library, where it is not installed


def of_timm(name):
    model = timm.create_model(name)
    return Made(model, model, lambda state: {
        "arch": name, "state_dict": {key: torch.zeros_like(value) for key, value in state.items()},
        "state_dict_ema": state, "version": 2})


def of_torchvision(name):
    model = getattr(torchvision.models, name)()
    return Made(model, model)


def of_transformers(kind, head="ForImageClassification", **options):
    config = getattr(transformers, kind + "Config")(num_labels=1000, **options)
    model = getattr(transformers, kind + head)(config)

    def answer(images):
        out = model(images)
        return out.last_hidden_state[:, 0] if head == "Model" else out.logits

    def save(folder):
        model.save_pretrained(folder)
        return folder / "model.safetensors"
    return Made(model, answer, save=save)


def timm_case(name, side, **more):
    return Case(name, side, lambda: of_timm(name), **more)


TINY = dict(hidden_size=192, num_attention_heads=3, intermediate_size=768)
SMALL_DINOV2 = dict(hidden_size=384, num_attention_heads=6, image_size=518, patch_size=14)
OF_518 = ("518x518",)  # which vitrine, as the processor of transformers, would cut to 224

CASES = {
    "timm ViT": timm_case("vit_tiny_patch16_224", 224),
    "timm DeiT": timm_case("deit_tiny_patch16_224", 224),
    "timm DeiT distilled": timm_case("deit_tiny_distilled_patch16_224", 224),
    "timm DeiT III": timm_case("deit3_small_patch16_224", 224),
    "timm DINO": timm_case("vit_small_patch16_224.dino", 224),
    "timm DINOv2": timm_case("vit_small_patch14_dinov2", 518, batch=1),
    "timm DINOv2 registers": timm_case("vit_small_patch14_reg4_dinov2", 518, batch=1),
    "timm Swin": timm_case("swin_tiny_patch4_window7_224", 224),
    "timm Swin S3": timm_case("swin_s3_tiny_224", 224),
    "timm Swin V2": timm_case("swinv2_tiny_window8_256", 256),
    "timm MobileViT": timm_case("mobilevit_s", 256),
    "timm MobileViT V2": timm_case("mobilevitv2_100", 256),
    "torchvision vit_b_16": Case("vit_base_patch16_224", 224, lambda: of_torchvision("vit_b_16")),
    "torchvision vit_l_32": Case("vit_large_patch32_224", 224, lambda: of_torchvision("vit_l_32")),
    "torchvision swin_t": Case("swin_tiny_patch4_window7_224", 224, lambda: of_torchvision("swin_t")),
    "torchvision swin_v2_t": Case("swinv2_tiny_window8_256", 256, lambda: of_torchvision("swin_v2_t")),
    "transformers ViT": Case("vit_tiny_patch16_224", 224, lambda: of_transformers("ViT", **TINY)),
    "transformers ViT of DINO": Case(
        "vit_small_patch16_224.dino", 224,
        lambda: of_transformers("ViT", "Model", hidden_size=384, num_attention_heads=6, intermediate_size=1536)),
    "transformers DeiT": Case("deit_tiny_patch16_224", 224, lambda: of_transformers("DeiT", **TINY)),
    "transformers DeiT distilled": Case(
        "deit_tiny_distilled_patch16_224", 224,
        lambda: of_transformers("DeiT", "ForImageClassificationWithTeacher", **TINY)),
    "transformers Dinov2": Case("vit_small_patch14_dinov2", 518,
                                lambda: of_transformers("Dinov2", "Model", **SMALL_DINOV2), batch=1, options=OF_518),
    "transformers Dinov2WithRegisters": Case(
        "vit_small_patch14_reg4_dinov2", 518,
        lambda: of_transformers("Dinov2WithRegisters", "Model", **SMALL_DINOV2), batch=1, options=OF_518),
    "transformers Dinov2 classifier": Case(
        "vit_small_patch14_dinov2", 518, lambda: of_transformers("Dinov2", **SMALL_DINOV2), batch=1,
        options=OF_518),
    "transformers Dinov2WithRegisters classifier": Case(
        "vit_small_patch14_reg4_dinov2", 518, lambda: of_transformers("Dinov2WithRegisters", **SMALL_DINOV2),
        batch=1, options=OF_518),
    "transformers Swin": Case("swin_tiny_patch4_window7_224", 224, lambda: of_transformers("Swin")),
    "transformers Swinv2": Case("swinv2_tiny_window8_256", 256, lambda: of_transformers(
        "Swinv2", image_size=256, window_size=8)),
    "transformers MobileViT": Case("mobilevit_s", 256, lambda: of_transformers("MobileViT"), bgr=True),
    "transformers MobileViTV2": Case("mobilevitv2_100", 256, lambda: of_transformers("MobileViTV2")),
}
