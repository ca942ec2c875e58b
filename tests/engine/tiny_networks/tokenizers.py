"""Tokenizers without merges: every word is spelled."""

from __future__ import annotations

from pathlib import Path

ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789-'"


def bert_tokenizer(place: Path) -> int:
    """Letters as word pieces; special tokens and the full stop have the ids that Grounding DINO looks for."""
    from transformers import BertTokenizer

    words = {"[PAD]": 0, "[UNK]": 100, "[CLS]": 101, "[SEP]": 102, "[MASK]": 103, ".": 1012, "?": 1029}
    free = (n for n in range(1, 1100) if n not in words.values())
    for piece in [*ALPHABET, *(f"##{letter}" for letter in ALPHABET)]:
        words[piece] = next(free)
    for number in free:
        if len(words) == 1100:
            break
        words[f"[unused{number}]"] = number
    ordered = sorted(words, key=words.__getitem__)
    (place / "vocab.txt").write_text("\n".join(ordered) + "\n")
    BertTokenizer(vocab=str(place / "vocab.txt")).save_pretrained(place)
    return len(ordered)


def clip_tokenizer(place: Path, length: int) -> int:
    """Bytes as letters, no merges."""
    from transformers import CLIPTokenizer

    letters = byte_letters()
    tokens = [*letters, *(f"{letter}</w>" for letter in letters), "<|startoftext|>", "<|endoftext|>"]
    vocabulary = {token: number for number, token in enumerate(tokens)}
    CLIPTokenizer(vocab=vocabulary, merges=[], model_max_length=length).save_pretrained(place)
    return len(vocabulary)


def byte_letters() -> list[str]:
    """The printable letters that byte-level BPE writes for the 256 bytes."""
    shown = [*range(ord("!"), ord("~") + 1), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    return [chr(n) for n in shown] + [chr(256 + n) for n in range(256 - len(shown))]
