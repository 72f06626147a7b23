/** The thread that makes the OpenAPI document, of the version that it is started with; posts it, as JSON, and ends. */
import { parentPort, workerData } from 'node:worker_threads';
import { openApiDocument } from './document.ts';

parentPort?.postMessage(await openApiDocument(workerData as string));
