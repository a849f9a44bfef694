"""What the shop allows, as data: `load_policy` reads it, `rules.decide` applies it."""

from helpline.policy.policy import Policy, load_policy

__all__ = ["Policy", "load_policy"]
