"""Weights and images that Python and C++ compute alike (tests/support/reference_fill.h), so that golden
outputs of models of any size need no weights in the repository."""
import math

import numpy as np
import torch


def name_hash(name):
    h = 2166136261
    for byte in name.encode():
        h = ((h ^ byte) * 16777619) & 0xFFFFFFFF
    return h


def reference_tensor(name, shape, offset=-1.0, scale=2.0):
    count = math.prod(shape)
    h = np.uint32(name_hash(name)) ^ (np.arange(count, dtype=np.uint32) * np.uint32(0x9E3779B1))
    h = (h ^ (h >> np.uint32(16))) * np.uint32(0x85EBCA6B)
    h = (h ^ (h >> np.uint32(13))) * np.uint32(0xC2B2AE35)
    h ^= h >> np.uint32(16)
    values = offset + scale * (h.astype(np.float64) / 4294967296.0)
    return torch.from_numpy(values.astype(np.float32)).reshape(shape)


@torch.no_grad()
def reference_fill(model):
    for key, tensor in model.state_dict().items():
        if key.endswith("num_batches_tracked"):
            continue
        matrix = tensor.dim() >= 2 and key.endswith(".weight")
        around_one = key.endswith("running_var") or (tensor.dim() == 1 and key.endswith(".weight"))
        bound = math.sqrt(3.0 * tensor.shape[0] / tensor.numel()) if matrix else 0.5
        tensor.copy_(reference_tensor(key, tuple(tensor.shape), (1 if around_one else 0) - bound, 2 * bound))
    return model.eval()
