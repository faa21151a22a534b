"""The built-in operations; importing this package registers them."""

from objproc_worker.operations.analyze import Analyze
from objproc_worker.operations.enrich import Enrich
from objproc_worker.operations.export import Export
from objproc_worker.operations.transform import Transform
from objproc_worker.operations.validate import Validate

__all__ = ["Analyze", "Enrich", "Export", "Transform", "Validate"]
