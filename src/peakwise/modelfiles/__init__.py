"""One ``.pw`` file: a recipe (plain JSON) and the arrays that it speaks of.

Only the container lives here. What a recipe means, `peakwise.estimators` knows.
"""

from peakwise.modelfiles._cache import cache_key, model_cache, prune_models
from peakwise.modelfiles._read import ModelFile, read_model
from peakwise.modelfiles._recipe import FIELDS, dumps_recipe, loads_recipe
from peakwise.modelfiles._write import write_model

__all__ = [
    "FIELDS",
    "ModelFile",
    "cache_key",
    "dumps_recipe",
    "loads_recipe",
    "model_cache",
    "prune_models",
    "read_model",
    "write_model",
]
