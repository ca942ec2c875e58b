"""What each metric says, in a sentence for people who look at a layer or a board."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Explained:
    title: str
    says: str
    better: str
    """``lower`` or ``higher``."""

    @property
    def arrow(self) -> str:
        return "↓" if self.better == "lower" else "↑"


EXPLAINED = {
    "hpa": Explained("HPA", "Preservation, completion and fidelity, each between its bounds, in one number.", "higher"),
    "s_vis": Explained("Preservation", "How different the seen part looks from the truth; 0 is the same.", "lower"),
    "s_gen": Explained("Completion", "Whether what was added goes where the truth goes; 1 is exactly there.", "higher"),
    "s_fid": Explained("Fidelity", "How far all layers together are from all true ones; 0 is no difference.", "lower"),
    "soft_iou": Explained("Soft IoU", "How much of alpha and true alpha is shared; 1 is all of it.", "higher"),
    "mse": Explained("Alpha error", "Mean squared difference of alpha from the true alpha.", "lower"),
    "recomposition": Explained("Recomposition", "What is wrong when the layer is laid back in its place.", "lower"),
    "edge_colour": Explained("Edge colour", "Colour error where alpha is soft: halos and fringes.", "lower"),
    "kid": Explained("KID", "As fidelity, without its bias in small sets; about 0 is no difference.", "lower"),
}
