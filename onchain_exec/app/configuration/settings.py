"""Configuration: arguments, then ``ONCHAIN_EXEC_*`` variables (and ``.env``), then onchain-exec.toml."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from onchain_exec.chain import Endpoint, EndpointLimits, PoolPolicy
from onchain_exec.errors import ConfigError
from onchain_exec.execution.channels import Channel, ChannelPolicy

_PREFIX: Final = "ONCHAIN_EXEC_"
_OTHERS: Final = frozenset({"anvil", "cache", "cast", "forge", "protocols"})
"""Variables with our prefix that are no settings: where programs and files of the local chain are."""


class Settings(BaseSettings):
    """Every setting, with its default. The name of a variable is ``ONCHAIN_EXEC_`` and the field's
    name in capitals; in the TOML file it is the field's name. ``pool`` is a table there, its variables
    are ``ONCHAIN_EXEC_POOL__AGREEING`` and so on; ``endpoints`` is an array of tables, its variable
    JSON. Secrets print as stars."""

    model_config = SettingsConfigDict(
        env_prefix=_PREFIX,
        env_nested_delimiter="__",
        env_file=".env",
        toml_file="onchain-exec.toml",
        extra="ignore",
    )

    rpc_url: str = Field(
        "",
        description="Node URLs apart by spaces; read+, send+, private+ or relay+ before one limits it",
        repr=False,  # it may hold a key
    )
    endpoints: tuple[Endpoint, ...] = Field(
        (), description="Nodes with roles and limits; not used where rpc_url is set", repr=False
    )
    pool: PoolPolicy = Field(PoolPolicy(), description="When a view of the chain counts")
    chain_id: int | None = Field(None, description="Refuse a node of any other chain")
    journal: str = Field("onchain-exec.sqlite", description="SQLite file, or postgresql+psycopg://...")
    deployments: Path = Field(
        Path("onchain-exec-deployments"), description="Folder of the files that `onchain-exec deploy` writes"
    )
    private_key: SecretStr | None = Field(None, description="Hex key; a keystore is safer")
    keystore: Path | None = Field(None, description="Encrypted JSON key file")
    keystore_password: SecretStr | None = Field(None, description="Password of the keystore")
    api_token: SecretStr | None = Field(None, description="Bearer token of `onchain-exec serve`")
    maker_tokens: tuple[SecretStr, ...] = Field(
        (), description="Bearer tokens, a JSON list, of makers: for signed orders and quotes alone"
    )
    max_slippage_bps: int = Field(50, description="Slippage in bps of orders that name none")
    max_order_slippage_bps: int = Field(100, description="Refuse orders that allow more slippage than this")
    max_impact_bps: int = Field(300, description="Refuse orders that move the price further than this")
    max_shortfall_bps: int = Field(
        500, description="Refuse orders of which fee and impact take more than this, off the reference price"
    )
    max_notional: dict[str, Decimal] = Field(
        {}, description="The most of a token, by symbol or address, that one order may buy or sell"
    )
    allowed_tokens: tuple[str, ...] | None = Field(
        None, description="Refuse orders of all other tokens; a JSON list in the environment"
    )
    gas_reserve_ether: Decimal = Field(
        Decimal(0), ge=0, description="Refuse orders whose gas leaves less of the native coin than this"
    )
    max_quote_age_s: int = Field(60, description="Refuse to trade on a quote older than this")
    max_price_divergence_bps: int | None = Field(
        1_000, description="Refuse orders while pools, means and feeds lie further off their median"
    )
    max_price_age_s: int | None = Field(None, description="Price sources older than this do not count")
    min_price_kinds: int = Field(0, description="Of pools, means and feeds, how many kinds must tell a price")
    time_to_live_s: int = Field(120, description="Seconds until an order's transaction reverts on chain")
    confirmations: int = Field(1, description="Blocks, the including one counted, until a fill is reported")
    confirm_timeout_s: float = Field(60.0, description="Wait this long for inclusion; then it is UNKNOWN")
    private_only: bool = Field(False, description="Send transactions to private endpoints and relays only")
    channels: frozenset[Channel] = Field(
        ChannelPolicy().allowed, description="Ways that an order may go out; a JSON list in the environment"
    )
    wait_blocks: int = Field(
        ChannelPolicy().wait_blocks, description="Blocks that an order waits, once, where that is the channel"
    )
    reconsider_blocks: int | None = Field(
        None, description="Choose again for private bytes that no block had for so many blocks"
    )
    fall_back_to_public: bool = Field(False, description="Let that choice be the public pool")
    intent_book: str = Field("", description="URL of the `serve` that shows orders where `intent` is the way")
    intent_book_token: SecretStr | None = Field(None, description="A bearer token of it; a maker's is enough")
    intent_s: int = Field(ChannelPolicy().intent_s, description="Seconds for which an intent may be filled")
    max_fee_gwei: Decimal | None = Field(None, description="Never pay more per gas than this")

    # A limit that is misspelt would be no limit: what nothing reads is refused, here as by `load_settings`.
    @field_validator("endpoints", mode="before")
    @classmethod
    def _require_known_endpoints(cls, given: Any) -> Any:
        for item in given if isinstance(given, list) else ():
            _require_names(item, Endpoint)
            if isinstance(item, Mapping):
                _require_names(item.get("limits"), EndpointLimits)
        return given

    @field_validator("pool", mode="before")
    @classmethod
    def _require_known_policy(cls, given: Any) -> Any:
        _require_names(given, PoolPolicy)
        return given

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Order the sources: arguments, environment, .env, TOML file."""
        return init_settings, env_settings, dotenv_settings, TomlConfigSettingsSource(settings_cls)


def _require_names(given: Any, kind: type[Any]) -> None:
    names = {item.name for item in dataclasses.fields(kind)}
    if isinstance(given, Mapping) and (unknown := sorted(given.keys() - names)):
        raise ValueError(f"no such setting: {', '.join(unknown)}")


def _list_unknown(arguments: Mapping[str, Any]) -> list[str]:
    variables = (*EnvSettingsSource(Settings).env_vars, *DotEnvSettingsSource(Settings).env_vars)
    prefix = _PREFIX.lower()
    ours = (name.removeprefix(prefix) for name in variables if name.startswith(prefix))
    named = {*arguments, *TomlConfigSettingsSource(Settings).toml_data, *(n.partition("__")[0] for n in ours)}
    return sorted(named - Settings.model_fields.keys() - _OTHERS)


def load_settings(**arguments: Any) -> Settings:
    """Return the settings; an argument of None counts as not given.

    Raises:
        ConfigError: a value cannot be read, or a name is no setting's. The message names fields, never
            values: one may be a key.
    """
    given = {name: value for name, value in arguments.items() if value is not None}
    try:
        settings, unknown = Settings(**given), _list_unknown(given)
        if not unknown:
            return settings
        problems = f"no such setting: {', '.join(unknown)}"
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(str(part) for part in item['loc'])}: {item['msg']}" for item in error.errors()
        )
    except SettingsError as error:  # a variable that is no JSON
        problems = str(error)
    except ValueError as error:  # a TOML file that does not parse
        problems = f"onchain-exec.toml: {type(error).__name__}"
    raise ConfigError(
        f"the configuration cannot be read ({problems})",
        todo="Arguments go first, then ONCHAIN_EXEC_* variables, .env, and onchain-exec.toml",
    )
