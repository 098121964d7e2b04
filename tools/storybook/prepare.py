"""From text to token ids: the tokenizer, and the ids of books and written documents, kept in a work folder."""

from __future__ import annotations

import multiprocessing
import random
from pathlib import Path
from typing import Any

from tools.storybook import corpus, vocabulary

#: Written documents in a build, drawn in parts so that they can be drawn side by side.
PARTS, PER_PART = 32, 12000
#: Books are cut here before encoding, at a paragraph, so that a long book needs no long string.
PIECE = 200_000


def _pieces(book: str) -> list[str]:
    """A book in pieces that end where a paragraph ends; joined they are the book."""
    pieces, start = [], 0
    while start < len(book):
        end = book.find("\n\n", start + PIECE)
        end = len(book) if end < 0 else end
        pieces.append(book[start:end])
        start = end
    return pieces


def make_tokenizer(folder: Path, out: Path, parts: int = PARTS) -> None:
    """Trains the tokenizer on a quarter of the books' pieces and on written text; writes it to `out`."""
    pieces = [piece for book in corpus.books(folder, corpus.TRAIN) for piece in _pieces(book)]
    random.Random("tokenizer").shuffle(pieces)
    texts = pieces[: max(1, len(pieces) // 4)]
    for document in corpus.written("tokenizer", parts * PER_PART // 30):
        texts.append(document if isinstance(document, str) else "\n".join(turn["content"] for turn in document))
    vocabulary.save(vocabulary.train(texts), out)


def _encoder(tokenizer: Path) -> Any:
    from tokenizers import Tokenizer

    return Tokenizer.from_file(str(tokenizer / "tokenizer.json"))


def book_ids(task: tuple[Path, str]) -> list[int]:
    """The ids of one book: its start, its pieces, its end."""
    tokenizer, book = task
    encoder = _encoder(tokenizer)
    ids = [encoder.token_to_id(vocabulary.BOS)]
    for piece in _pieces(book):
        ids += encoder.encode(piece, add_special_tokens=False).ids
    return [*ids, encoder.token_to_id(vocabulary.END)]


def _written_ids(task: tuple[Path, int]) -> list[list[int]]:
    """The ids of the written documents of one part."""
    tokenizer, part = task
    encoder = _encoder(tokenizer)
    texts = [vocabulary.flat(document) for document in corpus.written(f"part {part}", PER_PART)]
    return [item.ids for item in encoder.encode_batch(texts, add_special_tokens=False)]


def _packed(documents: list[list[int]], length: int) -> list[list[int]]:
    """Rows of `length` ids. A row begins with a document; the end of the last one in it is cut off."""
    rows: list[list[int]] = []
    row: list[int] = []
    for ids in documents:
        row += ids
        if len(row) >= length:
            rows.append(row[:length])
            row = []
    return rows


def make_ids(folder: Path, tokenizer: Path, out: Path, parts: int = PARTS) -> dict[str, int]:
    """Writes `ids.safetensors`: "books" (n,), "valid" (m,), "written" (rows, context + 1); returns their sizes.

    "paragraphs" says where in "books" paragraphs begin. "valid" is the text of the validation books as one stretch
    without special tokens, "valid_bytes" its bytes.
    """
    import torch
    from safetensors.torch import save_file

    length = vocabulary.CONTEXT + 1
    with multiprocessing.get_context("spawn").Pool() as pool:
        books = pool.map(book_ids, [(tokenizer, book) for book in corpus.books(folder, corpus.TRAIN)], chunksize=4)
        documents = pool.map(_written_ids, [(tokenizer, part) for part in range(parts)], chunksize=1)
    valid = "\n\n".join(corpus.books(folder, corpus.VALID))
    encoder = _encoder(tokenizer)
    valid_ids = [i for piece in _pieces(valid) for i in encoder.encode(piece, add_special_tokens=False).ids]
    stretch = torch.tensor([i for book in books for i in book], dtype=torch.int16)
    breaks = stretch == encoder.token_to_id("\u010a")  # the byte-level name of a line feed; a paragraph follows two
    tensors = {
        "books": stretch,
        "paragraphs": (breaks[1:] & breaks[:-1]).nonzero().flatten() + 2,
        "written": torch.tensor(_packed([d for part in documents for d in part], length), dtype=torch.int16),
        "valid": torch.tensor(valid_ids, dtype=torch.int16),
        "valid_bytes": torch.tensor([len(valid.encode("utf-8"))]),
    }
    save_file(tensors, out)
    return {key: value.numel() for key, value in tensors.items()} | {"valid_bytes": int(tensors["valid_bytes"])}
