"""Writes recipe.json beside itself: what timm's schedules, clipping, averaging of weights, losses and Mixup give.

Made with torch 2.11.0 and timm 1.0.31.
"""

import json
import pathlib
import warnings

import numpy
import torch
import timm.data.mixup as timm_mixup
from timm.loss import BinaryCrossEntropy, LabelSmoothingCrossEntropy, SoftTargetCrossEntropy
from timm.scheduler import create_scheduler_v2
from timm.utils.agc import adaptive_clip_grad
from timm.utils.model_ema import ModelEmaV3

LR = 0.1
UPDATES = 4  # in an epoch
torch.set_num_threads(1)


def optimizer():
    return torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=LR)


def rate(opt):
    return opt.param_groups[0]["lr"]


def schedule(sched, epochs=6, timm=None, **options):
    """The rate of every update of a training, and of one epoch more."""
    opt = optimizer()
    scheduler, total = create_scheduler_v2(
        opt, sched=timm or sched, num_epochs=epochs, step_on_epochs=False, updates_per_epoch=UPDATES, **options)
    rates = []
    for update in range((total + 1) * UPDATES):
        scheduler.step_update(update)
        rates.append(rate(opt))
    return dict(sched=sched, epochs=epochs, options=options, total_epochs=total, rates=rates)


def schedules():
    warmups = [dict(warmup_epochs=0, warmup_prefix=False), dict(warmup_epochs=2, warmup_prefix=False),
               dict(warmup_epochs=2, warmup_prefix=True)]
    kinds = [dict(sched="cosine", min_lr=1e-3), dict(sched="cosine", min_lr=1e-3, cooldown_epochs=2),
             dict(sched="poly", min_lr=1e-3, decay_rate=0.7), dict(sched="poly", decay_rate=2.0, cooldown_epochs=1),
             dict(sched="linear", timm="poly", min_lr=1e-3, decay_rate=1.0),
             dict(sched="tanh", min_lr=1e-3), dict(sched="constant"),
             dict(sched="step", decay_epochs=2, decay_rate=0.3), dict(sched="step", decay_epochs=1.3, decay_rate=0.5),
             dict(sched="multistep", decay_milestones=[1, 3, 4], decay_rate=0.3)]
    return [schedule(**kind, **warmup, warmup_lr=1e-4) for kind in kinds for warmup in warmups]


def plateau(mode, metrics, **options):
    """The rate of each epoch, and of one more."""
    opt = optimizer()
    scheduler, _ = create_scheduler_v2(opt, sched="plateau", num_epochs=len(metrics), plateau_mode=mode, **options)
    rates = [rate(opt)]
    for epoch, metric in enumerate(metrics):
        scheduler.step(epoch + 1, metric)
        rates.append(rate(opt))
    return dict(mode=mode, metrics=metrics, options=options, rates=rates)


def agc(shape, factor):
    parameter = torch.nn.Parameter(torch.randn(shape) * torch.rand(shape[0]).view(-1, *[1] * (len(shape) - 1)))
    parameter.data[0] = 0
    parameter.grad = torch.randn(shape)
    parameter.grad[-1] *= 1e-4
    case = dict(factor=factor, parameter=parameter.tolist(), gradient=parameter.grad.tolist())
    adaptive_clip_grad([parameter], factor)
    return dict(case, clipped=parameter.grad.tolist())


def average(decay, warmup):
    """A linear layer with a batch norm: its state after each update, and the average's."""
    torch.manual_seed(1)
    model = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2))
    ema = ModelEmaV3(model, decay=decay, use_warmup=warmup)
    steps = [1, 2, 3, 10, 100, 1000, 100000]
    case = dict(decay=decay, warmup=warmup, steps=steps, decays=[ema.get_decay(step) for step in steps], updates=[])
    for step in range(1, 5):
        for value in model.state_dict().values():
            value.copy_(torch.randn_like(value) if value.is_floating_point() else value + 1)
        ema.update(model, step=step)
        case["updates"].append(dict(
            model={key: value.tolist() for key, value in model.state_dict().items()},
            ema={key: value.tolist() for key, value in ema.module.state_dict().items()}))
    return case


def losses():
    torch.manual_seed(2)
    logits = torch.randn(5, 4) * 3
    target = torch.tensor([0, 3, 1, 1, 2])
    soft = torch.rand(5, 4).softmax(1)
    weight = torch.tensor([0.5, 2.0, 1.0, 0.25])
    cases = [
        (dict(smoothing=0.1), LabelSmoothingCrossEntropy(0.1), target),
        (dict(smoothing=0.0), torch.nn.CrossEntropyLoss(), target),
        (dict(smoothing=0.0, class_weights=weight.tolist()), torch.nn.CrossEntropyLoss(weight=weight), target),
        (dict(smoothing=0.1), SoftTargetCrossEntropy(), soft),
        (dict(smoothing=0.1, bce_loss=True), BinaryCrossEntropy(0.1), target),
        (dict(smoothing=0.0, bce_loss=True), BinaryCrossEntropy(0.0), target),
        (dict(smoothing=0.1, bce_loss=True, bce_sum=True), BinaryCrossEntropy(0.1, sum_classes=True), target),
        (dict(smoothing=0.3, bce_loss=True, bce_target_thresh=0.2), BinaryCrossEntropy(0.3, target_threshold=0.2), target),
        (dict(smoothing=0.1, bce_loss=True, bce_target_thresh=0.25), BinaryCrossEntropy(target_threshold=0.25), soft),
        (dict(smoothing=0.1, bce_loss=True), BinaryCrossEntropy(), soft),
        (dict(smoothing=0.1, bce_loss=True, bce_sum=True, class_weights=weight.tolist()),
         BinaryCrossEntropy(0.1, sum_classes=True, weight=weight), target),
    ]
    return dict(
        logits=logits.tolist(), target=target.tolist(), soft=soft.tolist(),
        cases=[dict(options=options, soft=targets.is_floating_point(), loss=loss(logits, targets).item())
               for options, loss, targets in cases])


def mixup(batch, smoothing, **options):
    """timm's Mixup with what it drew: lambdas and boxes, as inputs of the formulas."""
    boxes = []
    make_box = timm_mixup.cutmix_bbox_and_lam

    def record_box(shape, lam, **kwargs):
        box, corrected = make_box(shape, lam, **kwargs)
        boxes.append(dict(lam=float(lam), box=[int(side) for side in box], corrected=float(corrected)))
        return box, corrected

    drawn = []

    def record(draw):
        def call(*args):
            lam, use_cutmix = draw(*args)
            drawn.append((numpy.atleast_1d(lam).astype(float).tolist(), numpy.atleast_1d(use_cutmix).tolist()))
            return lam, use_cutmix
        return call

    mixer = timm_mixup.Mixup(num_classes=3, label_smoothing=smoothing, **options)
    mixer._params_per_elem = record(mixer._params_per_elem)
    mixer._params_per_batch = record(mixer._params_per_batch)
    images = torch.randn(batch, 1, 5, 6)
    target = torch.randint(0, 3, (batch,))
    case = dict(smoothing=smoothing, mode=options.get("mode", "batch"), images=images.tolist(), target=target.tolist())
    timm_mixup.cutmix_bbox_and_lam = record_box
    mixed, soft = mixer(images.clone(), target)
    timm_mixup.cutmix_bbox_and_lam = make_box
    lam, use_cutmix = drawn[0]
    return dict(case, lam=lam, use_cutmix=use_cutmix, boxes=boxes, mixed=mixed.tolist(), soft=soft.tolist())


def cut_boxes():
    """timm's box for a given centre."""
    cases = []
    for height, width, lam, y, x in [(10, 12, 0.5, 3, 11), (10, 12, 0.9, 0, 0), (7, 5, 0.1, 6, 2), (32, 32, 0.0, 16, 3),
                                     (9, 9, 1.0, 4, 4)]:
        draws = iter([y, x])
        randint, numpy.random.randint = numpy.random.randint, lambda *args, **kwargs: next(draws)
        box, corrected = timm_mixup.cutmix_bbox_and_lam((3, height, width), lam)
        numpy.random.randint = randint
        cases.append(dict(height=height, width=width, lam=lam, center=[y, x], box=[int(side) for side in box],
                          corrected=float(corrected)))
    return cases


warnings.simplefilter("ignore")  # of plateau, which timm means to give up
torch.manual_seed(0)
numpy.random.seed(0)
golden = dict(
    lr=LR,
    updates_per_epoch=UPDATES,
    schedules=schedules(),
    plateau=[
        plateau("max", [0.1, 0.3, 0.3, 0.2, 0.30001, 0.5, 0.4, 0.4, 0.4, 0.4, 0.4, 0.4], patience_epochs=1, decay_rate=0.3),
        plateau("min", [3, 2, 2.5, 2, 2, 1, 1.5, 1.5, 1.5, 1.5], patience_epochs=2, decay_rate=0.1, min_lr=5e-3),
        plateau("max", [0.9, 0.8, 0.1, 0.1, 0.1, 0.1, 0.2, 0.1, 0.1], patience_epochs=0, decay_rate=0.5, warmup_epochs=3,
                warmup_lr=1e-3),
    ],
    agc=[agc((3, 4), 0.01), agc((3, 2, 2, 2), 0.1), agc((4,), 0.01)],
    ema=[average(0.9, False), average(0.9998, True), average(0.99, True)],
    losses=losses(),
    cut_boxes=cut_boxes(),
    mixup=[
        mixup(4, 0.1, mixup_alpha=0.8),
        mixup(4, 0.0, mixup_alpha=0.0, cutmix_alpha=1.0),
        mixup(4, 0.1, mixup_alpha=0.0, cutmix_minmax=[0.3, 0.9]),
        mixup(6, 0.1, mixup_alpha=0.8, cutmix_alpha=1.0, mode="elem"),
        mixup(6, 0.0, mixup_alpha=0.8, cutmix_alpha=1.0, mode="pair", prob=0.7),
    ],
)
lines = (f"{json.dumps(name)}: {json.dumps(value)}" for name, value in golden.items())
pathlib.Path(__file__).with_name("recipe.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")
