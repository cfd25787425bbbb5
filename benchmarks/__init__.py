"""How fast and how good, beside other implementations: ``python -m benchmarks [NAME ...]``.

Each ``bench_NAME.py`` in this folder exposes ``run() -> list[Row]``.
"""
