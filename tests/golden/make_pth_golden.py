"""Writes tests/golden/pth/: small files of torch.save, and golden.json with what they hold.

Run with torch 2.11 and numpy 2 from the root: python tests/golden/make_pth_golden.py

golden.json: for each file the key of its state dict and its tensors in order, as
[name, dtype, shape, bytes in hexadecimal], the bytes being those of a contiguous, little-endian copy.
"""
import argparse
import datetime
import io
import json
import pathlib
import sys
import types
import warnings
from collections import OrderedDict

import numpy
import torch
from torch import nn
from torch.serialization import set_crc32_options

assert torch.__version__.startswith("2.11.")

folder = pathlib.Path(__file__).parent / "pth"
folder.mkdir(exist_ok=True)
warnings.filterwarnings("ignore")
torch.manual_seed(0)
golden = {}

DTYPES = {
    torch.float64: "F64", torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16",
    torch.int64: "I64", torch.int32: "I32", torch.int16: "I16", torch.int8: "I8",
    torch.uint64: "U64", torch.uint32: "U32", torch.uint16: "U16", torch.uint8: "U8",
    torch.bool: "BOOL", torch.complex64: "C64", torch.float8_e5m2: "F8_E5M2",
    torch.float8_e4m3fn: "F8_E4M3", torch.float8_e8m0fnu: "F8_E8M0",
    torch.float8_e4m3fnuz: "F8_E4M3FNUZ", torch.float8_e5m2fnuz: "F8_E5M2FNUZ",
}


def describe(name, tensor):
    tensor = tensor.detach().contiguous()
    data = tensor.reshape(-1).view(torch.uint8).numpy().tobytes() if tensor.numel() else b""
    return [name, DTYPES[tensor.dtype], list(tensor.shape), data.hex()]


def save(name, value, tensors, path="", **options):
    torch.save(value, folder / name, **options)
    golden[name] = {"path": path, "tensors": [describe(key, t) for key, t in tensors.items()]}


class CfgNode(dict):  # as in yacs, whose configurations Swin's checkpoints hold
    def __init__(self, values, immutable=True):
        super().__init__(values)
        self.__dict__["__immutable__"] = immutable
        self.__dict__["__deprecated_keys__"] = set()


def define_yacs():
    CfgNode.__module__ = "yacs.config"
    module = types.ModuleType("yacs.config")
    module.CfgNode = CfgNode
    sys.modules["yacs"] = types.ModuleType("yacs")
    sys.modules["yacs.config"] = module


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm1d(3)
        self.gate = nn.Parameter(torch.randn(2))
        self.register_parameter("bias", None)
        self.register_buffer("table", torch.arange(4))
        self.register_buffer("derived", torch.zeros(9), persistent=False)


def plain_module():
    return nn.Sequential(OrderedDict(stem=nn.Linear(3, 2), block=Block(), head=nn.Linear(2, 2, bias=False)))


def no_source(module):
    raise OSError("the source of torch's modules has no place in a test")


torch.serialization.get_source_lines_and_file = no_source
model = plain_module()
state = model.state_dict()
save("state_dict.pth", state, state)
save("dict.pth", dict(state), state)
parameters = dict(model.named_parameters())
save("parameters.pth", parameters, parameters)
save("parameter_list.pth", list(model.named_parameters()), parameters)
save("module.pth", model, state)
save("module_legacy.pth", model, state, _use_new_zipfile_serialization=False)
for protocol in (3, 4, 5):
    save(f"protocol{protocol}.pth", state, state, pickle_protocol=protocol)
save("legacy.pth", state, state, _use_new_zipfile_serialization=False)
save("legacy_protocol4.pth", state, state, _use_new_zipfile_serialization=False, pickle_protocol=4)

set_crc32_options(False)
save("no_crc.pth", state, state)
set_crc32_options(True)

# A training script's checkpoint, with much that is no tensor.
define_yacs()
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
sum(p.sum() for p in model.parameters()).backward()
optimizer.step()
ema = OrderedDict((key, tensor * 2) for key, tensor in state.items())
training = {
    "epoch": 7,
    "args": argparse.Namespace(model="swin", lr=1e-3, path=pathlib.PurePosixPath("/data"), sizes=(224, 224)),
    "config": CfgNode({"MODEL": CfgNode({"NAME": "swin"}), "AMP": True}),
    "best": numpy.float64(0.8125),
    "history": numpy.arange(3),
    "when": datetime.datetime(2024, 2, 29, 12, 30),
    "optimizer": optimizer.state_dict(),
    "large": 2**70,
    "state_dict": model.state_dict(),
}
save("training.pth", training, training["state_dict"], "state_dict")
save("training_ema.pth", {**training, "state_dict_ema": ema}, ema, "state_dict_ema")
save("training_protocol5.pth", training, training["state_dict"], "state_dict", pickle_protocol=5)
save("training_legacy.pth", training, training["state_dict"], "state_dict", _use_new_zipfile_serialization=False)
nested = {"model": {"state_dict": state}, "student": {}}
save("nested.pth", nested, state, "model.state_dict")

# Views.
base = torch.arange(24.0).view(4, 6)
tied = torch.randn(3, 2)
views = OrderedDict([
    ("tied.a", tied), ("tied.b", tied), ("transposed", base.t()), ("rows", base[1:3]),
    ("columns", base[:, 1:3]), ("steps", base[::2, ::3]), ("expanded", base[:2, :1].expand(2, 5)),
    ("scalar.expanded", torch.tensor(2.5).expand(3, 4)), ("one", base[2, 3]),
    ("permuted", torch.arange(24, dtype=torch.int16).view(2, 3, 4).permute(2, 0, 1)),
    ("diagonal", torch.arange(16).view(4, 4).diagonal()), ("windows", torch.arange(8).unfold(0, 4, 2)),
])
for name, kind in (("views.pth", True), ("views_legacy.pth", False)):
    save(name, views, views, _use_new_zipfile_serialization=kind)

# Every dtype, by its own values; empty tensors and scalars.
dtypes = OrderedDict()
for dtype in DTYPES:
    values = torch.tensor([0, 1, 1, 0, 1, 1], dtype=torch.uint8) if dtype == torch.bool else None
    if values is None:
        count = 6 * torch.empty(0, dtype=dtype).element_size()
        values = torch.arange(1, count + 1, dtype=torch.uint8)
    dtypes[str(dtype).split(".")[1]] = values.view(dtype).view(2, 3)
dtypes["empty"] = torch.zeros(3, 0, 70000)
dtypes["scalar"] = torch.tensor(42, dtype=torch.int32)
dtypes["one.by.one"] = torch.tensor([[[1.5]]])
dtypes["odd \u00e9\u4e16 'name'\n"] = torch.ones(1)
save("dtypes.pth", dtypes, dtypes)
save("dtypes_legacy.pth", dtypes, dtypes, _use_new_zipfile_serialization=False)

# What is beside the weights and not read: by name only.
unread = OrderedDict([
    ("weight", torch.ones(2)),
    ("quantised", torch.quantize_per_tensor(torch.ones(2), 0.1, 0, torch.qint8)),
    ("sparse", torch.eye(2).to_sparse()),
    ("wide", torch.ones(2, dtype=torch.complex128)),
    ("negated", torch._neg_view(torch.ones(2))),
    ("meta", torch.ones(2, device="meta")),
    ("count", 3),
    (0, torch.ones(1)),
])
save("unread.pth", unread, {"weight": unread["weight"]})

# More values than one byte numbers.
many = OrderedDict((f"blocks.{i}.weight", torch.full((1,), float(i))) for i in range(100))
torch.save(many, folder / "many.pth", _use_new_zipfile_serialization=False)
golden["many.pth"] = {"path": "", "tensors": [describe(key, t) for key, t in many.items()]}

# As a big-endian machine would write it: the numbers turned around, and the word for it.
big = OrderedDict((key, tensor.clone()) for key, tensor in dtypes.items() if not key.startswith("odd"))
archive = folder / "big_endian.pth"
golden[archive.name] = {"path": "", "tensors": [describe(key, t) for key, t in big.items()]}
writer = torch._C.PyTorchFileWriter(str(archive))
storages = []


class BigEndianPickler(torch.serialization.pickle.Pickler):
    def persistent_id(self, value):
        if not isinstance(value, (torch.UntypedStorage, torch.storage.TypedStorage)):
            return None
        typed = isinstance(value, torch.storage.TypedStorage)
        untyped = value._untyped_storage if typed else value
        kind = getattr(torch, value._pickle_storage_type()) if typed else torch.UntypedStorage
        storages.append(untyped)
        return ("storage", kind, str(len(storages) - 1), "cpu", value._size() if typed else value.nbytes())


stream = io.BytesIO()
BigEndianPickler(stream, protocol=2).dump(big)
writer.write_record("data.pkl", stream.getvalue(), len(stream.getvalue()))
writer.write_record("byteorder", b"big", 3)
for i, (storage, tensor) in enumerate(zip(storages, big.values())):
    data = numpy.frombuffer(bytes(storage), dtype=numpy.uint8)
    width = 4 if tensor.dtype == torch.complex64 else tensor.element_size()
    data = data.reshape(-1, width)[:, ::-1].tobytes() if data.size else b""
    writer.write_record(f"data/{i}", data, len(data))
writer.write_end_of_file()

lines = []
for name, entry in golden.items():
    tensors = ",\n".join(json.dumps(tensor) for tensor in entry["tensors"])
    lines.append(f'{json.dumps(name)}: {{"path": {json.dumps(entry["path"])}, "tensors": [\n{tensors}]}}')
(folder / "golden.json").write_text("{\n" + ",\n".join(lines) + "}\n")
sizes = sum(path.stat().st_size for path in folder.iterdir())
print(f"{len(golden)} files, {sizes} bytes in all")
