"""``RefLayerPipeline``: a picture and a prompt in, an RGBA layer out; saved and loaded in diffusers' layout."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from diffusers import DiffusionPipeline, StableDiffusion3Pipeline
from diffusers.utils.torch_utils import randn_tensor
from PIL import Image
from torch import Tensor

from engine import prompt_canvas
from engine.records import Picture, Prompt, PromptKind, RGBALayer
from engine.refusals import Refusal
from training.asking import checked_picture, checked_prompt
from training.reflayer import latents
from training.reflayer.alpha_decoder import AlphaDecoder
from training.reflayer.canvas_colour import MID_GREY, to_unit
from training.reflayer.finishing import finish
from training.reflayer.guidance import Conditions, Guidance
from training.reflayer.injector import RefLayerInjector
from training.reflayer.network import RefLayerNetwork
from training.reflayer.sampling import sample_latents
from training.reflayer.tensors import picture_tensor, resized, resized_prompt

Generators = torch.Generator | list[torch.Generator] | None


@dataclass(slots=True, eq=False)
class _Asked:
    """One picture of a call with all that belongs to it."""

    picture: Picture
    prompt: Prompt | None
    canvas: Picture | None
    text: str | None
    generator: torch.Generator | None
    size: tuple[int, int]

    @property
    def words(self) -> str:
        if self.text is not None:
            return self.text
        return self.prompt.text if self.prompt is not None else ""


class RefLayerPipeline(DiffusionPipeline):
    """The SD3 parts, the injector and the alpha decoder.

    ``resolution``: the picture is brought to about this many pixels squared, whatever its aspect. ``t5_tokens``: length
    of the T5 part of the text, 0 where the network was trained without. ``offset_encoder`` is needed to train on with
    ``latent_offset``, never to predict.
    """

    model_cpu_offload_seq = "text_encoder->text_encoder_2->text_encoder_3->injector->transformer->vae->alpha_decoder"
    _optional_components = ["text_encoder_3", "tokenizer_3", "offset_encoder"]

    encode_prompt = StableDiffusion3Pipeline.encode_prompt
    _get_clip_prompt_embeds = StableDiffusion3Pipeline._get_clip_prompt_embeds
    _get_t5_prompt_embeds = StableDiffusion3Pipeline._get_t5_prompt_embeds

    def __init__(
        self,
        transformer: Any,
        injector: RefLayerInjector,
        alpha_decoder: AlphaDecoder,
        vae: Any,
        scheduler: Any,
        text_encoder: Any,
        tokenizer: Any,
        text_encoder_2: Any,
        tokenizer_2: Any,
        text_encoder_3: Any = None,
        tokenizer_3: Any = None,
        offset_encoder: Any = None,
        transparency: str = "canvas_colour",
        canvas_colour: float = MID_GREY,
        resolution: int = 512,
        t5_tokens: int = 256,
    ) -> None:
        super().__init__()
        self.register_modules(
            transformer=transformer,
            injector=injector,
            alpha_decoder=alpha_decoder,
            vae=vae,
            scheduler=scheduler,
            text_encoder=text_encoder,
            tokenizer=tokenizer,
            text_encoder_2=text_encoder_2,
            tokenizer_2=tokenizer_2,
            text_encoder_3=text_encoder_3,
            tokenizer_3=tokenizer_3,
            offset_encoder=offset_encoder,
        )
        self.register_to_config(
            transparency=transparency, canvas_colour=canvas_colour, resolution=resolution, t5_tokens=t5_tokens
        )
        self.tokenizer_max_length = self.tokenizer.model_max_length if self.tokenizer is not None else 77

    @property
    def network(self) -> RefLayerNetwork:
        return RefLayerNetwork(self.injector, self.transformer)

    def encode_texts(self, texts: Sequence[str]) -> tuple[Tensor, Tensor]:
        """Embeddings ``[B, L, D]`` and pooled ``[B, P]`` by SD3's text encoders."""
        text, _, pooled, _ = self.encode_prompt(
            prompt=list(texts),
            prompt_2=None,
            prompt_3=None,
            device=self.text_encoder.device,
            do_classifier_free_guidance=False,
            max_sequence_length=self.config.t5_tokens,
        )
        return text, pooled

    def working_size(self, width: int, height: int, resolution: int | None = None) -> tuple[int, int]:
        """Width and height the network works at: the picture's aspect, whole patches, about ``resolution`` squared."""
        step = latents.times_smaller(self.vae) * int(self.transformer.config.patch_size)
        wanted = resolution or int(self.config.resolution)
        most = int(self.transformer.config.pos_embed_max_size) * step
        scale = wanted / (width * height) ** 0.5
        columns, rows = (min(most, max(step, round(side * scale / step) * step)) for side in (width, height))
        return columns, rows

    @torch.no_grad()
    def __call__(
        self,
        image: Picture | Image.Image | Sequence[Picture | Image.Image],
        prompt: Prompt | Sequence[Prompt] | None = None,
        *,
        canvas: Picture | Sequence[Picture] | None = None,
        text: str | Sequence[str] | None = None,
        num_inference_steps: int = 20,
        canvas_guidance: float = 1.5,
        text_guidance: float = 2.0,
        generator: Generators = None,
        keep_visible: bool = False,
        resolution: int | None = None,
        on_step: Callable[[int], None] | None = None,
    ) -> RGBALayer | list[RGBALayer]:
        """One layer per picture, each of its picture's size; a list when pictures came as a list.

        ``prompt`` in pixels of the picture, or ``canvas``, one already drawn (uint8, the picture's size), which wins.
        ``text`` stands for the prompt's own text. Guidance scales as in ``guidance``; 1 and 1 need a single pass.
        ``keep_visible`` copies surely visible pixels from the source. ``on_step`` gets the number of each finished
        step; what it raises ends the call.

        Raises ``engine.refusals.Refusal`` for pictures and prompts that make no sense.
        """
        is_single = isinstance(image, np.ndarray | Image.Image)
        images: Any = [image] if is_single else image
        pictures = [checked_picture(_pixels(one)) for one in images]
        prompts = _per_picture(prompt, Prompt, len(pictures))
        texts = _per_picture(text, str, len(pictures))
        generators = _per_picture(generator, torch.Generator, len(pictures))
        canvases = _per_picture(canvas, np.ndarray, len(pictures))
        asked = [
            _Asked(*row, size=self.working_size(row[0].shape[1], row[0].shape[0], resolution))
            for row in zip(pictures, prompts, canvases, texts, generators, strict=True)
        ]
        for one in asked:
            one.canvas = _drawn(one)
        guidance = Guidance(canvas_guidance, text_guidance)
        layers: dict[int, RGBALayer] = {}
        for size in dict.fromkeys(one.size for one in asked):
            members = [number for number, one in enumerate(asked) if one.size == size]
            batch = [asked[number] for number in members]
            found = self._answer(batch, num_inference_steps, guidance, keep_visible, on_step)
            layers.update(zip(members, found, strict=True))
        self.maybe_free_model_hooks()
        return layers[0] if is_single else [layers[number] for number in range(len(asked))]

    def _answer(
        self,
        asked: list[_Asked],
        steps: int,
        guidance: Guidance,
        keep_visible: bool,
        on_step: Callable[[int], None] | None,
    ) -> list[RGBALayer]:
        """One batch of one working size."""
        device, size = self._execution_device, asked[0].size
        source = self._encode([resized(one.picture, *size) for one in asked], device)
        canvas = self._encode([one.canvas for one in asked if one.canvas is not None], device)
        conditions = self._conditions(source, canvas, [one.words for one in asked])
        shape = (1, self.injector.config.noisy_channels, *source.shape[2:])
        noise = torch.cat([randn_tensor(shape, one.generator, device, torch.float32) for one in asked])
        sampled = sample_latents(self.network, self.scheduler, conditions, noise, steps, guidance, on_step)
        decoded = self.decode(sampled, source)
        return [
            self._finish(one.picture, one.prompt, found, alpha, visible, keep_visible)
            for one, found, alpha, visible in zip(asked, *decoded, strict=True)
        ]

    def _encode(self, pictures: Sequence[Picture], device: torch.device) -> Tensor:
        batch = torch.stack([picture_tensor(picture) for picture in pictures])
        return latents.encode(self.vae, batch.to(device))[0]

    def _conditions(self, source: Tensor, canvas: Tensor, texts: Sequence[str]) -> Conditions:
        dtype = self.transformer.dtype
        text, pooled = (embedded.to(source.device, dtype) for embedded in self.encode_texts(["", *texts]))
        return Conditions(
            source=source.to(dtype),
            canvas=canvas.to(dtype),
            text=text[1:],
            pooled=pooled[1:],
            null_text=text[:1],
            null_pooled=pooled[:1],
            has_text=any(texts),
        )

    @torch.no_grad()
    def decode(self, sampled: Tensor, source: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Picture ``[B, 3, H, W]``, alpha and visible ``[B, H, W]``, all 0..1, of sampled latents."""
        rgb, for_alpha = sampled, sampled
        if self.config.transparency == "dual_latent":
            rgb, for_alpha = sampled.chunk(2, dim=1)
        picture = to_unit(latents.decode(self.vae, rgb))
        dtype = self.alpha_decoder.dtype
        mattes = torch.sigmoid(self.alpha_decoder(for_alpha.to(dtype), source.to(dtype)).float())
        return picture, mattes[:, 0], mattes[:, 1]

    def _finish(
        self, source: Picture, asked: Prompt | None, picture: Tensor, alpha: Tensor, visible: Tensor, keep: bool
    ) -> RGBALayer:
        if asked is not None and asked.kind is PromptKind.BACKGROUND:
            alpha = torch.ones_like(alpha)  # a background is opaque by definition
        colour = None if self.config.transparency == "latent_offset" else float(self.config.canvas_colour)
        on_canvas = picture.permute(1, 2, 0).cpu().numpy()
        return finish(source, on_canvas, alpha.cpu().numpy(), visible.cpu().numpy(), colour, keep)


def _pixels(image: Any) -> Picture:
    return np.asarray(image.convert("RGB")) if isinstance(image, Image.Image) else image


def _per_picture(given: Any, one: type, count: int) -> list[Any]:
    """One entry a picture. Raises ``ValueError`` when a list has another length."""
    values = [given] * count if given is None or isinstance(given, one) else list(given)
    if len(values) != count:
        raise ValueError(f"{len(values)} {one.__name__} for {count} pictures")
    return values


def _drawn(asked: _Asked) -> Picture:
    """The prompt canvas at the working size."""
    height, width = asked.picture.shape[:2]
    if asked.canvas is not None:
        if asked.canvas.shape != asked.picture.shape:
            raise Refusal("canvas_size", f"The canvas is {asked.canvas.shape}, the picture {asked.picture.shape}.")
        return resized(asked.canvas, *asked.size)
    prompt = checked_prompt(asked.prompt or Prompt(PromptKind.BACKGROUND), width, height)
    if prompt.kind is PromptKind.BACKGROUND:
        prompt = Prompt(PromptKind.BACKGROUND)  # the network knows it as the blue canvas; a mask is for others
    return prompt_canvas.draw(resized_prompt(prompt, (width, height), asked.size), asked.size[1], asked.size[0])
