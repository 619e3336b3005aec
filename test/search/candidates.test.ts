import { describe, expect, it } from 'vitest';
import { extending, MOST_LOSS, towards, type Known } from '../../src/search/candidates.js';
import type { PredictedRecipe } from '../../src/search/predicted-recipes.js';
import { untouched } from '../../src/search/settings.js';
import { allowedFigures, type Figures } from '../../src/search/target-check.js';
import { parseTarget } from '../../src/search/target.js';

const fp32 = { milliseconds: 100, peak: 100 };

/** A recipe that is told from others by how much it prunes. */
const recipe = (ratio: number, [milliseconds, peak, loss]: [number, number, number]): PredictedRecipe => ({
  settings: { ...untouched, prune: { ratio, widths: [] } },
  alone: 0,
  predicted: { milliseconds, peak, loss },
});

const known = (
  recipes: readonly PredictedRecipe[],
  measured: readonly Figures[] = [],
  distance = 0,
): Known => ({
  recipes,
  measured: measured.map((figures) => ({ ...figures, distance })),
  settings: [untouched],
});

describe('what is measured next', () => {
  it('for a front is what covers most that nothing covers yet', () => {
    const gentle = recipe(0.1, [50, 50, 0]);
    const beaten = recipe(0.2, [60, 60, 0.1]);
    const fast = recipe(0.3, [20, 50, 1]);
    const useless = recipe(0.4, [10, 10, MOST_LOSS + 0.1]);
    const slow = recipe(0.5, [120, 10, 0]);
    const choose = extending(fp32);
    const chosen = choose(known([beaten, useless, fast, slow, gentle]), 9);
    expect(new Set(chosen)).toEqual(new Set([fast, gentle]));
    const [first] = choose(known([beaten, fast, gentle], [gentle.predicted]), 9);
    expect(first).toBe(fast);
    expect(choose(known([beaten], [gentle.predicted]), 9)).toEqual([]);
    expect(choose({ ...known([fast]), settings: [fast.settings] }, 9)).toEqual([]);
    expect(choose(known([slow, useless]), 9)).toEqual([slow]);
  });

  it('for a target ends once enough was measured and nothing is predicted to be better', () => {
    const target = parseTarget('latency=2x');
    const choose = towards(target, allowedFigures(target, fp32));
    const [good, worse] = [recipe(0.1, [45, 50, 0.1]), recipe(0.2, [45, 50, 0.3])];
    const measured = { milliseconds: 45, peak: 50, loss: 0.2 };
    const many = Array<Figures>(5).fill(measured);
    expect(choose(known([worse], [measured]), 1)).toEqual([worse]);
    expect(choose(known([worse], many), 1)).toEqual([]);
    expect(choose(known([worse, good], many), 1)).toEqual([good]);
    // By what was counted, none of the five meets the target: what is expected to is better.
    expect(choose(known([worse], many, 0.1), 1)).toEqual([worse]);
  });
});
