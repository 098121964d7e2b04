"""Bottleneck adapters: small networks after (or beside) the sub-layers of each block (Houlsby et al. 2019).

The tuner itself is in `tuner.py`, a native one of the peft library.
"""

from lab.methods.bottleneck.method import Bottleneck

__all__ = ["Bottleneck"]
