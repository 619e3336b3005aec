import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../src/base/random.js';
import { chancesAfter } from '../../src/compress/chances.js';

const [images, classes] = [20_000, 4];
const random = seededRandom(1);
const logits = Float32Array.from({ length: images * classes }, () => 2 * random.normal() - 1);

const softmax = (row: Float32Array, temperature: number): number[] => {
  const odds = [...row].map((value) => Math.exp(value / temperature));
  const sum = odds.reduce((all, each) => all + each, 0);
  return odds.map((each) => each / sum);
};
const rowOf = (image: number): Float32Array => logits.subarray(image * classes, (image + 1) * classes);

/** Classes that are as likely as logits at a temperature say. */
function drawn(temperature: number): Uint16Array {
  return Uint16Array.from({ length: images }, (_, image) => {
    let left = random.uniform();
    const chances = softmax(rowOf(image), temperature);
    const label = chances.findIndex((chance) => (left -= chance) < 0);
    return label < 0 ? classes - 1 : label;
  });
}

describe('how likely each class is', () => {
  it.each([0.5, 1, 3])('is found where logits are honest at a temperature of %d', (temperature) => {
    const chances = chancesAfter(logits, drawn(temperature), classes);
    for (let image = 0; image < 100; image++) {
      const right = softmax(rowOf(image), temperature);
      for (const [label, chance] of right.entries())
        expect(Math.abs(chances.of(image, label) - chance)).toBeLessThan(0.03);
    }
  });

  it('is right in the mean: the classes that are chosen are as often true as is said', () => {
    const truth = drawn(2);
    const chances = chancesAfter(logits, truth, classes);
    let [said, right] = [0, 0];
    for (const [image, label] of truth.entries()) {
      const row = [...rowOf(image)];
      const chosen = row.indexOf(Math.max(...row));
      said += chances.of(image, chosen);
      right += chosen === label ? 1 : 0;
    }
    // Five standard deviations of a count, at most.
    expect(Math.abs(said - right)).toBeLessThan(5 * Math.sqrt(images / 4));
  });

  it('does not depend on the unit of the logits, nor on what all of them have in common', () => {
    const truth = drawn(1);
    const [first, ...others] = [
      logits,
      logits.map((value) => 1000 * value),
      logits.map((value) => value / 1000),
      logits.map((value) => value + 1),
    ].map((each) => chancesAfter(each, truth, classes));
    for (const other of others)
      for (let image = 0; image < 50; image++)
        for (let label = 0; label < classes; label++)
          expect(other.of(image, label)).toBeCloseTo(first!.of(image, label), 3);
  });

  it('is a sum of 1, also where the classes are always right and where the logits tell nothing', () => {
    const truth = Uint16Array.from({ length: images }, (_, image) => {
      const row = [...rowOf(image)];
      return row.indexOf(Math.max(...row));
    });
    const sure = chancesAfter(logits, truth, classes);
    const blank = chancesAfter(new Float32Array(images * classes).fill(0.5), truth, classes);
    for (let image = 0; image < 50; image++) {
      const [all, none] = [sure, blank].map((chances) =>
        Array.from({ length: classes }, (_, label) => chances.of(image, label)),
      );
      expect(all!.reduce((sum, each) => sum + each, 0)).toBeCloseTo(1, 12);
      expect(all![truth[image]!]).toBeGreaterThan(0.9);
      for (const each of none!) expect(each).toBeCloseTo(1 / classes, 12);
    }
  });
});
