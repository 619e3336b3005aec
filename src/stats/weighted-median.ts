/** Values with weights, kept in order of value, that know their weighted median and the sum of distances from it. */
export class WeightedMedian {
  private readonly entries: { readonly value: number; readonly weight: number }[] = [];

  /**
   * Takes another value.
   *
   * @param value - any number
   * @param weight - above 0
   */
  add(value: number, weight: number): void {
    let at = this.entries.length;
    while (at > 0 && this.entries[at - 1]!.value > value) at -= 1;
    this.entries.splice(at, 0, { value, weight });
  }

  /** The level that minimises Σ w |value − level|, and that sum; between two levels that do alike, their middle. */
  fit(): { level: number; cost: number } {
    const { entries } = this;
    let total = 0;
    for (const { weight } of entries) total += weight;
    let sum = 0;
    let at = 0;
    while (sum + entries[at]!.weight < total / 2) {
      sum += entries[at]!.weight;
      at += 1;
    }
    const even = sum + entries[at]!.weight === total / 2;
    const level = even ? (entries[at]!.value + entries[at + 1]!.value) / 2 : entries[at]!.value;
    let cost = 0;
    for (const { value, weight } of entries) cost += weight * Math.abs(value - level);
    return { level, cost };
  }
}
