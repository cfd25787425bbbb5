"""How hard the property tests search: ``--hypothesis-profile`` dev (the default), ci or deep."""

from hypothesis import HealthCheck, settings

pytest_plugins = ["pytester"]

for profile, examples in (("dev", 50), ("ci", 50), ("deep", 5_000)):
    # A shared machine's pauses are no failures, and an EVM is slow to start, not to answer. The gate
    # (ci) tries the same examples every time; dev and deep go on searching.
    settings.register_profile(
        profile,
        max_examples=examples,
        deadline=None,
        derandomize=profile == "ci",
        suppress_health_check=[HealthCheck.too_slow],
    )
settings.load_profile("dev")
