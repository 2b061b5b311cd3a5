"""Writes events.tfevents beside itself: what TensorBoard's own writer makes of a few scalars.

Given files, it instead reads each as TensorBoard does, checksums included, and prints what it holds.
Made with tensorboard 2.21.0 and protobuf 7.36.2.
"""

import pathlib
import sys

from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.record_writer import RecordWriter
from tensorboard.util import tensor_util

# The same events as in tests/train/event_file_test.cpp.
EVENTS = [
    (1700000001.5, 0, {"train/loss": 2.302585, "lr": 0.0}),
    (1700000003.25, 300, {"train/loss": 0.1, "val/top1": 1.0, "images_per_second": 1e9}),
    (1700000004.0, 1 << 40, {"val/loss": float("inf"), "val/top1": -1e-45}),
]


def read(path):
    for event in EventFileLoader(path).Load():
        if event.WhichOneof("what") == "file_version":
            print(f"{event.wall_time:.3f} {event.file_version}")
            continue
        values = {value.tag: float(tensor_util.make_ndarray(value.tensor)) for value in event.summary.value}
        print(f"{event.wall_time:.3f} step {event.step}: {values}")


def write(path):
    with open(path, "wb") as file:
        writer = RecordWriter(file)
        writer.write(Event(wall_time=1700000000.125, file_version="brain.Event:2").SerializeToString())
        for wall_time, step, scalars in EVENTS:
            values = [Summary.Value(tag=tag, simple_value=value) for tag, value in scalars.items()]
            event = Event(wall_time=wall_time, step=step, summary=Summary(value=values))
            writer.write(event.SerializeToString())


if sys.argv[1:]:
    for name in sys.argv[1:]:
        read(name)
else:
    write(str(pathlib.Path(__file__).with_name("events.tfevents")))
