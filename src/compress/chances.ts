/** The inverse temperature is looked for between 1 / LIMIT and LIMIT, relative to the spread of the logits. */
const LIMIT = 1e3;

/** Halvings of that range, whose logarithm is then known to a millionth. */
const STEPS = 24;

/** How likely a model, made honest about its own certainty, says that an image is of a class. */
export interface Chances {
  /**
   * @param image - counted from 0
   * @param label - the class
   * @returns between 0 and 1; the sum over all classes is 1
   */
  of(image: number, label: number): number;
}

/**
 * What a model's logits say of how likely each class is: their softmax at the temperature at which the true classes are likeliest
 * (temperature scaling: Guo, Pleiss, Sun & Weinberger, "On calibration of modern neural networks", ICML 2017, section 4.2, eq. 9).
 *
 * @param logits - `[images, classes]`
 * @param truth - the class of each image
 * @param classes - how many
 */
export function chancesAfter(logits: Float32Array, truth: Uint16Array, classes: number): Chances {
  const rows = Array.from(truth, (_, image) => logits.subarray(image * classes, (image + 1) * classes));
  const spread = Math.sqrt(logits.reduce((sum, value) => sum + value ** 2, 0) / logits.length) || 1;
  // The likelihood is concave in the inverse temperature: its slope falls and is 0 once at most.
  let [low, high] = [-Math.log(LIMIT * spread), Math.log(LIMIT / spread)];
  for (let step = 0; step < STEPS; step++) {
    const middle = (low + high) / 2;
    const slope = rows.reduce((sum, row, image) => {
      const chances = softmax(row, Math.exp(middle));
      const expected = row.reduce((all, value, label) => all + value * (chances[label] ?? 0), 0);
      return sum + (row[truth[image] ?? -1] ?? NaN) - expected;
    }, 0);
    if (slope > 0) low = middle;
    else high = middle;
  }
  const inverse = Math.exp((low + high) / 2);
  return { of: (image, label) => softmax(rows[image] ?? [], inverse)[label] ?? NaN };
}

/** @param inverse - one over the temperature */
function softmax(row: ArrayLike<number>, inverse: number): number[] {
  const highest = Math.max(...Array.from(row));
  const odds = Array.from(row, (value) => Math.exp(inverse * (value - highest)));
  const sum = odds.reduce((all, each) => all + each, 0);
  return odds.map((each) => each / sum);
}
