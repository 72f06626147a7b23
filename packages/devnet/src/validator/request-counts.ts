import type { AxonReport } from './axon.ts';

/** How many requests were answered how, since the start. */
export class RequestCounts {
  accepted = 0;
  /** Orders and other requests that the rules refuse. */
  refused = 0;
  /** Not verified, unreadable, or not from the network. */
  rejected = 0;

  add({ status, problem }: Pick<AxonReport, 'status' | 'problem'>): void {
    if (status !== 200) this.rejected += 1;
    else if (problem === '') this.accepted += 1;
    else this.refused += 1;
  }
}
