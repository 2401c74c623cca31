"""Explore pruning schedules before a training: see what is applied, decide, export the configuration.

The public names are declared once, in ``__init__.pyi``; each is imported from its module when it is first used.
"""

import lazy_loader

__version__ = "0.1.0"
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
