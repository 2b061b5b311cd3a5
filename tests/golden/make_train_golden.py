"""Writes train.json beside itself: learning rates of timm's scheduler, steps of torch.optim and of timm's
LAMB, and of torch.amp.GradScaler.

Made with torch 2.11.0 and timm 1.0.31.
"""

import json
import pathlib

import torch
from timm.optim.lamb import Lamb
from timm.scheduler.cosine_lr import CosineLRScheduler


def schedule(lr, min_lr, warmup_lr, warmup, total):
    parameter = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([parameter], lr=lr)
    scheduler = CosineLRScheduler(
        optimizer, t_initial=total, lr_min=min_lr, warmup_t=warmup, warmup_lr_init=warmup_lr,
        t_in_epochs=False)
    updates = sorted({0, 1, 2, warmup - 1, warmup, warmup + 1, total // 2, total - 1, total, total + 5} - {-1})
    rates = [optimizer.param_groups[0]["lr"]]
    for update in updates[1:]:
        scheduler.step_update(update)
        rates.append(optimizer.param_groups[0]["lr"])
    return dict(lr=lr, min_lr=min_lr, warmup_lr=warmup_lr, warmup_updates=warmup, total_updates=total,
                updates=updates, rates=rates)


def steps(make, options, bias=True):
    torch.manual_seed(0)
    linear = torch.nn.Linear(3, 2)
    case = dict(options=options, weight=linear.weight.tolist(), bias=linear.bias.tolist(), steps=[])
    optimizer = make(linear)
    for step in range(5):
        lr = 0.1 / (step + 1)
        for group in optimizer.param_groups:
            group["lr"] = lr
        gradients = [torch.randn_like(p) for p in (linear.weight, linear.bias)]
        linear.weight.grad = gradients[0].clone()
        linear.bias.grad = gradients[1].clone() if bias else None
        optimizer.step()
        case["steps"].append(dict(
            lr=lr, weight_grad=gradients[0].tolist(), bias_grad=gradients[1].tolist() if bias else None,
            weight=linear.weight.tolist(), bias=linear.bias.tolist()))
    return case


def groups(linear, decay):
    return [dict(params=[linear.weight], weight_decay=decay), dict(params=[linear.bias], weight_decay=0.0)]


def grad_scaler(init_scale, growth_interval, gradients):
    """What becomes of gradients that come scaled; as texts, since JSON has no infinity."""
    scaler = torch.amp.GradScaler("cpu", init_scale=init_scale, growth_interval=growth_interval)
    scaler.scale(torch.zeros(1))  # makes its tensors
    steps = []
    for pair in gradients:
        parameter = torch.nn.Parameter(torch.zeros(2))
        optimizer = torch.optim.SGD([parameter], lr=1.0)
        parameter.grad = torch.tensor([float(text) for text in pair])
        scaler.step(optimizer)
        skipped = not parameter.any().item()
        scaler.update()
        steps.append(dict(
            gradients=pair, skipped=skipped, unscaled=[0.0, 0.0] if skipped else parameter.grad.tolist(),
            scale=scaler.get_scale(), growth_tracker=scaler._get_growth_tracker()))
    return dict(init_scale=init_scale, growth_interval=growth_interval, steps=steps)


golden = dict(
    schedules=[
        schedule(1e-3, 1e-5, 1e-6, 100, 2000),
        schedule(5e-4, 0.0, 0.0, 0, 37),
        schedule(0.1, 1e-2, 0.0, 7, 50),
    ],
    adamw=steps(lambda m: torch.optim.AdamW(groups(m, 0.05), betas=(0.9, 0.999), eps=1e-8),
                dict(opt="adamw", weight_decay=0.05, momentum=0.9, nesterov=True)),
    sgd=steps(lambda m: torch.optim.SGD(groups(m, 0.01), lr=0.1, momentum=0.9, nesterov=True),
              dict(opt="sgd", weight_decay=0.01, momentum=0.9, nesterov=True)),
    sgd_plain=steps(lambda m: torch.optim.SGD(groups(m, 0.01), lr=0.1),
                    dict(opt="sgd", weight_decay=0.01, momentum=0.0, nesterov=False)),
    adam=steps(lambda m: torch.optim.Adam(groups(m, 0.05), betas=(0.9, 0.999), eps=1e-8),
               dict(opt="adam", weight_decay=0.05, momentum=0.9, nesterov=True)),
    lamb=steps(lambda m: Lamb(groups(m, 0.05)), dict(opt="lamb", weight_decay=0.05, momentum=0.9, nesterov=True)),
    lamb_free=steps(lambda m: Lamb(groups(m, 0.05), max_grad_norm=None),
                    dict(opt="lamb", weight_decay=0.05, momentum=0.9, nesterov=True, max_grad_norm=0)),
    # The bias has no gradient, and counts neither for LAMB's norm nor for anything else.
    adam_without_bias=steps(lambda m: torch.optim.Adam(groups(m, 0.05)),
                            dict(opt="adam", weight_decay=0.05, momentum=0.9, nesterov=True), bias=False),
    lamb_without_bias=steps(lambda m: Lamb(groups(m, 0.05)),
                            dict(opt="lamb", weight_decay=0.05, momentum=0.9, nesterov=True), bias=False),
    grad_scaler=grad_scaler(24.0, 2, [
        ("1", "2"), ("inf", "1"), ("3", "4"), ("5", "6"), ("nan", "0"), ("1", "-inf"), ("1", "1"), ("0.3", "2"),
        ("3e38", "1"), ("0.1", "1e-30"), ("7", "7")]),
)
pathlib.Path(__file__).with_name("train.json").write_text(json.dumps(golden, indent=1) + "\n")
