import { MetagraphFile } from '@ptn-api/wire';
import type { Logger } from 'pino';
import { askForData, dataSources } from '../data-api/dash-data.ts';
import { dataApi } from '../data-api/data-api.ts';
import { PortsInUseError, listenOnFreePort } from '../data-api/listen-on-free-port.ts';
import { MinerData } from '../data-api/miner-data.ts';
import { PAGE_FOLDER, minerPage } from '../data-api/miner-page.ts';
import { ValidatorClient } from '../sender/validator-client.ts';
import { NETWORKS } from '../sender/validators.ts';
import { readSigningKey } from '../wallet/hotkey-path.ts';
import type { RunConfig, RunningPart } from './run-config.ts';

const [FIRST_DATA_PORT, DATA_PORTS_END] = [41_511, 41_611];
const [FIRST_PAGE_PORT, PAGE_PORTS_END] = [5_173, 5_273];

/** The part that serves the miner's page and its data. @throws PageMissingError, WalletError, MetagraphError */
export async function startData(config: RunConfig, log: Logger): Promise<RunningPart> {
  const keypair = readSigningKey(config.hotkeyFile);
  const network = NETWORKS[config.netuid] ?? 'mainnet';
  const warn = log.warn.bind(log);
  const metagraph = new MetagraphFile({ path: config.metagraphFile, netuid: config.netuid, warn });
  const client = new ValidatorClient();
  const abort = new AbortController();
  const data = new MinerData();
  let asking: Promise<void> | undefined;
  const ask = async (): Promise<void> => {
    try {
      const sources = dataSources(metagraph.current, network);
      data.take(await askForData(client, keypair, sources, abort.signal));
    } catch (error) {
      log.warn({ err: error }, 'the validators could not be asked for data');
    }
  };
  const api = dataApi({
    hotkey: keypair.address,
    minerData: async () => {
      if (data.mayAsk(Date.now())) {
        asking = ask().finally(() => {
          asking = undefined;
        });
      }
      // Whoever comes while validators are being asked waits with the one who had them asked.
      await asking;
      return data.body;
    },
    log,
  });
  const close = async (): Promise<void> => {
    abort.abort();
    metagraph.close();
    await Promise.all([api.close(), client.close()]);
  };
  try {
    const port = await listenOnFreePort(api, FIRST_DATA_PORT, DATA_PORTS_END);
    const url = `http://127.0.0.1:${port}`;
    if (!config.startDashboard) return { text: `shows its data at ${url}/miner-data`, stop: close };
    const page = minerPage(PAGE_FOLDER, url, log);
    const pagePort = await listenOnFreePort(page, FIRST_PAGE_PORT, PAGE_PORTS_END);
    return {
      text: `shows its page at http://127.0.0.1:${pagePort}/, with data from ${url}`,
      stop: async () => {
        await page.close();
        await close();
      },
    };
  } catch (error) {
    await close();
    if (!(error instanceof PortsInUseError)) throw error;
    // Signals matter more than a page.
    log.error(
      `Unable to start miner dashboard with error ${error.message} Restart miner and specify a new port if desired.`,
    );
    return { text: 'shows no data: all of its ports are in use', stop: () => Promise.resolve() };
  }
}
