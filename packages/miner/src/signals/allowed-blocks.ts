/** Where TradingView's alerts come from, as it publishes them. */
const TRADINGVIEW = ['52.89.214.238', '34.212.75.30', '54.218.53.128', '52.32.178.7'];

/** The addresses and blocks that a list names. */
export function allowedBlocks(list: readonly string[]): string[] {
  return list.flatMap((entry) => (entry === 'tradingview' ? TRADINGVIEW : [entry]));
}
