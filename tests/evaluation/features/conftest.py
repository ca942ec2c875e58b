"""Torchvision must be importable before the packages that these tests compare with."""

from engine.torchvision_guard import install

install()
