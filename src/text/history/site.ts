/**
 * The state of a history, as a badge says it.
 *
 * @param worse - series that are worse now
 */
export function siteStatusText(worse: number): string {
  return worse === 0 ? 'no regression' : `${worse} worse now`;
}
