"""Where settings come from, in which order, and that a secret never shows."""

from __future__ import annotations

from pathlib import Path

import pytest

from onchain_exec.app.configuration.opening import (
    LOCAL_TRADER_KEY,
    make_intent_book,
    make_policy,
    make_signer,
)
from onchain_exec.app.configuration.settings import load_settings
from onchain_exec.errors import ConfigError

KEY = LOCAL_TRADER_KEY


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No configuration of this machine, and a working directory of its own."""
    monkeypatch.chdir(tmp_path)
    for name in ("RPC_URL", "PRIVATE_KEY", "JOURNAL", "KEYSTORE", "CHAIN_ID", "MAX_SLIPPAGE_BPS"):
        monkeypatch.delenv(f"ONCHAIN_EXEC_{name}", raising=False)
    return tmp_path


def test_load_settings_takes_arguments_before_environment_before_dotenv_before_toml(
    empty_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (empty_folder / "onchain-exec.toml").write_text(
        'rpc_url = "toml"\nchain_id = 1\njournal = "toml.sqlite"\nmax_slippage_bps = 11\n'
    )
    (empty_folder / ".env").write_text(
        "ONCHAIN_EXEC_RPC_URL=dotenv\nONCHAIN_EXEC_CHAIN_ID=2\nONCHAIN_EXEC_JOURNAL=dotenv.sqlite\nOTHER=1\n"
    )
    monkeypatch.setenv("ONCHAIN_EXEC_RPC_URL", "environment")
    monkeypatch.setenv("ONCHAIN_EXEC_CHAIN_ID", "3")
    settings = load_settings(rpc_url="argument", chain_id=None)
    assert settings.rpc_url == "argument"
    assert settings.chain_id == 3
    assert settings.journal == "dotenv.sqlite"
    assert settings.max_slippage_bps == 11


def test_load_settings_of_a_bad_value_names_the_field_and_not_the_value(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ONCHAIN_EXEC_CHAIN_ID", KEY)
    with pytest.raises(ConfigError, match="chain_id") as caught:
        load_settings()
    assert KEY not in str(caught.value)


def test_load_settings_of_a_broken_file_says_which(empty_folder: Path) -> None:
    (empty_folder / "onchain-exec.toml").write_text("rpc_url = [")
    with pytest.raises(ConfigError, match=r"onchain-exec\.toml"):
        load_settings()


def test_secrets_show_in_no_text_of_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONCHAIN_EXEC_PRIVATE_KEY", KEY)
    settings = load_settings()
    signer = make_signer(settings, 1)
    for text in (repr(settings), str(settings), settings.model_dump_json(), repr(signer), str(signer)):
        assert KEY[2:] not in text


def test_make_signer_knows_the_public_trader_on_the_local_chain_only() -> None:
    settings = load_settings()
    local = make_signer(settings, 1337)
    assert local is not None
    assert local.address == "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
    assert make_signer(settings, 1) is None


@pytest.mark.parametrize(
    ("name", "value", "needed"),
    [("keystore", "key.json", "PASSWORD"), ("keystore", "absent.json", "PASSWORD")],
)
def test_make_signer_of_a_keystore_without_a_password_says_how(name: str, value: str, needed: str) -> None:
    with pytest.raises(ConfigError, match=needed):
        make_signer(load_settings(**{name: Path(value)}), 1)


def test_make_signer_of_two_keys_is_refused() -> None:
    with pytest.raises(ConfigError, match="both"):
        make_signer(load_settings(private_key=KEY, keystore=Path("key.json")), 1)


def test_make_policy_scales_the_gas_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONCHAIN_EXEC_MAX_FEE_GWEI", "0.25")
    assert make_policy(load_settings()).max_fee_wei == 250_000_000


@pytest.mark.parametrize("where", ["toml", "dotenv", "environment", "argument"])
def test_load_settings_of_a_name_that_is_none_is_refused(
    where: str, empty_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A limit that is misspelt would be no limit."""
    arguments = {}
    match where:
        case "toml":
            (empty_folder / "onchain-exec.toml").write_text("max_impakt_bps = 1\n")
        case "dotenv":
            (empty_folder / ".env").write_text("OTHER=1\nONCHAIN_EXEC_MAX_IMPAKT_BPS=1\n")
        case "environment":
            monkeypatch.setenv("ONCHAIN_EXEC_MAX_IMPAKT_BPS", "1")
        case _:
            arguments["max_impakt_bps"] = 1
    with pytest.raises(ConfigError, match="no such setting: max_impakt_bps"):
        load_settings(**arguments)


def test_load_settings_lets_the_variables_of_tools_and_tables_be(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"ANVIL": "/a", "CACHE": "/c", "PROTOCOLS": "/p", "POOL__AGREEING": "2"}.items():
        monkeypatch.setenv(f"ONCHAIN_EXEC_{name}", value)
    assert load_settings().pool.agreeing == 2


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("confirmations", 0), ("confirmations", -1), ("time_to_live_s", -1), ("max_fee_gwei", 0)),
        *(("max_slippage_bps", -1), ("max_slippage_bps", 10_000)),
        *(("confirm_timeout_s", value) for value in (-0.1, float("nan"), float("inf"))),
    ],
)
def test_make_policy_of_a_time_fee_or_count_that_is_none_is_refused(name: str, value: float) -> None:
    with pytest.raises(ConfigError, match="is "):
        make_policy(load_settings(**{name: value}))


def test_make_intent_book_where_none_is_named_is_none_and_never_shows_its_token() -> None:
    assert make_intent_book(load_settings()) is None
    named = load_settings(intent_book="http://127.0.0.1:1", intent_book_token=KEY, channels=["intent"])
    book = make_intent_book(named)
    assert KEY not in f"{named!r} {book!r}"
    assert make_policy(named).channels.intent_s == 60
    with pytest.raises(ConfigError, match="http"):
        make_intent_book(load_settings(intent_book="book"))
    with pytest.raises(ConfigError, match="intent_s"):
        make_policy(load_settings(intent_s=0))
