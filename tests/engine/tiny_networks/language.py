"""Language networks that see."""

from __future__ import annotations

from pathlib import Path

from tests.engine.tiny_networks.tokenizers import byte_letters

CHAT = (
    "{% for turn in messages %}<|im_start|>{{ turn.role }}\n{% for part in turn.content %}{% if part.type == 'image' %}"
    "<|vision_start|><|image_pad|><|vision_end|>{% else %}{{ part.text }}{% endif %}{% endfor %}<|im_end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
QWEN_TOKENS = (
    "<|endoftext|>",
    "<|im_start|>",
    "<|im_end|>",
    "<|vision_start|>",
    "<|vision_end|>",
    "<|image_pad|>",
    "<|video_pad|>",
)


def qwen_tokenizer():
    """Bytes as letters, no merges, and the special tokens of Qwen's chat."""
    from transformers import Qwen2Tokenizer

    vocabulary = {letter: number for number, letter in enumerate(byte_letters())}
    tokenizer = Qwen2Tokenizer(vocab=vocabulary, merges=[])
    tokenizer.add_special_tokens({"additional_special_tokens": list(QWEN_TOKENS[1:])})
    return tokenizer


def _qwen(place: Path, config_class: str, network_class: str, patch: int, **vision: object) -> None:
    import transformers
    from transformers import (
        Qwen2_5_VLProcessor,
        Qwen2VLImageProcessor,
        Qwen2VLVideoProcessor,
        Qwen3VLProcessor,
        Qwen3VLVideoProcessor,
    )

    tokenizer = qwen_tokenizer()
    ids = {token: tokenizer.convert_tokens_to_ids(token) for token in QWEN_TOKENS}
    config = getattr(transformers, config_class)(
        text_config={
            "vocab_size": len(tokenizer),
            "hidden_size": 32,
            "intermediate_size": 32,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "num_key_value_heads": 2,
            "head_dim": 16,
            "max_position_embeddings": 512,
            "rope_parameters": {"rope_type": "default", "rope_theta": 10000.0, "mrope_section": [2, 3, 3]},
            "bos_token_id": ids["<|endoftext|>"],
            "eos_token_id": ids["<|im_end|>"],
            "pad_token_id": ids["<|endoftext|>"],
        },
        vision_config={"depth": 2, "num_heads": 2, "patch_size": patch, "out_hidden_size": 32, **vision},
        image_token_id=ids["<|image_pad|>"],
        video_token_id=ids["<|video_pad|>"],
        vision_start_token_id=ids["<|vision_start|>"],
        vision_end_token_id=ids["<|vision_end|>"],
    )
    getattr(transformers, network_class)(config).save_pretrained(place)
    is_three = network_class.startswith("Qwen3")
    processor = Qwen3VLProcessor if is_three else Qwen2_5_VLProcessor
    video = Qwen3VLVideoProcessor if is_three else Qwen2VLVideoProcessor
    images = Qwen2VLImageProcessor(
        size={"shortest_edge": 56 * 56, "longest_edge": 64 * 64}, patch_size=patch, merge_size=2
    )
    processor(images, tokenizer, video(), chat_template=CHAT).save_pretrained(place)


def qwen3_vl(place: Path) -> None:
    _qwen(
        place,
        "Qwen3VLConfig",
        "Qwen3VLForConditionalGeneration",
        16,
        hidden_size=32,
        intermediate_size=32,
        num_position_embeddings=16,
        deepstack_visual_indexes=[0],
    )


def qwen2_5_vl(place: Path) -> None:
    _qwen(
        place,
        "Qwen2_5_VLConfig",
        "Qwen2_5_VLForConditionalGeneration",
        14,
        hidden_size=32,
        intermediate_size=32,
        fullatt_block_indexes=[1],
        window_size=56,
    )
