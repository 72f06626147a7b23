const LOOPBACK = /^(?:localhost|127\.[\d.]+|\[::1\])$/;

/** Where the server itself answers REST requests. */
interface OwnAddress {
  readonly host: string;
  readonly restPort: number;
}

/**
 * The origin that is meant by `--forward-to`, or why it cannot be used. What is no origin alone stands in no error: it may
 * hold a password.
 *
 * @param label what the option is called.
 */
export function readForwardTarget(
  text: string,
  label: string,
  own: OwnAddress,
): { readonly origin: string } | { readonly problem: string } {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.href !== `${url.origin}/`) {
    const allowed = 'http:// or https:// with a host and a port alone, such as http://127.0.0.1:48880';
    return { problem: `${label} is not ${allowed} (its value is not shown)` };
  }
  if (!isOwn(url, own)) return { origin: url.origin };
  const advice = "start the validator's own on another port and name that";
  return { problem: `${label} is ${url.origin}, which is this server itself: ${advice}` };
}

function isOwn({ hostname, port, protocol }: URL, { host, restPort }: OwnAddress): boolean {
  const isOwnHost = LOOPBACK.test(hostname) || hostname === host;
  return isOwnHost && Number(port || (protocol === 'https:' ? 443 : 80)) === restPort;
}
