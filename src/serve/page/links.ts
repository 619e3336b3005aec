/**
 * The address of a run.
 *
 * @param id - of the run
 */
export function runLink(id: string): string {
  return `/runs/${encodeURIComponent(id)}`;
}

/**
 * The address of a cell.
 *
 * @param run - id of its run
 * @param id - of the cell
 */
export function cellLink(run: string, id: string): string {
  return `${runLink(run)}/cells/${encodeURIComponent(id)}`;
}

/**
 * An address with its query; parts that are empty are left out.
 *
 * @param path - before the query
 * @param query - names and values
 */
export function withQuery(path: string, query: Readonly<Record<string, string | undefined>>): string {
  const asked = new URLSearchParams();
  for (const [name, value] of Object.entries(query))
    if (value !== undefined && value !== '') asked.set(name, value);
  return asked.size === 0 ? path : `${path}?${asked}`;
}
