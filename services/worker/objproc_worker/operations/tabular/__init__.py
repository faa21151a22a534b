"""Tabular content: CSV, TSV, JSON, NDJSON and Parquet, read as batches of columns.

content.py     what the bytes are; encoding.py and dialect.py say how to read text
layout.py      the verdict of `validate`: how to read the file again, and the columns' types
reading.py     layout → reader (csv_reader, json_reader, parquet_reader) → batches of cells
categories.py  what one written value looks like; column_types.py decides by majority
survey.py      first pass: counts; rejects.py: second pass: which rows fail, and where
"""

import os

# Arrow's allocator would start a background thread while it is imported; the worker forks after that.
os.environ.setdefault("JE_ARROW_MALLOC_CONF", "background_thread:false")
