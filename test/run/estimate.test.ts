import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/base/paths.js';
import { estimateOf, type Known } from '../../src/run/estimate.js';
import { storedDurations, storedVariants } from '../../src/store/durations.js';
import { openStore } from '../../src/store/open.js';
import { endCell, insertRound } from '../../src/store/write.js';
import { planOf } from '../../src/suite/plan.js';
import { readSuite, type Suite } from '../../src/suite/read.js';
import { tiers } from '../../src/suite/schema.js';
import { useFolder } from '../support/folder.js';
import { fullMeasurement, labels, placeOf, storeCell } from '../support/rows.js';

const folder = useFolder();
const quickstart = await readSuite(join(packageRoot(), 'suites', 'quickstart.yaml'));
const model = quickstart.models[0]!.name;
const nothing: Known = { durations: [], variants: [], modelBytes: new Map() };

/** The quickstart on two devices, batch 4, five rounds. */
function planWith(performance: Partial<Suite['performance']> = {}): ReturnType<typeof planOf> {
  return planOf({
    ...{ ...quickstart, devices: ['a', 'b'] },
    performance: { ...{ batches: [4], tier: 'rapid', rounds: 5 }, ...performance },
  });
}

const here = [
  { name: 'a', host: 'this' },
  { name: 'b', host: 'this' },
];

describe('the estimate of a run', () => {
  it('counts what the plan has', () => {
    const plan = planWith();
    const estimate = estimateOf(plan, here, nothing);
    expect(estimate).toMatchObject({
      cells: plan.cells.length,
      rounds: plan.rounds.length,
      mostSeconds: null,
    });
    expect(estimate.variants).toHaveLength(quickstart.recipes.length);
    expect(estimate.devices.reduce((sum, { rounds }) => sum + rounds, 0)).toBe(plan.rounds.length);
  });

  it('is no less than the tier asks for, in turn on one machine and side by side on two', () => {
    const variants = quickstart.recipes.length;
    const { seconds, devices } = estimateOf(planWith(), here, nothing);
    expect(devices[0]!.seconds).toBeGreaterThanOrEqual(variants * tiers.rapid.minSeconds);
    expect(devices[0]!.knownRounds).toBe(0);
    expect(seconds).toBeCloseTo(devices[0]!.seconds + devices[1]!.seconds, 9);
    const apart = estimateOf(planWith(), [here[0]!, { name: 'b', host: 'that' }], nothing);
    expect(apart.seconds).toBeCloseTo(seconds / 2, 9);
  });

  it('goes by what like rounds took: of the variant, of its model, of any', () => {
    const duration = { device: 'a', kind: 'performance' as const, batch: 4, tier: 'rapid', rounds: 5 };
    const durations = [
      { ...duration, model, recipe: 'fp32', seconds: 100 },
      { ...duration, model, recipe: 'other', seconds: 10 },
      // At another tier, on another device, of another number of rounds: not the like.
      { ...duration, model, recipe: 'fp32', tier: 'normal', seconds: 9e9 },
      { ...duration, model, recipe: 'fp32', device: 'c', seconds: 9e9 },
      { ...duration, model, recipe: 'fp32', rounds: 9, seconds: 9e9 },
    ];
    const estimate = estimateOf(planWith(), here, { ...nothing, durations });
    const others = quickstart.recipes.length - 1;
    const untimed = estimateOf(planWith({ batches: [] }), here, nothing).devices[0]!.seconds;
    expect(estimate.devices[0]!.seconds).toBeCloseTo(5 * 100 + others * 5 * 55 + untimed, 6);
    expect(estimate.devices[0]!.knownRounds).toBe(5 * quickstart.recipes.length);
    expect(estimate.devices[1]!.knownRounds).toBe(0);
  });

  it('says how many rounds a precision may take', () => {
    const { seconds, mostSeconds } = estimateOf(planWith({ precision: 0.01, maxRounds: 20 }), here, nothing);
    expect(mostSeconds).toBeGreaterThan(2 * seconds);
    expect(mostSeconds).toBeLessThanOrEqual(4 * seconds);
  });

  it('knows sizes and times from stored variants, and sizes of models', () => {
    const variants = [
      { model, recipe: 'int8', fileBytes: 7, stages: '[{"stage":"a","seconds":2},{"stage":"b"}]' },
    ];
    const known = { ...nothing, variants, modelBytes: new Map([[model, 100]]) };
    const estimate = estimateOf(planWith(), here, known);
    expect(estimate.compressSeconds).toBe(2);
    expect(estimate.cacheBytes).toBe(100 * (quickstart.recipes.length - 1) + 7);
    const unknown = estimateOf(planWith(), here, { ...nothing, modelBytes: new Map([[model, null]]) });
    expect(unknown).toMatchObject({ cacheBytes: 0, compressSeconds: null });
    expect(unknown.variants[0]).toMatchObject({ recipe: 'fp32', fileBytes: null });
  });

  it('reads them from the database', async () => {
    const db = await openStore(folder('edgeflex.db'));
    const cell = await storeCell(db, 'run');
    for (const [round, seconds] of [3, 5].entries())
      await insertRound(db, { ...placeOf(cell, round), seconds }, fullMeasurement(), labels, false);
    expect(await storedDurations(db, ['here'])).toEqual([]);
    await endCell(db, cell.id, 'done', null);
    expect(await storedDurations(db, ['here'])).toEqual([
      {
        device: 'here',
        model: 'micro',
        recipe: 'fp32',
        kind: 'performance',
        batch: 2,
        tier: null,
        rounds: 1,
        seconds: 4,
      },
    ]);
    expect(await storedDurations(db, ['elsewhere'])).toEqual([]);
    expect(await storedVariants(db, ['micro'])).toEqual([
      { model: 'micro', recipe: 'fp32', fileBytes: 1000, stages: '[]' },
    ]);
    await db.destroy();
  });
});
