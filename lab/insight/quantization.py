"""Quantization with the numbers in sight: levels, blocks, constants, and the error they leave.

NF4 after Dettmers et al. 2023 (QLoRA), section 3 and appendix E; LLM.int8() after Dettmers et al. 2022.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

#: The kinds of levels, with what they are.
KINDS = {
    "normal": "normal float: as many weights of a bell curve at each level",
    "integer": "integer: levels at equal distances",
    "float": "small float: an exponent and a mantissa",
}


def normal_levels(bits: int) -> list[float]:
    """The levels of a normal float in [-1, 1], ascending: NF4 for four bits.

    Quantiles of the normal distribution, 2^(b-1) on the side below zero (zero itself among them) and 2^(b-1)+1 from
    zero up, so that zero is exact (QLoRA, equation 4; the outermost quantile lies between the two sides' own).
    """
    half = 2 ** (bits - 1)
    outer = 1 - (1 / (4 * half) + 1 / (4 * half - 2)) / 2
    inverse = NormalDist().inv_cdf

    def side(count: int) -> list[float]:
        return [inverse(outer + (0.5 - outer) * step / (count - 1)) for step in range(count - 1)]

    levels = sorted([-value for value in side(half)] + [0.0] + side(half + 1))
    return [value / levels[-1] for value in levels]


def integer_levels(bits: int) -> list[float]:
    """The levels of a signed integer scaled by its largest, ascending: one of the 2^b codes stays unused."""
    top = 2 ** (bits - 1) - 1
    return [value / top for value in range(-top, top + 1)]


def float_levels(bits: int) -> list[float]:
    """The levels of a small float scaled to [-1, 1], ascending: FP4 as E2M1, FP8 as E4M3, bits/2 of exponent.

    Four bits have bitsandbytes' own smallest magnitude beside zero, 1/192 of the largest; the others have the usual
    subnormal numbers. All codes count as numbers (none is kept for infinity).
    """
    exponents = min(4, bits // 2)
    steps = 2 ** (bits - 1 - exponents)
    sizes = [step / steps for step in range(steps)]
    sizes += [2.0**power * (1 + step / steps) for power in range(2**exponents - 1) for step in range(steps)]
    if bits == 4:
        sizes[1] = sizes[-1] / 192
    return sorted({sign * size / sizes[-1] + 0.0 for size in sizes for sign in (-1, 1)})


def levels(kind: str, bits: int) -> list[float]:
    """The levels of a kind. Raises KeyError for a kind that is not in `KINDS`."""
    return {"normal": normal_levels, "integer": integer_levels, "float": float_levels}[kind](bits)


def bits_per_parameter(bits: int, block: int, block2: int = 0) -> float:
    """Bits of one weight with its share of the constants: a 32-bit number a block, or, with double quantization,
    an 8-bit number a block and a 32-bit number for each `block2` blocks (QLoRA, section 3)."""
    return bits + (8 / block + 32 / (block * block2) if block2 else 32 / block)


@dataclass(frozen=True)
class Quantized:
    """A matrix after quantization: what it has become, its codes, and the blocks' constants (largest magnitudes)."""

    values: Any
    codes: Any
    constants: Any

    def error(self, matrix: Any) -> float:
        """Root mean square of the error, relative to that of the weights."""
        weights = matrix.detach().float()
        return float((self.values - weights).norm() / weights.norm()) if float(weights.norm()) else 0.0


def quantize(matrix: Any, grid: list[float], block: int) -> Quantized:
    """Scale each block of `block` neighbouring weights by its largest magnitude and round to the nearest level.

    The last block may be shorter.
    """
    import torch

    flat = matrix.detach().float().flatten()
    padded = torch.nn.functional.pad(flat, (0, -len(flat) % block)).view(-1, block)
    constants = padded.abs().amax(1, keepdim=True)
    scaled = padded / constants.clamp(min=torch.finfo(torch.float32).tiny)
    points = torch.tensor(grid)
    codes = torch.bucketize(scaled, (points[1:] + points[:-1]) / 2)
    values = (points[codes] * constants).flatten()[: len(flat)].view(matrix.shape)
    return Quantized(values, codes.flatten()[: len(flat)], constants.flatten())


def twice(constants: Any, block2: int) -> Any:
    """The constants after double quantization: their mean taken off, 8 bits each, one scale for `block2` of them."""
    mean = constants.mean()
    return quantize(constants - mean, integer_levels(8), block2).values + mean


def with_outliers(matrix: Any, share: float, size: float, seed: int = 0) -> Any:
    """The matrix with a share of its entries, drawn at random, made `size` standard deviations large."""
    import torch

    changed = matrix.detach().float().clone()
    generator = torch.Generator().manual_seed(seed)
    count = round(share * changed.numel())
    positions = torch.randperm(changed.numel(), generator=generator)[:count]
    changed.view(-1)[positions] = changed.view(-1)[positions].sign() * size * changed.std()
    return changed


def library_error(matrix: Any, kind: str, double: bool) -> tuple[float, int]:
    """The error and the bytes of bitsandbytes' own "nf4", "fp4" or "int8" for a matrix, measured.

    The error is relative to the weights' root mean square; the bytes count codes and constants.
    """
    import bitsandbytes.functional as bnb
    import torch

    weights = matrix.detach().float().contiguous().cpu()
    if kind == "int8":
        codes, scales, _ = bnb.int8_vectorwise_quant(weights.half())
        back = codes.float() * scales.view(-1, 1) / 127
        size = codes.nbytes + scales.nbytes
    else:
        codes, state = bnb.quantize_4bit(weights, quant_type=kind, compress_statistics=double)
        back = bnb.dequantize_4bit(codes, state).float()
        size = codes.nbytes + state.absmax.nbytes
        if double:
            size += state.state2.absmax.nbytes
    return float(torch.linalg.norm(back - weights) / torch.linalg.norm(weights)), size
