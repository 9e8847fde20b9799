"""The sample city: fictitious, made from a seed, delivered as the files that departments would send."""

from etl.demo.build import build_city
from etl.demo.sizes import SIZES

__all__ = ["SIZES", "build_city"]
