"""A plan as the script that one would write by hand with torch, transformers and peft.

It runs as it stands, without the lab, and its losses are those of the lab's own run.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from lab.models.catalogue import ASSETS
from lab.plan import CLASSIFY, Plan


def script(plan: Plan) -> str:
    """The source of the script. Raises LabError if the plan's model or data cannot be found."""
    from lab import methods
    from lab.data import tasks
    from lab.models import loading

    data = tasks.prepare(plan.data)
    method = methods.method(plan.method)
    shape = loading.shape(plan.model, data.task, max(len(data.labels), 2))
    training = plan.training
    a_step = training.batch_size * training.accumulation
    steps = training.steps or max(1, math.ceil(training.epochs * len(data.train) / a_step))
    settings = method.prepare(methods.settings(plan), steps)
    method_lines = [line for line in method.source(settings, shape) if not line.startswith(("from ", "import "))]
    method_imports = [line for line in method.source(settings, shape) if line.startswith(("from ", "import "))]
    longest = min(training.max_length, shape.max_length or training.max_length)
    auto = loading.auto_class(loading.config(plan.model), data.task).__name__
    parts = [
        f'"""{method.title} on {_name(plan.data.source)}, as planned in PEFT Lab. Run it where the paths below hold."""\n',
        _imports(plan, auto, method_imports, data),
        f"torch.manual_seed({plan.seed})",
        f"tokenizer = AutoTokenizer.from_pretrained({_model(plan.model)!r})",
        "if tokenizer.pad_token_id is None:\n    tokenizer.pad_token = tokenizer.eos_token\n",
        _data(plan, data),
        _model_lines(plan, auto, data, shape),
        *method_lines,
        "" if not training.gradient_checkpointing else _checkpointing(),
        _encode(data, shape, longest, plan.seed),
        _loop(plan, method, settings, steps, data),
        _saving(method),
    ]
    return "\n".join(part for part in parts if part) + "\n"


def _name(source: str) -> str:
    return Path(source).name or source


def _model(model: str) -> str:
    from lab.models.loading import kind

    return str(Path("assets/models") / model) if kind(model) == "embedded" else model


def _imports(plan: Plan, auto: str, extra: list[str], data: Any) -> str:
    names = [auto, "AutoTokenizer"] + (["BitsAndBytesConfig"] if plan.precision.quantized else [])
    lines = [
        "import math",
        "",
        "import torch",
        f"from transformers import {', '.join(sorted(names))}",
        *extra,
    ]
    if "8bit" in plan.training.optimizer:
        lines.insert(3, "import bitsandbytes")
    lines.insert(3, "from datasets import load_dataset")
    return "\n".join(lines) + "\n"


def _data(plan: Plan, data: Any) -> str:
    """Lines that read the training rows into `rows`: pairs of input and target."""
    source = plan.data.source
    if (ASSETS / "data" / source / "train.jsonl").is_file():
        path = f"assets/data/{source}/train.jsonl"
        read = f'load_dataset("json", data_files={path!r}, split="train")'
    elif Path(source).suffix:
        form = {".csv": "csv", ".tsv": "csv", ".parquet": "parquet"}.get(Path(source).suffix.lower(), "json")
        read = f'load_dataset("{form}", data_files={source!r}, split="train")'
    else:
        config = f", {plan.data.config!r}" if plan.data.config else ""
        read = f"load_dataset({source!r}{config}, split={plan.data.split or 'train'!r})"
    lines = [
        f"table = {read}",
        f"rows = [(str(row[{data.input!r}]), str(row[{data.target!r}])) for row in table]",
    ]
    if plan.data.rows:
        lines.append(f"rows = rows[: {plan.data.rows}]")
    if data.task == CLASSIFY:
        lines.append(f"labels = {list(data.labels)!r}")
    return "\n".join(lines) + "\n"


def _model_lines(plan: Plan, auto: str, data: Any, shape: Any) -> str:
    from lab.models import precision

    where = precision.device()
    dtype = str(precision.dtype(plan.precision, where))
    arguments = [repr(_model(plan.model)), f"dtype={dtype}"]
    if data.task == CLASSIFY:
        arguments += [f"num_labels={max(len(data.labels), 2)}", "pad_token_id=tokenizer.pad_token_id"]
    lines = []
    if plan.precision.quantized:
        keep = [*shape.head, "lm_head"]
        if plan.precision.weights == "int8":
            inner = f"load_in_8bit=True, llm_int8_skip_modules={keep!r}"
        else:
            inner = (
                f"load_in_4bit=True,\n    bnb_4bit_quant_type={plan.precision.weights!r},\n"
                f"    bnb_4bit_use_double_quant={plan.precision.double_quant},\n"
                f"    bnb_4bit_compute_dtype={dtype},\n    llm_int8_skip_modules={keep!r},"
            )
        lines.append(f"quantization = BitsAndBytesConfig({inner})")
        arguments += ["quantization_config=quantization", f'device_map={{"": {where!r}}}']
    lines.append(f"model = {auto}.from_pretrained({', '.join(arguments)})")
    if not plan.precision.quantized and where != "cpu":
        lines.append(f"model.to({where!r})")
    if plan.precision.four_bit and where == "cpu":
        lines.append(
            "for module in model.modules():  # keeps gradients right on CPUs with AVX512-BF16\n"
            '    if hasattr(module, "support_avx512bf16_for_cpu"):\n'
            "        module.support_avx512bf16_for_cpu = False"
        )
    return "\n".join(lines)


def _checkpointing() -> str:
    return (
        'model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})\n'
        "model.enable_input_require_grads()"
    )


def _encode(data: Any, shape: Any, longest: int, seed: int) -> str:
    """A function `collate` that turns pairs of text into a padded batch, as `lab.data.encoding` does."""
    text = f'tokenizer(text, truncation=True, max_length={longest})["input_ids"]'
    lines = ["", "", "def encode(text, target):"]
    if data.task == CLASSIFY:
        lines.append(f"    return {text}, labels.index(target)")
    else:
        lines.append(
            f'    reply = tokenizer(target, add_special_tokens=False)["input_ids"][: {longest - 1}] + [tokenizer.eos_token_id]'
        )
        if shape.family == "encoder-decoder":
            lines.append(f"    return {text}, reply")
        else:
            lines += [
                "    if tokenizer.chat_template:",
                '        turn = [{"role": "user", "content": text}]',
                "        prompt = tokenizer.apply_chat_template(",
                "            turn, add_generation_prompt=True, tokenize=True, return_dict=True",
                '        )["input_ids"]',
                "    else:",
                '        prompt = tokenizer(text + "\\n")["input_ids"]',
                f"    room = {longest} - len(reply)",
                "    prompt = prompt[-room:] if room > 0 else []",
                "    return prompt + reply, [-100] * len(prompt) + reply",
            ]
    lines += [
        "",
        "",
        "def padded(rows, value):",
        "    width = max(map(len, rows))",
        "    return torch.tensor([row + [value] * (width - len(row)) for row in rows])",
        "",
        "",
        "def collate(pairs):",
        "    inputs, targets = zip(*(encode(*pair) for pair in pairs))",
        "    return {",
        '        "input_ids": padded(inputs, tokenizer.pad_token_id),',
        '        "attention_mask": padded([[1] * len(row) for row in inputs], 0),',
        '        "labels": ' + ("torch.tensor(targets)," if data.task == CLASSIFY else "padded(targets, -100),"),
        "    }",
        "",
        "",
        "def order():",
        f"    generator = torch.Generator().manual_seed({seed})",
        "    while True:",
        "        yield from torch.randperm(len(rows), generator=generator).tolist()",
        "",
    ]
    return "\n".join(lines)


def _loop(plan: Plan, method: Any, settings: Any, steps: int, data: Any) -> str:
    training = plan.training
    options = f"lr={training.learning_rate}, weight_decay={training.weight_decay}"
    made = {
        "adamw": f"torch.optim.AdamW(trained, {options})",
        "sgd": f"torch.optim.SGD(trained, momentum=0.9, {options})",
        "adamw8bit": f"bitsandbytes.optim.AdamW8bit(trained, {options})",
        "paged_adamw8bit": f"bitsandbytes.optim.PagedAdamW8bit(trained, {options})",
    }[training.optimizer]
    rise = math.ceil(training.warmup * steps)
    schedule = {
        "constant": "    return 1.0",
        "linear": "    return 1 - done",
        "cosine": "    return (1 + math.cos(math.pi * done)) / 2",
    }[training.schedule]
    norm = f"torch.nn.utils.clip_grad_norm_(trained, {training.clip or 'math.inf'})"
    learned = "batch['labels'].numel()" if data.task == CLASSIFY else "int((batch['labels'] != -100).sum())"
    return "\n".join(
        [
            "",
            "def factor(step):",
            f"    if step < {rise}:",
            f"        return (step + 1) / {rise}",
            f"    done = (step - {rise}) / {max(1, steps - rise)}",
            schedule,
            "",
            "",
            "trained = [item for item in model.parameters() if item.requires_grad]",
            f"optimizer = {made}",
            "places = order()",
            f"torch.manual_seed({plan.seed})",
            "model.train()",
            f"for step in range({steps}):",
            "    for group in optimizer.param_groups:",
            f"        group['lr'] = {training.learning_rate} * factor(step)",
            f"    batches = [collate([rows[next(places)] for _ in range({training.batch_size})]) for _ in range({training.accumulation})]",
            f"    counts = [{learned} for batch in batches]",
            "    total = 0.0",
            "    for batch, count in zip(batches, counts):",
            "        batch = {name: item.to(model.device) for name, item in batch.items()}",
            "        loss = model(**batch).loss * (count / sum(counts))",
            "        loss.backward()",
            "        total += loss.item()",
            f"    {norm}",
            "    optimizer.step()",
            "    optimizer.zero_grad()",
            '    print(f"step {step + 1} loss {total:.6f}")',
            "",
        ]
    )


def _saving(method: Any) -> str:
    return 'model.save_pretrained("adapter")'
