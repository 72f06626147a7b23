import { MetagraphFile } from '@ptn-api/wire';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { askForData, dataSources } from '../data-api/dash-data.ts';
import { dataApi } from '../data-api/data-api.ts';
import { listenIfPossible } from '../data-api/listen-on-free-port.ts';
import { minerPage, pageFolder } from '../data-api/miner-page.ts';
import { ValidatorReports } from '../data-api/validator-reports.ts';
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
  const reports = new ValidatorReports({
    hotkey: keypair.address,
    ask: () => askForData(client, keypair, dataSources(metagraph.current, network), abort.signal),
    onFault: (error) => {
      if (!abort.signal.aborted) log.warn({ err: error }, 'the validators could not be asked for data');
    },
  });
  const api = dataApi({
    hotkey: keypair.address,
    minerData: async () => {
      // Whoever comes while validators are being asked waits with the one who had them asked.
      await reports.refresh();
      return reports.body;
    },
    log,
  });
  const apps: FastifyInstance[] = [api];
  const stop = async (): Promise<void> => {
    abort.abort();
    metagraph.close();
    await Promise.all([...apps.map((app) => app.close()), client.close()]);
  };
  try {
    // Made first: where the page is missing nothing is to be listening.
    const page = config.startDashboard ? minerPage({ folder: pageFolder(), reports, log }) : undefined;
    if (page !== undefined) apps.push(page);
    const dataUrl = await listenIfPossible(api, FIRST_DATA_PORT, DATA_PORTS_END, log);
    const pageUrl = page && (await listenIfPossible(page, FIRST_PAGE_PORT, PAGE_PORTS_END, log));
    const shown = [
      ...(pageUrl === undefined ? [] : [`its page at ${pageUrl}/`]),
      ...(dataUrl === undefined ? [] : [`its data at ${dataUrl}/miner-data`]),
    ];
    const text = shown.length === 0 ? 'nothing: all of its ports are in use' : shown.join(', ');
    return { text: `shows ${text}`, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
