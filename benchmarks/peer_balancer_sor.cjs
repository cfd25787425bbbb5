// Runs beside @balancer-labs/sor: the swap given on stdin, over pools of equal weights, which are constant
// products. Milliseconds of CPU (the median of three warm runs) and the amount out on stdout.
const { readFileSync } = require('node:fs')
const { SOR, SwapTypes } = require('@balancer-labs/sor')
const { BigNumber } = require('@ethersproject/bignumber')

const request = JSON.parse(readFileSync(0, 'utf8'))
const pools = request.pools.map(({ address, tokens, reserves, fee }) => ({
  id: address + '0'.repeat(24),
  address,
  poolType: 'Weighted',
  swapFee: fee,
  swapEnabled: true,
  totalShares: '1',
  totalWeight: '1',
  tokensList: tokens,
  tokens: tokens.map((token, side) => ({
    address: token,
    balance: reserves[side],
    decimals: 18,
    priceRate: '1',
    weight: '0.5',
  })),
}))

async function main() {
  const config = { chainId: 1, vault: '0x' + '0'.repeat(40), weth: request.token_in }
  const prices = { getNativeAssetPriceInToken: async () => '0' }
  const router = new SOR({}, config, { getPools: async () => pools }, prices)
  await router.fetchPools()
  const terms = [request.token_in, request.token_out, SwapTypes.SwapExactIn, BigNumber.from(request.amount)]
  const options = { maxPools: request.max_pools, gasPrice: BigNumber.from(0), timestamp: 0 }
  let found = await router.getSwaps(...terms, options)
  const times = []
  for (let round = 0; round < 3; round++) {
    const start = process.cpuUsage()
    found = await router.getSwaps(...terms, options)
    const used = process.cpuUsage(start)
    times.push((used.user + used.system) / 1e3)
  }
  const ms = times.sort((one, other) => one - other)[1]
  console.log(JSON.stringify({ ms, amount_out: found.returnAmount.toString() }))
}

main()
