/**
 * Places of values that show a series at a glance: of each of equal stretches the smallest and the largest, so that no outlier is lost.
 *
 * @param values - in their order
 * @param most - so many places at most, at least 2
 * @returns in ascending order; all where there are no more than asked for
 */
export function thinned(values: ArrayLike<number>, most: number): number[] {
  const { length } = values;
  if (length <= most) return Array.from({ length }, (_, place) => place);
  const stretches = Math.floor(most / 2);
  return Array.from({ length: stretches }, (_, stretch) => {
    const from = Math.floor((stretch * length) / stretches);
    const to = Math.floor(((stretch + 1) * length) / stretches);
    let [least, largest] = [from, from];
    for (let place = from + 1; place < to; place++) {
      if (Number(values[place]) < Number(values[least])) least = place;
      if (Number(values[place]) > Number(values[largest])) largest = place;
    }
    return least === largest ? [least] : [Math.min(least, largest), Math.max(least, largest)];
  }).flat();
}
