export const VIEWS = ['live', 'miners', 'statistics', 'eliminations', 'server'] as const;
export type View = (typeof VIEWS)[number];

/** What the page shows; kept in the fragment of its address, so that back, forward and bookmarks work. */
export interface Place {
  readonly view: View;
  /** One miner, in the views that can show one. */
  readonly hotkey: string | null;
}

/** Anything unknown is the first view. */
export function readPlace(fragment: string): Place {
  const [name = '', rest = ''] = fragment.replace(/^#\/?/, '').split('/');
  const view = VIEWS.find((candidate) => candidate === name) ?? 'live';
  let hotkey: string | null;
  try {
    hotkey = rest === '' ? null : decodeURIComponent(rest);
  } catch {
    hotkey = null; // Not percent-encoded text: no miner is called that.
  }
  return { view, hotkey };
}

export function placeLink(view: View, hotkey?: string): string {
  return hotkey === undefined ? `#/${view}` : `#/${view}/${encodeURIComponent(hotkey)}`;
}

/** What the server says about itself to the page. */
export interface PageConfig {
  /** Where the stream is, as clients reach it; absent: on {@link wsPort} of the page's host. */
  readonly wsUrl?: string;
  readonly wsPort: number;
}

/** Where the REST API is: the page is at `dashboard/` below it, also where a proxy put both under a path. */
export function restUrl(pageUrl: string): string {
  return new URL('..', pageUrl).href.replace(/\/$/, '');
}

export function streamUrl(
  { wsUrl, wsPort }: PageConfig,
  { protocol, hostname }: { readonly protocol: string; readonly hostname: string },
): string {
  return wsUrl ?? `${protocol === 'https:' ? 'wss:' : 'ws:'}//${hostname}:${wsPort}/`;
}
