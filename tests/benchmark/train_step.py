"""Times a training step, in turn: `vitrine benchmark --mode train`, and timm's model with torch's fused AdamW.

    python train_step.py PROGRAM [ROUNDS] [THREADS]     # PROGRAM: build/release/bin/vitrine

Both take a batch of random images through forward, cross entropy with smoothing, backward and the update, look at the loss,
and let 1 step pass before the 3 of a round that count; vitrine also measures the norm of the gradients, as its training does.
Each is a process of its own, and only one runs at a time. Prints the medians of the rounds' medians, the median of the ratios
within a round, vitrine / timm, with the smallest and largest, and the peaks of resident memory."""
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

CASES = [("vit_tiny_patch16_224", 16), ("swin_tiny_patch4_window7_224", 4), ("mobilevit_xs", 8)]
WARMUP, STEPS = 1, 3
PARTS = ("step", "forward", "backward", "optimizer")


def peak_megabytes():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) * 1024 / 1e6 for line in status if line.startswith("VmHWM:"))


def serve_timm(name, batch, threads):
    """For each line read, runs a round and prints its medians in milliseconds and the peak of memory."""
    import timm
    import torch
    from timm.loss import LabelSmoothingCrossEntropy
    from timm.optim import param_groups_weight_decay

    torch.set_num_threads(threads)
    torch.manual_seed(0)
    model = timm.create_model(name).train()
    optimizer = torch.optim.AdamW(param_groups_weight_decay(model, 0.05), lr=1e-5, fused=True)
    loss_of = LabelSmoothingCrossEntropy(0.1)
    images = torch.randn(batch, *model.default_cfg["input_size"])
    targets = torch.randint(model.num_classes, (batch,))
    print("ready", flush=True)
    for _ in sys.stdin:
        rows = []
        for _ in range(WARMUP + STEPS):
            times = [time.perf_counter()]
            loss = loss_of(model(images), targets)
            times.append(time.perf_counter())
            loss.backward()
            times.append(time.perf_counter())
            loss.item()
            optimizer.step()
            optimizer.zero_grad()
            times.append(time.perf_counter())
            rows.append([times[3] - times[0]] + [b - a for a, b in zip(times, times[1:])])
        medians = [1e3 * statistics.median(column) for column in zip(*rows[WARMUP:])]
        print(json.dumps(dict(zip(PARTS, medians), peak=peak_megabytes())), flush=True)


def run_vitrine(program, name, batch, threads):
    words = ["benchmark", name, "--mode", "train", "--device", "cpu", "--json"]
    words += ["--batch-size", batch, "--threads", threads, "--warmup", WARMUP, "--iterations", STEPS]
    found = json.loads(subprocess.run([program, *map(str, words)], check=True, capture_output=True).stdout)
    parts = {part: found[f"{part}_ms"] for part in PARTS[1:]}
    return {"step": found["step_ms"]["median"], **parts, "peak": found["peak_memory_mb"]}


def main():
    program = str(pathlib.Path(sys.argv[1]).resolve())
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    threads = int(sys.argv[3]) if len(sys.argv) > 3 else os.cpu_count()
    print(f"{rounds} rounds of {STEPS} steps, threads: {threads}, load at the start: {os.getloadavg()[0]:.1f}")
    for name, batch in CASES:
        command = [sys.executable, __file__, "--timm", name, str(batch), str(threads)]
        child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        child.stdout.readline()  # importing takes a core, too
        own, theirs = [], []
        for _ in range(rounds):
            own.append(run_vitrine(program, name, batch, threads))
            print(file=child.stdin, flush=True)
            theirs.append(json.loads(child.stdout.readline()))
        child.stdin.close()
        child.wait()
        for part in PARTS:
            ratios = [a[part] / b[part] for a, b in zip(own, theirs)]
            a, b = (statistics.median(found[part] for found in side) for side in (own, theirs))
            print(
                f"{name} batch {batch} {part:9}  vitrine {a:7.1f} ms  timm {b:7.1f} ms"
                f"  ratio {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
            )
        a, b = (max(found["peak"] for found in side) for side in (own, theirs))
        print(f"{name} batch {batch} peak       vitrine {a:7.0f} MB  timm {b:7.0f} MB  ratio {a / b:.2f}", flush=True)
    print(f"load at the end: {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    if sys.argv[1] == "--timm":
        serve_timm(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
    else:
        main()
