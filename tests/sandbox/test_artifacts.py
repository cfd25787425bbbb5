import pytest
from eth_utils import keccak

from onchain_exec.app.sandbox.artifacts import Contract, read_contract
from onchain_exec.app.sandbox.deploy import uniswap_v2, uniswap_v3
from onchain_exec.core import to_address
from onchain_exec.errors import ConfigError

LIBRARY = to_address("0x" + "ab" * 20)
CONSTRUCTOR = {"type": "constructor", "inputs": [{"type": "tuple", "components": [{"type": "uint8"}]}]}


def test_creation_code_puts_the_library_at_each_of_its_places() -> None:
    placeholder = "__$1234567890123456789012345678901234$__"
    contract = Contract("Linked", (), f"60{placeholder}61{placeholder}62", {"Library": (1, 22)})
    code = contract.creation_code(libraries={"Library": LIBRARY})
    assert code.hex() == "60" + "ab" * 20 + "61" + "ab" * 20 + "62"


def test_creation_code_without_its_library_is_refused() -> None:
    with pytest.raises(ConfigError, match="Library"):
        Contract("Linked", (), "60" + "00" * 20, {"Library": (1,)}).creation_code()


def test_creation_code_appends_constructor_arguments_of_tuple_type() -> None:
    assert Contract("C", (CONSTRUCTOR,), "60", {}).creation_code((7,)) == b"\x60" + (7).to_bytes(32)


@pytest.mark.parametrize(
    ("package", "path", "name"),
    [
        ("canonical-weth", "build/contracts/WETH9.json", "WETH9"),  # truffle
        ("@uniswap/v2-core", "build/UniswapV2Factory.json", "UniswapV2Factory"),  # waffle, no 0x
        ("@uniswap/v4-periphery", "foundry-out/PoolManager.sol/PoolManager.default.json", "PoolManager"),
    ],
)
def test_read_contract_of_each_compiler_gives_code_and_abi(package: str, path: str, name: str) -> None:
    contract = read_contract(package, path)
    assert contract.name == name
    assert bytes.fromhex(contract.bytecode)
    assert any(item["type"] == "function" for item in contract.abi)


def test_read_contract_of_hardhat_finds_the_link_places() -> None:
    path = (
        "artifacts/contracts/NonfungibleTokenPositionDescriptor.sol/NonfungibleTokenPositionDescriptor.json"
    )
    assert list(read_contract("@uniswap/v3-periphery", path).link_offsets) == ["NFTDescriptor"]


def test_pair_and_pool_hash_to_what_uniswap_published() -> None:
    # UniswapV2Library.sol of v2-periphery, PoolAddress.sol of v3-periphery
    assert keccak(uniswap_v2.get_pair().creation_code()).hex().startswith("96e8ac4277198ff8")
    assert keccak(uniswap_v3.get_pool().creation_code()).hex().startswith("e34f199b19b2b4f4")


def test_encode_call_takes_a_struct_by_the_names_of_its_fields() -> None:
    fields = [{"name": "low", "type": "uint8"}, {"name": "high", "type": "uint16"}]
    item = {"type": "function", "name": "set", "inputs": [{"type": "tuple", "components": fields}]}
    contract = Contract("C", (item,), "60", {})
    calldata = contract.encode_call("set", {"high": 2, "low": 1})
    assert calldata == keccak(text="set((uint8,uint16))")[:4] + (1).to_bytes(32) + (2).to_bytes(32)
    with pytest.raises(ConfigError, match="no set of 2"):
        contract.encode_call("set", 1, 2)
