/** What the names of all metrics begin with. */
export const METRIC_PREFIX = 'ptn_api_';
