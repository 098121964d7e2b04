"""From trained weights to a folder that plain transformers loads: shards, configuration, tokenizer, checksums."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

from tools.storybook.network import Shape

#: No file of the repository may be larger than 10 MB.
SHARD = "8MB"
SUMS = "CHECKSUMS"


def llama(work: Path, shape: Shape, tokenizer: Any, name: str = "base") -> Any:
    """The trained weights as a `LlamaForCausalLM` in bf16."""
    import torch
    from safetensors.torch import load_file
    from transformers import GenerationConfig, LlamaForCausalLM

    model = LlamaForCausalLM(shape.config(tokenizer.pad_token_id, tokenizer.bos_token_id, tokenizer.eos_token_id))
    missing, unexpected = model.load_state_dict(load_file(work / f"{name}.safetensors"), strict=False)
    if unexpected or set(missing) - {"lm_head.weight"}:
        raise ValueError(f"weights do not fit: missing {missing}, unexpected {unexpected}")
    model.tie_weights()
    model.generation_config = GenerationConfig(
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        max_new_tokens=120,
    )
    return model.to(torch.bfloat16)


def checksums(folder: Path) -> None:
    """Writes `CHECKSUMS`: a line "sha256  name" for every file but itself and the cards."""
    lines = []
    for file in sorted(folder.iterdir()):
        if file.is_file() and file.name not in (SUMS, "README.md", "lab.json"):
            lines.append(f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n")
    (folder / SUMS).write_text("".join(lines), encoding="utf-8")


def export(work: Path, tokenizer: Path, shape: Shape, out: Path) -> None:
    """Writes the model, its tokenizer, its curves and the checksums to `out`; the cards there stay."""
    from transformers import AutoTokenizer

    out.mkdir(parents=True, exist_ok=True)
    for old in (*out.glob("*.safetensors"), *out.glob("*.safetensors.index.json")):
        old.unlink()
    loaded = AutoTokenizer.from_pretrained(tokenizer)
    llama(work, shape, loaded).save_pretrained(out, max_shard_size=SHARD)
    for file in tokenizer.iterdir():
        shutil.copyfile(file, out / file.name)
    curve = []
    for name in ("base", "tenth"):
        path = work / f"{name}.curve.jsonl"
        if path.is_file():
            lines = path.read_text(encoding="utf-8").splitlines()
            curve += [json.dumps({"run": name, **json.loads(line)}) for line in lines]
    (out / "curve.jsonl").write_text("\n".join(curve) + "\n", encoding="utf-8")
    checksums(out)
