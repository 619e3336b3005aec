/** What a request says about where it goes and where it comes from. */
export interface RequestPlace {
  readonly host?: string | undefined;
  readonly origin?: string | undefined;
  /** `sec-fetch-site`, which browsers send. */
  readonly site?: string | undefined;
}

/**
 * What is wrong with where a request goes or comes from: a name that was made to lead to a local server (DNS rebinding) and pages of other
 * sites are kept out, whatever they know.
 *
 * @param place - of the request
 * @param isOwn - whether a host, `name:port` as the header has it, is the server's
 * @returns undefined when nothing is
 */
export function foreignPlace(
  { host, origin, site }: RequestPlace,
  isOwn: (host: string) => boolean,
): 'host' | 'origin' | undefined {
  if (host === undefined || !isOwn(host)) return 'host';
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return 'origin';
  if (origin === undefined) return undefined;
  return origin === `http://${host}` || origin === `https://${host}` ? undefined : 'origin';
}
