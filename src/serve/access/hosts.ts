import { hostname, networkInterfaces } from 'node:os';

/** Addresses of this machine alone. */
const LOOPBACK: ReadonlySet<string> = new Set(['127.0.0.1', '::1', 'localhost']);

/** Whether only this machine reaches an address. */
export function isLoopback(host: string): boolean {
  return LOOPBACK.has(host);
}

/**
 * The names that a server is reached by.
 *
 * @param host - the address that it listens at
 * @param names - further names: of this machine in a network, or of a proxy before the server
 * @returns whether a header `Host` is the server's; the port may be a proxy's for `names`
 */
export function ownHosts(host: string, names: readonly string[]): (header: string, port: number) => boolean {
  const everywhere = host === '0.0.0.0' || host === '::';
  const addresses = everywhere
    ? [
        hostname(),
        ...Object.values(networkInterfaces()).flatMap((each) => (each ?? []).map(({ address }) => address)),
      ]
    : [host];
  const own = new Set([...(everywhere || isLoopback(host) ? LOOPBACK : []), ...addresses].map(lower));
  const further = new Set(names.map(lower));
  return (header, port) => {
    const [, name = '', given] = /^(\[[^\]]+\]|[^:]*)(?::(\d+))?$/.exec(header) ?? [];
    const bare = lower(name.replace(/^\[|\]$/g, ''));
    if (further.has(bare)) return true;
    return own.has(bare) && Number(given ?? 80) === port;
  };
}

function lower(text: string): string {
  return text.toLowerCase();
}
