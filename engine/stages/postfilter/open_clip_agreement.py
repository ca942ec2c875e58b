"""Agreement of pictures with words: CLIP (Radford et al. 2021) and its kin, by open_clip (Ilharco et al. 2021)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from engine.records import Picture
from engine.stages.network import Network, numpy
from engine.stages.postfilter.squares import to_square
from engine.stages.roles import Floats
from engine.stages.text_features import TextFeatures


class OpenClipAgreement(Network):
    """Pictures are padded to squares, never cropped: an object at the side counts as one in the middle."""

    def __init__(self, weights: str, batch: int = 32) -> None:
        super().__init__(weights, batch)

    def load_from(self, place: Path) -> None:
        import open_clip

        where = f"local-dir:{place}"
        self.network = open_clip.create_model(where, require_pretrained=True).to(self.device, self.dtype).eval()
        self.tokenizer = open_clip.get_tokenizer(where)
        visual = self.network.visual
        size = visual.image_size
        self.side = size[0] if isinstance(size, (tuple, list)) else int(size)
        self.mean, self.std = (
            torch.tensor(value, device=self.device)[:, None, None] for value in (visual.image_mean, visual.image_std)
        )
        self.words = TextFeatures(lambda texts: self.in_batches(texts, self._read))

    @torch.inference_mode()
    def __call__(self, pictures: Sequence[Picture], texts: Sequence[str]) -> Floats:
        if not pictures or not texts:
            return np.zeros((len(pictures), len(texts)), np.float32)
        words = torch.stack(self.words(texts))
        seen = torch.stack(self.in_batches(pictures, self._see))
        return numpy(seen @ words.T).astype(np.float32)

    def _see(self, pictures: Sequence[Picture]) -> list[torch.Tensor]:
        shown = np.stack([to_square(picture, self.side) for picture in pictures])
        tensor = torch.from_numpy(shown).to(self.device).permute(0, 3, 1, 2).float() / 255
        inputs = ((tensor - self.mean) / self.std).to(self.dtype)
        return list(torch.nn.functional.normalize(self.network.encode_image(inputs).float(), dim=-1))

    def _read(self, texts: Sequence[str]) -> list[torch.Tensor]:
        tokens = self.tokenizer(list(texts)).to(self.device)
        return list(torch.nn.functional.normalize(self.network.encode_text(tokens).float(), dim=-1))
