"""RefLayer: one picture and a prompt give one complete RGBA layer. Pure torch on diffusers' classes, no Django.

Shapes everywhere below: pictures ``[B, 3, H, W]`` float in -1..1, mattes and masks ``[B, 1, H, W]`` in 0..1, latents
``[B, C, H / 8, W / 8]`` after the autoencoder's shift and scale.
"""

from engine.torchvision_guard import install

install()
