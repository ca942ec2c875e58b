"""Ready-made people, projects, pictures and layers for tests; files are real and go through the real storage."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
from django.contrib.auth import get_user_model

from engine import recipes
from engine.imaging import box_of, encode_png, sha256, thumbnail_webp
from engine.models import Layer, LayerStatus, Membership, Producer, Project, Prompt, SourceImage
from engine.services.files import store

_numbers = itertools.count(1)


def make_user(username: str, **kwargs: Any) -> Any:
    return get_user_model().objects.create_user(username=username, password="correct horse battery", **kwargs)


def make_project(name: str | None = None, **kwargs: Any) -> Project:
    name = name or f"Project {next(_numbers)}"
    return Project.objects.create(name=name, slug=name.lower().replace(" ", "-"), **kwargs)


def join(user: Any, project: Project, role: str) -> Membership:
    return Membership.objects.create(user=user, project=project, role=role)


def make_picture(seed: int = 0, width: int = 64, height: int = 48) -> np.ndarray:
    """A smooth coloured gradient with a little noise, different for every seed."""
    rng = np.random.default_rng(seed)
    ys, xs = np.mgrid[0:height, 0:width] / max(width, height)
    waves = [np.sin(2 * np.pi * (xs * f + ys * g + p)) for f, g, p in rng.uniform(0.5, 2, (3, 3))]
    picture = 128 + 80 * np.stack(waves, -1) + rng.normal(0, 4, (height, width, 3))
    return np.clip(picture, 0, 255).astype(np.uint8)


def make_image(project: Project, seed: int | None = None, width: int = 64, height: int = 48) -> SourceImage:
    number = next(_numbers) if seed is None else seed
    pixels = make_picture(number, width, height)
    png = encode_png(pixels)
    return SourceImage.objects.create(
        project=project,
        sha256=sha256(png),
        perceptual_hash=number,
        original_name=f"photo-{number}.png",
        original_format="PNG",
        original=store("originals", png, "png"),
        picture=store("pictures", png, "png"),
        thumbnail=store("thumbnails", thumbnail_webp(pixels, 320), "webp"),
        width=width,
        height=height,
    )


def make_producer(name: str = "cpu@test") -> Producer:
    defaults = {"kind": Producer.Kind.RECIPE, "digest": recipes.cpu().digest}
    return Producer.objects.get_or_create(name=name, defaults=defaults)[0]


def make_layer(
    image: SourceImage,
    *,
    depth: int = 0,
    kind: str = "foreground",
    label: str = "ball",
    status: str = LayerStatus.READY,
    producer: Producer | None = None,
    **kwargs: Any,
) -> Layer:
    """A soft disc cut from the picture (or the opaque background), with a point and a text prompt."""
    pixels = make_picture(next(_numbers), image.width, image.height)
    ys, xs = np.mgrid[0 : image.height, 0 : image.width]
    radius = min(image.width, image.height) / 3
    centre = (image.width / 2 + 3 * depth, image.height / 2)
    distance = np.hypot(xs - centre[0], ys - centre[1])
    alpha = np.clip((radius - distance) / 2 + 0.5, 0, 1)
    if kind == "background":
        alpha[:] = 1
    rgba = np.dstack([pixels, np.rint(alpha * 255).astype(np.uint8)])
    png = encode_png(rgba)
    layer = Layer.objects.create(
        project=image.project,
        image=image,
        producer=producer or make_producer(),
        key="bg" if kind == "background" else f"{depth:02d}",
        depth=depth,
        kind=kind,
        label=label,
        status=status,
        sha256=sha256(png),
        rgba=store("layers", png, "png"),
        visible_mask=store("masks", encode_png(alpha > 0.5), "png"),
        thumbnail=store("thumbnails", thumbnail_webp(rgba, 160), "webp"),
        box=list(box_of(alpha > 0) or (0, 0, 0, 0)),
        area_share=float((alpha > 0.5).mean()),
        hidden_share=0.0,
        soft_share=float(((alpha > 0) & (alpha < 1)).sum() / (alpha > 0).sum()),
        scores={"recomposition": 0.01},
        **kwargs,
    )
    if kind == "background":
        Prompt.objects.create(layer=layer, kind="background", text="background")
    else:
        Prompt.objects.create(layer=layer, kind="point", points=[[centre[0], centre[1]]])
        Prompt.objects.create(layer=layer, kind="text", text=f"the {label}")
    return layer
