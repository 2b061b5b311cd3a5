"""Writes tests/golden/reference.safetensors with the reference library: one tensor of each dtype.

Run from the root with safetensors 0.8.0 and torch 2.11: python tests/golden/make_safetensors_golden.py
"""

import torch
from safetensors.torch import save_file

tensors = {
    "f32": torch.tensor([[0.5, -1.25, 3.0], [1e-30, float("inf"), -0.0]]),
    "f16": torch.tensor([0.5, -2.0, 65504.0], dtype=torch.float16),
    "bf16": torch.tensor([1.0, -3.0, 2.0**100], dtype=torch.bfloat16),
    "f64": torch.tensor([0.1, 1e300], dtype=torch.float64),
    "i64": torch.tensor([-(2**63), 2**63 - 1]),
    "i32": torch.tensor([-(2**31), 7], dtype=torch.int32),
    "i16": torch.tensor([-32768, 7], dtype=torch.int16),
    "i8": torch.tensor([-128, 7], dtype=torch.int8),
    "u8": torch.tensor([255, 0, 7], dtype=torch.uint8),
    "bool": torch.tensor([True, False, True]),
    "scalar": torch.tensor(42.0),
    "empty": torch.zeros(3, 0, 2),
    'odd "name"\n\u00e9\u4e16': torch.tensor([1, 2], dtype=torch.uint8),
}
save_file(tensors, "tests/golden/reference.safetensors", metadata={"format": "pt", "note": "\u00e9\n"})
