import { describe, expect, it } from 'vitest';
import {
  ablationOf,
  type AblationPanel,
  type FactorEffect,
} from '../../../src/analysis/ablation/ablation.js';
import { judgedAgainst } from '../../../src/analysis/ablation/against.js';
import { fittedTerms } from '../../../src/analysis/ablation/terms.js';
import type { Design } from '../../../src/base/design.js';
import { seededRandom } from '../../../src/base/random.js';
import { dot } from '../../../src/stats/least-squares.js';
import { openStore } from '../../../src/store/open.js';
import { fullFactorial, leaveOneOut, oneAtATime } from '../../../src/suite/matrix/combinations.js';
import { combinationsOf, smallestFraction } from '../../../src/suite/matrix/fraction.js';
import { useFolder } from '../../support/folder.js';
import { refusalOf } from '../../support/refusal.js';
import { storeAblation, switches, type Measured } from './support.js';

const folder = useFolder();
const names = ['prune', 'merge', 'int8'];
const full = switches(names, 'full-factorial', fullFactorial([2, 2, 2]));

/** Logarithms of what each factor makes of the latency, and of what prune and int8 make together beyond that. */
const truths = { prune: Math.log(0.8), merge: Math.log(0.7), int8: Math.log(0.5), together: Math.log(1.15) };
const truthOf = ([prune = 0, merge = 0, int8 = 0]: readonly number[]): number =>
  prune * truths.prune + merge * truths.merge + int8 * truths.int8 + prune * int8 * truths.together;

async function panelsOf(
  design: Design,
  rounds: number,
  measured: (recipe: string, levels: readonly number[]) => Measured,
): Promise<readonly AblationPanel[]> {
  const db = await openStore(folder('edgeflex.db'));
  try {
    return ablationOf(await storeAblation(db, design, rounds, measured))!.panels;
  } finally {
    await db.destroy();
  }
}

const panelOf = (panels: readonly AblationPanel[], metric: string): AblationPanel =>
  panels.find((each) => each.metric === metric)!;
const effectOf = ({ effects }: AblationPanel, ...factors: string[]): FactorEffect =>
  effects.find(({ term }) => term.map(({ factor }) => factor).join() === factors.join())!;

describe('terms of a design', () => {
  it('of a full factorial are differences of means, and differences of differences', () => {
    const terms = fittedTerms(full, full.points);
    expect(terms).toHaveLength(6);
    const random = seededRandom(1);
    const response = full.points.map(() => random.normal());
    const mean = (wants: (levels: readonly number[]) => boolean): number => {
      const own = response.filter((_, index) => wants(full.points[index]!.levels));
      return own.reduce((sum, each) => sum + each, 0) / own.length;
    };
    const at = (...factors: string[]): number =>
      dot(
        terms.find(({ term }) => term.map(({ factor }) => factor).join() === factors.join())!.weights,
        response,
      );
    expect(at('prune')).toBeCloseTo(mean(([a]) => a === 1) - mean(([a]) => a === 0), 12);
    expect(at('prune', 'int8')).toBeCloseTo(
      mean(([a, , c]) => a === 1 && c === 1) -
        mean(([a, , c]) => a === 1 && c === 0) -
        mean(([a, , c]) => a === 0 && c === 1) +
        mean(([a, , c]) => a === 0 && c === 0),
      12,
    );
    expect(terms.every(({ aliases }) => aliases.length === 0)).toBe(true);
  });

  it.each([
    ['one-at-a-time', oneAtATime, 1, 0],
    ['leave-one-out', leaveOneOut, -1, 1],
  ] as const)('of %s are differences from its centre alone', (kind, combinations, sign, level) => {
    const centre: readonly number[] = [level, level, level];
    const design = switches(names, kind, combinations([2, 2, 2]));
    const terms = fittedTerms(design, design.points);
    const response = design.points.map((_, index) => 10 ** index);
    const base = design.points.findIndex(({ levels }) => levels.join() === centre.join());
    for (const [factor, { term, weights }] of terms.entries()) {
      expect(term.map((part) => part.factor)).toEqual([names[factor]]);
      const other = design.points.findIndex(
        ({ levels }) => levels.join() === centre.with(factor, 1 - centre[factor]!).join(),
      );
      expect(dot(weights, response)).toBeCloseTo(sign * (response[other]! - response[base]!), 8);
    }
  });

  it('of a fraction name what they are confounded with', () => {
    const factors = ['a', 'b', 'c', 'd'];
    const fraction = smallestFraction(4, 4)!;
    const design = switches(factors, 'fractional-factorial', combinationsOf(4, fraction));
    const terms = fittedTerms(design, design.points);
    const confounded = Object.fromEntries(
      terms.map(({ term, aliases }) => [
        term.map(({ factor }) => factor).join(''),
        aliases.map((alias) => alias.map(({ factor }) => factor).join('')),
      ]),
    );
    // I = abcd: each pair with the pair of the others.
    expect(confounded).toEqual({ a: [], b: [], c: [], d: [], ab: ['cd'], ac: ['bd'], ad: ['bc'] });
  });

  it('compare every level with the first', () => {
    const design: Design = {
      kind: 'full-factorial',
      factors: [
        { name: 'ratio', kind: 'option', levels: ['0', '1', '2'] },
        { name: 'int8', kind: 'stage', levels: ['off', 'on'] },
      ],
      points: fullFactorial([3, 2]).map((levels) => ({ levels, recipe: levels.join('-') })),
    };
    const response = design.points.map(({ levels: [ratio = 0, int8 = 0] }) => [0, 5, 9][ratio]! + 100 * int8);
    const own = fittedTerms(design, design.points).map(({ term, weights }) => [
      term.map(({ factor, level }) => `${factor}=${level}`).join(),
      Math.round(dot(weights, response) * 1e6) / 1e6 + 0,
    ]);
    expect(Object.fromEntries(own)).toEqual({
      ...{ 'ratio=1': 5, 'ratio=2': 9, 'int8=on': 100 },
      ...{ 'ratio=1,int8=on': 0, 'ratio=2,int8=on': 0 },
    });
  });
});

describe('an ablation', () => {
  it('finds the effects that are there, paired by round whatever the machine does in one', async () => {
    const random = seededRandom(11);
    const drift = Array.from({ length: 6 }, () => random.normal());
    const panels = await panelsOf(full, 6, (_, levels) => ({
      milliseconds: (round) => 20 * Math.exp(truthOf(levels) + drift[round]! + 0.005 * random.normal()),
      mebibytes: 40 * 0.5 ** levels[2]!,
      fileBytes: 8_000 / (1 + 3 * levels[2]!),
    }));
    const latency = panelOf(panels, 'latency');
    expect(latency.replicates).toEqual({ kind: 'rounds', rounds: 6, paired: true });
    // Averaged over the other: half of the interaction is part of the main effect.
    const within = (effect: FactorEffect, truth: number): void => {
      expect(Math.log(effect.effect.value)).toBeCloseTo(truth, 1);
      expect(effect.effect.high / effect.effect.low).toBeLessThan(1.05);
    };
    within(effectOf(latency, 'prune'), truths.prune + truths.together / 2);
    within(effectOf(latency, 'merge'), truths.merge);
    within(effectOf(latency, 'prune', 'int8'), truths.together);
    expect(effectOf(latency, 'prune', 'int8').significant).toBe(true);
    for (const { p, adjustedP } of latency.effects) expect(adjustedP).toBeGreaterThanOrEqual(p!);
    const { attribution } = latency;
    const product = attribution!.parts.reduce((all, { effect }) => all * effect.value, 1);
    expect(product).toBeCloseTo(attribution!.total.value, 10);
    expect(attribution!.to / attribution!.from).toBeCloseTo(attribution!.total.value, 10);
    expect(Math.log(attribution!.parts[0]!.effect.value)).toBeCloseTo(truths.prune + truths.together / 2, 1);
    // What scatters in nothing has no interval.
    const file = panelOf(panels, 'file');
    expect(file.replicates.kind).toBe('exact');
    expect(effectOf(file, 'int8')).toMatchObject({ p: undefined, significant: true, adjustedP: undefined });
    expect(effectOf(file, 'int8').effect.value).toBeCloseTo(0.25, 10);
    expect(effectOf(file, 'prune').significant).toBe(false);
    expect(effectOf(panelOf(panels, 'memory'), 'int8').effect.value).toBeCloseTo(0.5, 10);
    expect(latency.means.filter(({ factors }) => factors.join() === 'prune,int8')).toHaveLength(4);
  });

  it('compares rounds of their own where too few have all variants, and does without what failed', async () => {
    const random = seededRandom(12);
    const panels = await panelsOf(full, 6, (recipe, levels) => ({
      // Each variant lacks another round.
      milliseconds: (round) =>
        round === (4 * levels[0]! + 2 * levels[1]! + levels[2]!) % 6
          ? undefined
          : 20 * Math.exp(truthOf(levels) + 0.01 * random.normal()),
      failed: recipe === 'merge+int8',
    }));
    const latency = panelOf(panels, 'latency');
    expect(latency.replicates).toEqual({ kind: 'rounds', rounds: 5, paired: false });
    expect(latency.missing).toEqual([
      { recipe: 'merge+int8', because: { kind: 'not-measured', status: 'failed' } },
    ]);
    expect(latency.attribution).toBeUndefined();
    expect(Math.log(effectOf(latency, 'merge').effect.value)).toBeCloseTo(truths.merge, 1);
    expect(panelOf(panels, 'file').missing).toEqual([]);
  });

  it('has intervals over the images, and with several seeds over these', async () => {
    const random = seededRandom(13);
    const images = 400;
    const rightOf = (share: number): boolean[] =>
      Array.from({ length: images }, () => random.uniform() < share);
    const shares: Record<string, number> = { fp32: 0.9, prune: 0.7 };
    const single = switches(['prune'], 'full-factorial', [[0], [1]]);
    const byImages = panelOf(
      await panelsOf(single, 2, (recipe) => ({ milliseconds: () => 1, right: rightOf(shares[recipe]!) })),
      'accuracy',
    );
    expect(byImages.replicates).toEqual({ kind: 'images', images });
    expect(effectOf(byImages, 'prune').effect.value).toBeCloseTo(-0.2, 1);
    expect(effectOf(byImages, 'prune').significant).toBe(true);
  });

  it('takes seeds as replicates', async () => {
    const seeds = ['1', '2', '3', '4'];
    const design: Design = {
      kind: 'full-factorial',
      factors: [
        { name: 'prune', kind: 'stage', levels: ['off', 'on'] },
        { name: 'seed', kind: 'seed', levels: seeds },
      ],
      points: fullFactorial([2, 4]).map((levels) => ({
        levels,
        recipe: levels[0] === 0 ? 'fp32' : `prune-${levels[1]}`,
      })),
    };
    // Right answers of 100: 90 of fp32, and of pruned with each seed.
    const counts = [70, 74, 72, 76];
    const panels = await panelsOf(design, 3, (_, [prune = 0, seed = 0]) => ({
      milliseconds: (round) => 10 - 4 * prune + 0.01 * round,
      right: Array.from({ length: 100 }, (_, image) => image < (prune === 0 ? 90 : counts[seed]!)),
    }));
    const accuracy = panelOf(panels, 'accuracy');
    expect(accuracy.replicates).toEqual({ kind: 'seeds', seeds: 4, images: 100 });
    const { value, low, high } = effectOf(accuracy, 'prune').effect;
    // Student's interval of −20, −16, −18, −14: mean −17, standard deviation 2.58, t(3) 3.182.
    expect(value).toBeCloseTo(-0.17, 10);
    expect(low).toBeCloseTo(-0.17 - (3.182446 * 0.0258199) / 2, 5);
    expect(high).toBeCloseTo(-0.17 + (3.182446 * 0.0258199) / 2, 5);
    // Seeds are averaged in each round.
    const latency = panelOf(panels, 'latency');
    expect(latency.replicates).toEqual({ kind: 'rounds', rounds: 3, paired: true });
    expect(latency.effects).toHaveLength(1);
    expect(effectOf(latency, 'prune').effect.value).toBeCloseTo(0.6, 2);
  });

  it('takes images where seeds agree, which does not make a difference certain', async () => {
    const design: Design = {
      kind: 'full-factorial',
      factors: [
        { name: 'prune', kind: 'stage', levels: ['off', 'on'] },
        { name: 'seed', kind: 'seed', levels: ['1', '2'] },
      ],
      points: fullFactorial([2, 2]).map((levels) => ({
        levels,
        recipe: levels[0] === 0 ? 'fp32' : `prune-${levels[1]}`,
      })),
    };
    const right = (count: number): boolean[] => Array.from({ length: 100 }, (_, image) => image < count);
    const panels = await panelsOf(design, 3, (_, [prune = 0]) => ({
      milliseconds: () => 10,
      right: right(prune === 0 ? 90 : 89),
    }));
    const { effect, significant } = effectOf(panelOf(panels, 'accuracy'), 'prune');
    expect(effect.value).toBeCloseTo(-0.01, 10);
    expect(effect.low).toBeLessThan(-0.01);
    expect(effect.high).toBeGreaterThan(0);
    expect(significant).toBe(false);
  });

  it('holds every variant against any of them', async () => {
    const db = await openStore(folder('edgeflex.db'));
    const run = await storeAblation(db, full, 4, (_, levels) => ({
      milliseconds: (round) => 20 * Math.exp(truthOf(levels)) * (1 + 0.001 * ((round + levels[0]!) % 3)),
    }));
    await db.destroy();
    const against = judgedAgainst(run, 'prune+merge+int8', []);
    const latency = against.filter(({ judgement }) => judgement.metric === 'latency');
    expect(latency.map(({ cell }) => cell.variant.recipe).sort()).toEqual(
      full.points
        .map(({ recipe }) => recipe)
        .filter((recipe) => recipe !== 'prune+merge+int8')
        .sort(),
    );
    const baseline = latency.find(({ cell }) => cell.variant.recipe === 'fp32')!;
    expect(baseline.judgement.change.value).toBeCloseTo(1 / Math.exp(truthOf([1, 1, 1])) - 1, 1);
    expect(baseline.judgement.verdict).toBe('slower');
    const unknown = await refusalOf(() => judgedAgainst(run, 'prune+merg+int8', []));
    for (const fact of ['prune+merg+int8', '"prune+merge+int8"']) expect(unknown.found).toContain(fact);
  });

  it('is none of a run without a matrix', async () => {
    const db = await openStore(folder('edgeflex.db'));
    const run = await storeAblation(db, full, 2, () => ({ milliseconds: () => 1 }));
    await db.destroy();
    expect(ablationOf({ ...run, design: undefined })).toBeUndefined();
  });
});
