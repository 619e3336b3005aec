import { expect, it } from 'vitest';
import { seededRandom } from '../../src/base/random.js';
import { expectedChanges, marginsOf } from '../../src/compress/margins.js';
import { chosenClasses, logitsApart } from '../../src/compress/observe/logits.js';

const [images, classes] = [20_000, 2];
const random = seededRandom(1);
const logits = Float32Array.from({ length: images * classes }, () => 3 * random.normal() + 1);
const margins = marginsOf(logits, classes);

it.each([0.001, 0.01, 0.1])('a relative error of %d changes the classes that are expected', (error) => {
  const deviation = Math.sqrt(error * margins.variance);
  const off = logits.map((value) => value + deviation * random.normal());
  expect(logitsApart(off, logits, classes).error / error).toBeCloseTo(1, 1);
  const before = chosenClasses(logits, classes);
  const changed = chosenClasses(off, classes).filter((choice, image) => choice !== before[image]).length;
  const expected = expectedChanges(margins, error) * images;
  // Five standard deviations of a count.
  expect(Math.abs(changed - expected)).toBeLessThan(5 * Math.sqrt(expected));
});

it('an error changes more classes the larger it is, and none where there is none', () => {
  const changes = [0, 1e-6, 1e-4, 1e-2, 1].map((error) => expectedChanges(margins, error));
  expect(changes[0]).toBe(0);
  for (const [at, share] of changes.slice(1).entries()) expect(share).toBeGreaterThan(changes[at]!);
});

it('logits that do not vary expect no change that cannot be', () => {
  const same = marginsOf(new Float32Array(6).fill(2), 3);
  const share = expectedChanges(same, 0.1);
  expect(share).toBeGreaterThanOrEqual(0);
  expect(share).toBeLessThanOrEqual(1);
});
