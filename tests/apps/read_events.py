"""Prints the scalars of a folder's event files as TensorBoard reads them: {tag: [[step, wall time, value], ...]}.

    python3 read_events.py FOLDER

Leaves with 77 where there is no TensorBoard."""
import json
import sys

try:
    import tensorboard  # noqa: F401
except ModuleNotFoundError:
    sys.exit(77)

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

events = EventAccumulator(sys.argv[1], size_guidance={"scalars": 0}).Reload()
print(
    json.dumps(
        {
            tag: [[event.step, event.wall_time, event.value] for event in events.Scalars(tag)]
            for tag in events.Tags()["scalars"]
        }
    )
)
