"""A plan as the script that one would write by hand with torch, transformers and peft.

It runs as it stands, without the lab, and its losses are those of the lab's own run: both read the rows in the same
order, encode them alike and start from the same random numbers. `tests/artifacts/test_script.py` holds them together.
"""

from __future__ import annotations

import math
import re
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any

from lab.artifacts.base import Artifact
from lab.plan import CLASSIFY, Plan, Training
from lab.runs import Run

if TYPE_CHECKING:
    from lab.training.job import Job

SCRIPT = Template('''\
"""$title, as planned in PEFT Lab."""

$standard

import torch
$imports

torch.manual_seed($seed)

# --- data
$rows

# --- model
tokenizer = AutoTokenizer.from_pretrained($model)
if tokenizer.pad_token_id is None:
    tokenizer.pad_token = tokenizer.eos_token
$load

# --- method
$method

# --- batches
def encode(text, target):
$encode


def padded(rows, value):
    width = max(map(len, rows))
    return torch.tensor([row + [value] * (width - len(row)) for row in rows])


def collate(pairs):
    inputs, targets = zip(*(encode(*pair) for pair in pairs))
    return {
        "input_ids": padded(inputs, tokenizer.pad_token_id),
        "attention_mask": padded([[1] * len(row) for row in inputs], 0),
        "labels": $targets,
    }


def order():
    generator = torch.Generator().manual_seed($seed)
    while True:
        yield from torch.randperm(len(rows), generator=generator).tolist()


# --- training
def factor(step):
    """Share of the peak learning rate: a warm-up, then the schedule."""
    if step < $rise:
        return (step + 1) / $rise
    done = (step - $rise) / $falling
    return $schedule


optimizer = $optimizer
for group in optimizer.param_groups:
    group["peak_lr"] = group["lr"]
trained = [item for group in optimizer.param_groups for item in group["params"]]
places = order()
torch.manual_seed($seed)
model.train()
for step in range($steps):
    for group in optimizer.param_groups:
        group["lr"] = group["peak_lr"] * factor(step)
    batches = [collate([rows[next(places)] for _ in range($batch_size)]) for _ in range($accumulation)]
    counts = [$learned for batch in batches]
    total = 0.0
    for batch, count in zip(batches, counts):
        batch = {name: item.to(model.device) for name, item in batch.items()}
        loss = model(**batch).loss * (count / sum(counts))
        loss.backward()
        total += loss.item()
    torch.nn.utils.clip_grad_norm_(trained, $clip)
    optimizer.step()$after_step
    optimizer.zero_grad()
    print(f"step {step + 1} loss {total:.6f}", flush=True)

model.save_pretrained("adapter")
''')

READ = '    return tokenizer(text, truncation=True, max_length=$longest)["input_ids"], '

REPLY = """\
    reply = tokenizer(target, add_special_tokens=False)["input_ids"][: $cut]
    if tokenizer.eos_token_id is not None:
        reply.append(tokenizer.eos_token_id)
"""

AFTER_PROMPT = """\
    if tokenizer.chat_template:
        turn = [{"role": "user", "content": text}]
        prompt = tokenizer.apply_chat_template(turn, add_generation_prompt=True, return_dict=True)["input_ids"]
    else:
        prompt = tokenizer(text + "\\n")["input_ids"]
    room = $longest - len(reply)
    prompt = prompt[-room:] if room > 0 else []
    return prompt + reply, [-100] * len(prompt) + reply"""

SCHEDULES = {"constant": "1.0", "linear": "1 - done", "cosine": "(1 + math.cos(math.pi * done)) / 2"}

OPTIMIZERS = {
    "adamw": "torch.optim.AdamW",
    "sgd": "torch.optim.SGD",
    "adamw8bit": "bitsandbytes.optim.AdamW8bit",
    "paged_adamw8bit": "bitsandbytes.optim.PagedAdamW8bit",
}


def script(plan: Plan) -> str:
    """The source of the script. Raises LabError if the plan's model or data cannot be found."""
    from lab.data import export
    from lab.models import loading
    from lab.models.shape import auto_class
    from lab.training.job import resolve

    job, training = resolve(plan), plan.training
    data, shape, steps = job.data, job.shape, job.steps
    rise = math.ceil(training.warmup * steps)
    lines = job.method.source(job.settings, shape)
    imports = [line for line in lines if line.startswith(("from ", "import "))]
    auto = auto_class(loading.config(plan.model), data.task).__name__
    classify = data.task == CLASSIFY
    rows = export.source(plan.data)
    standard = [line for name, line in export.IMPORTS.items() if re.search(rf"\b{name}[.(]", rows)]
    return SCRIPT.substitute(
        standard="\n".join(sorted([*standard, "import math"], key=lambda line: line.split()[1])),
        title=f"{job.method.title} on {Path(plan.data.source).name}",
        imports="\n".join(_imports(plan, auto, imports)),
        seed=plan.seed,
        rows=rows,
        model=repr(_model(plan.model)),
        load=_load(job, auto),
        method="\n".join([*(line for line in lines if line not in imports), *_checkpointing(training)]),
        encode=_encode(data, shape, job.max_length),
        targets="torch.tensor(targets)" if classify else "padded(targets, -100)",
        rise=rise,
        falling=max(1, steps - rise),
        schedule=SCHEDULES[training.schedule],
        optimizer=_optimizer(training, job.method.source_groups(job.settings, training)),
        steps=steps,
        batch_size=training.batch_size,
        accumulation=training.accumulation,
        learned='batch["labels"].numel()' if classify else 'int((batch["labels"] != -100).sum())',
        clip=training.clip or "math.inf",
        after_step="".join(f"\n    {line}" for line in job.method.source_after_step(job.settings)),
    )


def _model(model: str) -> str:
    from lab.models.loading import kind

    return f"assets/models/{model}" if kind(model) == "embedded" else model


def _imports(plan: Plan, auto: str, extra: list[str]) -> list[str]:
    names = sorted([auto, "AutoTokenizer", *(["BitsAndBytesConfig"] if plan.precision.quantized else [])])
    lines = ["from datasets import load_dataset", *extra, f"from transformers import {', '.join(names)}"]
    return ["import bitsandbytes", *lines] if "8bit" in plan.training.optimizer else lines


def _load(job: Job, auto: str) -> str:
    from lab.models import precision

    plan, where = job.plan, job.device
    dtype = str(precision.dtype(plan.precision, where))
    arguments = [repr(_model(plan.model)), f"dtype={dtype}"]
    lines = []
    if job.data.task == CLASSIFY:
        arguments += [f"num_labels={job.num_labels}", "pad_token_id=tokenizer.pad_token_id"]
    if plan.precision.quantized:
        wanted: dict[str, Any] = (
            {"load_in_8bit": True}
            if plan.precision.weights == "int8"
            else {
                "load_in_4bit": True,
                "bnb_4bit_quant_type": repr(plan.precision.weights),
                "bnb_4bit_use_double_quant": plan.precision.double_quant,
                "bnb_4bit_compute_dtype": dtype,
            }
        )
        wanted["llm_int8_skip_modules"] = [*job.shape.head, "lm_head"]
        lines.append("quantization = BitsAndBytesConfig(")
        lines += [f"    {name}={value}," for name, value in wanted.items()]
        lines.append(")")
        arguments += ["quantization_config=quantization", f'device_map={{"": "{where}"}}']
    lines.append(f"model = {auto}.from_pretrained(")
    lines += [f"    {argument}," for argument in arguments]
    lines.append(")")
    if not plan.precision.quantized and where != "cpu":
        lines.append(f'model.to("{where}")')
    if plan.precision.four_bit and where == "cpu":
        lines += [
            "for module in model.modules():  # keeps gradients right on CPUs with AVX512-BF16",
            '    if hasattr(module, "support_avx512bf16_for_cpu"):',
            "        module.support_avx512bf16_for_cpu = False",
        ]
    return "\n".join(lines)


def _checkpointing(training: Training) -> list[str]:
    if not training.gradient_checkpointing:
        return []
    return [
        'model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})',
        "model.enable_input_require_grads()",
    ]


def _encode(data: Any, shape: Any, longest: int) -> str:
    if data.task == CLASSIFY:
        text = READ + "labels.index(target)"
    elif shape.family == "encoder-decoder":
        text = REPLY + READ + "reply"
    else:
        text = REPLY + AFTER_PROMPT
    return Template(text).substitute(longest=longest, cut=longest - 1)


def _optimizer(training: Training, groups: str) -> str:
    momentum = ", momentum=0.9" if training.optimizer == "sgd" else ""
    made = OPTIMIZERS[training.optimizer]
    options = f"lr={training.learning_rate},\n    weight_decay={training.weight_decay}{momentum},"
    return f"{made}(\n    {groups},\n    {options}\n)"


class Script(Artifact):
    key = "script"
    title = "Script"
    summary = "The run's plan as a script of torch, transformers and peft that makes the same losses without the lab."
    shared = True

    def write(self, run: Run, folder: Path) -> Path:
        file = folder / "train.py"
        file.write_text(script(run.plan), encoding="utf-8")
        return file
