/** What is compared: as many figures each, less is better. */
type Point = readonly number[];

/**
 * The hypervolume of a front: of all that is worse than one of its points at least and better than the worst that counts, the volume. What
 * makes a front better makes it larger, and nothing else does (Zitzler & Thiele, "Multiobjective Optimization Using Evolutionary
 * Algorithms: A Comparative Case Study", PPSN V, 1998, who call it the size of the space covered). Slice by slice along the last figure.
 *
 * @param points - in any order, dominated ones among them or not
 * @param worst - the point that nothing worse than counts
 */
export function hypervolume(points: readonly Point[], worst: Point): number {
  const axis = worst.length - 1;
  const last = (point: Point): number => point[axis] ?? NaN;
  const counted = points
    .filter((point) => point.every((figure, at) => figure < (worst[at] ?? NaN)))
    .sort((a, b) => last(a) - last(b));
  const [best] = counted;
  if (best === undefined) return 0;
  if (axis === 0) return last(worst) - last(best);
  return counted.reduce((volume, point, index) => {
    const depth = last(counted[index + 1] ?? worst) - last(point);
    if (depth === 0) return volume;
    const slice = counted.slice(0, index + 1).map((each) => each.slice(0, axis));
    return volume + depth * hypervolume(slice, worst.slice(0, axis));
  }, 0);
}
