"""Records the losses of trainings by timm and PyTorch for tests/train/training_parity_test.cpp.

    python make_training_golden.py        # writes training.json beside it

Each model starts from reference_fill and sees the digits of tests/data/digits in a fixed order, with no
augmentation and nothing dropped. Needs torch 2.11.0 and timm 1.0.31; takes some minutes."""
import json
import pathlib

import timm
import torch
from PIL import Image
from timm.data import create_transform
from timm.loss import LabelSmoothingCrossEntropy
from timm.models.byobnet import ByobNet, ByoModelCfg
from timm.models.mobilevit import _inverted_residual_block, _mobilevit_block, _mobilevitv2_block
from timm.optim import create_optimizer_v2
from timm.scheduler.cosine_lr import CosineLRScheduler
from timm.utils import dispatch_clip_grad

from reference_fill import reference_fill

assert torch.__version__.startswith("2.11.0") and timm.__version__ == "1.0.31"

STEPS = {torch.float64: 200, torch.float32: 25}
STRIDE = 457  # from one image to the next, of 1200 in the order of their paths: spreads the classes
RECIPE = dict(batch_size=16, lr=1e-3, min_lr=1e-5, warmup_lr=1e-6, warmup_updates=20, total_updates=200,
              weight_decay=0.05, smoothing=0.1, clip_grad=1.0)


def mobilevit():
    blocks = (_inverted_residual_block(d=1, c=8, s=1, br=2.0),
              _inverted_residual_block(d=2, c=16, s=2, br=2.0),
              _mobilevit_block(d=1, c=16, s=2, transformer_dim=16, transformer_depth=2, patch_size=2, br=2.0),
              _mobilevit_block(d=1, c=24, s=2, transformer_dim=24, transformer_depth=1, patch_size=2, br=2.0))
    return ByobNet(ByoModelCfg(blocks=blocks, stem_chs=8, stem_type="3x3", stem_pool="", downsample="",
                               act_layer="silu", num_features=48), num_classes=10)


def mobilevit_v2():
    blocks = (_inverted_residual_block(d=1, c=8, s=1, br=2.0),
              _inverted_residual_block(d=2, c=16, s=2, br=2.0),
              _mobilevitv2_block(d=1, c=16, s=2, transformer_depth=2),
              _mobilevitv2_block(d=1, c=32, s=2, transformer_depth=1))
    return ByobNet(ByoModelCfg(blocks=blocks, stem_chs=8, stem_type="3x3", stem_pool="", downsample="",
                               act_layer="silu"), num_classes=10)


SWIN = dict(img_size=16, patch_size=2, embed_dim=16, depths=(2, 2), num_heads=(2, 4), window_size=4,
            num_classes=10, drop_path_rate=0.0)
# name in the file: (side of the images, what makes the model)
MODELS = {
    "vit": (16, lambda: timm.create_model("vit_tiny_patch16_224", img_size=16, patch_size=4, embed_dim=32, depth=3,
                                          num_heads=4, num_classes=10)),
    "swin": (16, lambda: timm.create_model("swin_tiny_patch4_window7_224", **SWIN)),
    "swin_v2": (16, lambda: timm.create_model("swinv2_tiny_window8_256", **SWIN)),
    "mobilevit": (32, mobilevit),
    "mobilevit_v2": (32, mobilevit_v2),
}


def digits(side):
    """[N, 3, side, side] in [-1, 1], and the classes, in the order of the paths."""
    folder = pathlib.Path(__file__).parents[1] / "data" / "digits" / "train"
    transform = create_transform(side, is_training=True, no_aug=True, interpolation="bicubic",
                                 mean=(0.5,) * 3, std=(0.5,) * 3)
    paths = sorted(folder.glob("*/*.png"))
    assert len(paths) == 1200
    images = [transform(Image.open(path).convert("RGB")) for path in paths]
    return torch.stack(images), torch.tensor([int(path.parent.name) for path in paths])


def losses(make, images, classes, dtype):
    model = reference_fill(make()).to(dtype).train()
    optimizer = create_optimizer_v2(model, opt="adamw", lr=RECIPE["lr"], weight_decay=RECIPE["weight_decay"])
    scheduler = CosineLRScheduler(optimizer, t_initial=RECIPE["total_updates"], lr_min=RECIPE["min_lr"],
                                  warmup_t=RECIPE["warmup_updates"], warmup_lr_init=RECIPE["warmup_lr"],
                                  t_in_epochs=False)
    criterion = LabelSmoothingCrossEntropy(RECIPE["smoothing"])
    result = []
    for step in range(STEPS[dtype]):
        first = step * RECIPE["batch_size"]
        places = (torch.arange(first, first + RECIPE["batch_size"]) * STRIDE) % len(images)
        loss = criterion(model(images[places].to(dtype)), classes[places])
        optimizer.zero_grad()
        loss.backward()
        dispatch_clip_grad(model.parameters(), RECIPE["clip_grad"])
        optimizer.step()
        scheduler.step_update(step + 1)
        result.append(loss.item())
    return result


torch.set_num_threads(1)
golden = dict(stride=STRIDE, recipe=RECIPE, losses={})
for name, (side, make) in MODELS.items():
    data = digits(side)
    golden["losses"][name] = {
        str(dtype).removeprefix("torch."): [float(f"{loss:.10g}") for loss in losses(make, *data, dtype)]
        for dtype in STEPS}
    recorded = golden["losses"][name]["float64"]
    print(name, recorded[0], recorded[-1])
pathlib.Path(__file__).with_name("training.json").write_text(
    json.dumps(golden, separators=(",", ":")).replace("},", "},\n").replace("],", "],\n") + "\n")
