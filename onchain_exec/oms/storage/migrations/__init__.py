"""Where alembic looks: `env` runs the revisions in `versions`."""
