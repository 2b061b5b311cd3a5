"""Records what position embeddings, tables of biases and whole models become at other sizes than they were made
for, for tests/layers and tests/models/sizes_test.cpp.

    python make_sizes_golden.py        # writes sizes.safetensors beside it

Needs torch 2.11.0, timm 1.0.31 and safetensors."""
import pathlib
import sys

import timm
import torch
from safetensors.torch import save_file
from timm.layers import resample_abs_pos_embed, resize_rel_pos_bias_table

from reference_fill import reference_fill, reference_tensor

assert torch.__version__.startswith("2.11.0") and timm.__version__ == "1.0.31"


def resized_table(old, new):
    rows = [(2 * window[0] - 1) * (2 * window[1] - 1) for window in (old, new)]
    return resize_rel_pos_bias_table(
        reference_tensor("table", (rows[0], 2)), new_window_size=new, new_bias_shape=(rows[1], 2), old_window_size=old)


def dino_positions(embedding, side, new):
    """DINO's rule and DINOv2's without registers: the factors, not the sizes, place the samples."""
    grid = embedding[:, 1:].reshape(1, side, side, -1).permute(0, 3, 1, 2)
    grid = torch.nn.functional.interpolate(
        grid, scale_factor=tuple((count + 0.1) / side for count in new), mode="bicubic")
    return torch.cat([embedding[:, :1], grid.permute(0, 2, 3, 1).flatten(1, 2)], dim=1)


@torch.no_grad()
def resized_logits(name, arguments, changed, rows, columns, filtered=None):
    model = reference_fill(timm.create_model(name, **arguments))
    other = timm.create_model(name, **{**arguments, **changed}).eval()
    family = sys.modules[type(model).__module__]
    other.load_state_dict((filtered or family.checkpoint_filter_fn)(model.state_dict(), other), strict=True)
    return other(reference_tensor(f"image {rows}x{columns}", (2, 3, rows, columns)))


VIT = ("test_vit", dict(img_size=160, num_classes=20))
DINO = ("vit_small_patch14_dinov2", dict(img_size=112, depth=2, embed_dim=48, num_heads=3))
SWIN = ("swin_tiny_patch4_window7_224",
        dict(img_size=112, window_size=7, embed_dim=24, depths=(2, 2), num_heads=(2, 4), num_classes=20))
SWIN_V2 = ("swinv2_tiny_window8_256", dict(img_size=64, window_size=8, embed_dim=24, depths=(2, 2), num_heads=(2, 4),
                                           pretrained_window_sizes=(0, 0), num_classes=20))


def with_dino_positions(side, new):
    def filtered(tensors, _):
        return {**tensors, "pos_embed": dino_positions(tensors["pos_embed"], side, new)}
    return filtered


outputs = {f"table.{old[0]}x{old[1]}_{new[0]}x{new[1]}": resized_table(old, new) for old, new in [
    ((7, 7), (8, 8)), ((7, 7), (12, 12)), ((12, 12), (7, 7)), ((2, 7), (5, 3)), ((1, 4), (3, 4)), ((3, 2), (1, 9))]}
embedding = reference_tensor("positions", (1, 1 + 5 * 5, 3))
for new in [(3, 3), (8, 8), (4, 9)]:
    outputs[f"positions.timm_{new[0]}x{new[1]}"] = resample_abs_pos_embed(embedding, new, (5, 5))
    outputs[f"positions.dino_{new[0]}x{new[1]}"] = dino_positions(embedding, 5, new)
outputs.update({
    "vit.64x128": resized_logits(*VIT, dict(img_size=(64, 128)), 64, 128),
    # As many patches as before, but in other places.
    "vit.80x320": resized_logits(*VIT, dict(img_size=(80, 320)), 80, 320),
    "dinov2.56x140": resized_logits(*DINO, dict(img_size=(56, 140)), 56, 140),
    "dinov2.dino_56x140": resized_logits(
        *DINO, dict(img_size=(56, 140)), 56, 140, with_dino_positions(8, (4, 10))),
    "swin.window8": resized_logits(*SWIN, dict(img_size=128, window_size=8), 128, 128),
    "swin.window12": resized_logits(*SWIN, dict(img_size=192, window_size=12), 192, 192),
    "swin.image128": resized_logits(*SWIN, dict(img_size=128), 128, 128),
    # The second stage's map is smaller than the window.
    "swin.image40x96": resized_logits(*SWIN, dict(img_size=(40, 96)), 40, 96),
    "swinv2.image96": resized_logits(*SWIN_V2, dict(img_size=96), 96, 96),
    "swinv2.window12": resized_logits(*SWIN_V2, dict(img_size=96, window_size=12), 96, 96),
    "swinv2.pretrained8": resized_logits(
        *SWIN_V2, dict(img_size=96, window_size=12, pretrained_window_sizes=(8, 8)), 96, 96),
})
for name, tensor in outputs.items():
    print(name, tuple(tensor.shape), float(tensor.std()))
save_file({name: tensor.contiguous() for name, tensor in outputs.items()},
          pathlib.Path(__file__).parent / "sizes.safetensors")
