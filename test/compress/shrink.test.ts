import { beforeAll, describe, expect, it } from 'vitest';
import { hashJson } from '../../src/base/hash.js';
import type { CheckpointStore } from '../../src/compress/checkpoints.js';
import type { StageContext } from '../../src/compress/context.js';
import { openJudge } from '../../src/compress/judge.js';
import { lossOf } from '../../src/compress/loss.js';
import { multiplications, scheduleFor, SLOPES } from '../../src/compress/merge-tokens/schedule.js';
import { withMerges } from '../../src/compress/merge-tokens/stage.js';
import { chosenClasses } from '../../src/compress/observe/logits.js';
import { frontOf } from '../../src/compress/shrink/front.js';
import { shrinkOptionsSchema } from '../../src/compress/shrink/options.js';
import { shrink, type ShrinkReport } from '../../src/compress/shrink/stage.js';
import { rankedSpeed } from '../../src/compress/shrink/speed.js';
import { shrinkStage } from '../../src/compress/stages/shrink.js';
import { withQueryKeySize } from '../../src/compress/stand-ins.js';
import { headWidth, type ViTConfig } from '../../src/vit/config.js';
import type { ViT } from '../../src/vit/vit.js';
import { refusalOf } from '../support/refusal.js';
import { fingerprint, logitsOf, memoryOf, openBench, pixelsOf, type Bench } from './support.js';

let bench: Bench;
/** Of the bench's model: what was observed of it once is known, as it is in a cache. */
let context: StageContext;
beforeAll(async () => {
  bench = await openBench();
  const stores = new Map<string, CheckpointStore>();
  context = {
    ...bench.context,
    observations(about) {
      const key = hashJson(about);
      const store = stores.get(key) ?? memoryOf(new Map());
      stores.set(key, store);
      return Promise.resolve(store);
    },
  };
});

const shrunk = (accuracy: number, more: object = {}): Promise<{ vit: ViT; report: ShrinkReport }> =>
  shrink(
    bench.vit,
    context,
    shrinkOptionsSchema.parse({ budget: { accuracy, ...more }, images: 64, compared: 32 }),
  );

const levelCount = ({ levels: { prunes, queryKeys, merges } }: ShrinkReport): number =>
  prunes.length + queryKeys.length + merges.length;

async function classesOf(vit: ViT): Promise<Uint16Array> {
  const pixels = await pixelsOf(await bench.context.calibration.holdout(10_000));
  return Uint16Array.from(chosenClasses(await logitsOf(bench, vit, pixels), vit.config.labels.length));
}

describe('the combinations worth trying', () => {
  interface Amount {
    readonly error: number;
    readonly gain: number;
  }
  const level = (error: number, gain: number): Amount => ({ error, gain });
  const amounts = {
    neurons: [level(0, 0), level(0.1, 0.2), level(0.4, 0.5)],
    heads: [level(0, 0), level(0.07, 0.1), level(0.09, 0.4)],
    tokens: [level(0, 0), level(0.05, 0.15), level(0.5, 0.3)],
  };
  const speedOf = ({ neurons, heads, tokens }: Record<keyof typeof amounts, Amount>): number =>
    1 + neurons.gain + heads.gain + tokens.gain;
  const front = frontOf<Record<keyof typeof amounts, Amount>>(amounts, speedOf);

  it('are faster the more they err, and change something', () => {
    expect(front.length).toBeGreaterThan(2);
    for (const [at, combination] of front.entries()) {
      const before = front[at - 1] ?? { error: 0, speed: 1 };
      expect(combination.error).toBeGreaterThan(before.error);
      expect(combination.speed).toBeGreaterThan(before.speed);
    }
  });

  it('leave out exactly what another is as fast as with no more error', () => {
    const all = amounts.neurons.flatMap((neurons) =>
      amounts.heads.flatMap((heads) =>
        amounts.tokens.map((tokens) => ({
          error: neurons.error + heads.error + tokens.error,
          speed: speedOf({ neurons, heads, tokens }),
        })),
      ),
    );
    const beaten = ({ error, speed }: { error: number; speed: number }): boolean =>
      all.some(
        (other) =>
          other.error <= error && other.speed >= speed && (other.error < error || other.speed > speed),
      );
    const kept = all.filter((each) => each.speed > 1 && !beaten(each)).map(({ speed }) => speed);
    expect(front.map(({ speed }) => speed)).toEqual(kept.sort((x, y) => x - y));
  });

  it.each([1.05, 1.2])('leave out what is less than %d times as fast as a gentler one', (step) => {
    const apart = frontOf<Record<keyof typeof amounts, Amount>>(amounts, speedOf, step);
    expect(apart.length).toBeGreaterThan(1);
    expect(apart.length).toBeLessThan(front.length);
    for (const [at, { speed }] of apart.entries())
      expect(speed).toBeGreaterThanOrEqual(step * (apart[at - 1]?.speed ?? 1));
    for (const each of front) {
      const gentler = apart.filter(({ error }) => error <= each.error).at(-1)?.speed ?? 1;
      expect(each.speed).toBeLessThan(step * gentler);
    }
  });

  it('are ranked by multiplications, and by what each block that merges takes beside them', () => {
    const { config } = bench.vit;
    const alone = { ...config, mlpSizes: config.mlpSizes.map((size) => size / 2) };
    expect(rankedSpeed(config, alone)).toBe(multiplications(config) / multiplications(alone));
    const [one, two] = [
      [0, 8, 0, 0],
      [0, 4, 4, 0],
    ].map((merges) => ({ ...config, merges }));
    const beside = (after: ViTConfig): number =>
      (multiplications(config) / rankedSpeed(config, after) - multiplications(after)) /
      multiplications(config);
    expect(beside(one!)).toBeGreaterThan(0);
    expect(beside(two!)).toBeCloseTo(2 * beside(one!), 10);
  });
});

describe('the stage shrink', () => {
  it('gives more speed the more may be lost, and stays within it on the images that judge', async () => {
    const before = await classesOf(bench.vit);
    const { classes } = await bench.context.calibration.holdout(10_000);
    let fastest = 1;
    for (const allowed of [2, 20]) {
      const { vit, report } = await shrunk(allowed);
      const { chosen, tried } = report.accuracy;
      expect(chosen!.atMost).toBeLessThanOrEqual(allowed);
      expect(lossOf('accuracy', classes, before, await classesOf(vit)).points).toEqual(chosen!.points);
      const speed = multiplications(bench.vit.config) / multiplications(vit.config);
      expect(chosen!.speed).toBeCloseTo(speed, 10);
      expect(report.multiplications.before / report.multiplications.after).toBeCloseTo(speed, 10);
      expect(speed).toBeGreaterThanOrEqual(fastest);
      fastest = speed;
      expect(tried.filter(({ passes }) => passes).every((each) => each.predicted <= chosen!.predicted)).toBe(
        true,
      );
      const width = headWidth(bench.vit.config);
      expect(report.queryKeyAfter).toBeCloseTo((1 - chosen!.queryKeys) * width, 10);
      expect(vit.config.queryKeySizes?.[0] ?? width).toBe(report.queryKeyAfter);
      expect(report.neuronsAfter).toBe(vit.config.mlpSizes.reduce((sum, size) => sum + size, 0));
      expect(report.blocks.map(({ merged }) => merged)).toEqual(
        vit.config.merges ?? report.blocks.map(() => 0),
      );
    }
    expect(fastest).toBeGreaterThan(1.2);
  });

  it('runs no amount twice', async () => {
    const logits: string[] = [];
    const noting: StageContext = {
      ...context,
      async observations(about) {
        const store = await context.observations(about);
        const named = (name: string): boolean => name.startsWith('level.');
        return {
          ...store,
          take: (name) => (named(name) ? Promise.resolve(undefined) : store.take(name)),
          put: (name, kept) => {
            if (named(name)) logits.push(hashJson([...(kept.value as { logits: Float32Array }).logits]));
            return store.put(name, kept);
          },
        };
      },
    };
    const options = { budget: { accuracy: 2 }, images: 64, compared: 32 };
    await shrink(bench.vit, noting, shrinkOptionsSchema.parse(options));
    expect(logits.length).toBeGreaterThan(8);
    expect(new Set(logits).size).toBe(logits.length);
  });

  it('takes neurons and tokens together where much may be lost, and no pair that one of them alone beats', async () => {
    const { vit, report } = await shrunk(30);
    expect(vit.config.merges?.some((count) => count > 0)).toBe(true);
    expect(report.neuronsAfter).toBeLessThan(report.neuronsBefore);
    const { prunes, queryKeys, merges } = report.levels;
    for (const levels of [prunes, queryKeys, merges]) {
      expect(levels[0]).toMatchObject({ error: 0, agreement: 1 });
      expect(levels.length).toBeGreaterThan(1);
    }
    expect(queryKeys.map(({ ratio }) => ratio)).toEqual([0, 0.25, 0.5].slice(0, queryKeys.length));
    const judge = await openJudge(
      bench.context,
      bench.vit,
      await bench.context.calibration.holdout(10_000),
      [0, 1],
    );
    const judged = await judge.judge(vit, { points: 30, confidence: 0.75 });
    expect(judged.passes).toBe(true);
  });

  it('leaves the model as it is where even the gentlest may lose too much', async () => {
    const { vit, report } = await shrunk(0.5, { images: 16 });
    expect(await fingerprint(vit)).toBe(await fingerprint(bench.vit));
    expect(vit.config).toEqual(bench.vit.config);
    expect(report.accuracy.chosen).toBeUndefined();
  });

  it('is told with what was tried and what each amount does', async () => {
    const { report } = await shrunk(10);
    const stored = shrinkStage.report.parse(JSON.parse(JSON.stringify(report)));
    const { headline, tables } = shrinkStage.summarise(stored, {});
    expect(headline.find(({ label }) => label.startsWith('fewer multiplications'))).toMatchObject({
      value: report.accuracy.chosen!.speed,
    });
    const [blocks, levels, tried] = tables;
    expect(blocks!.rows).toHaveLength(bench.vit.config.mlpSizes.length);
    expect(levels!.rows).toHaveLength(levelCount(report) - 3);
    expect(tried!.rows).toHaveLength(report.accuracy.tried.length);
  });

  it('is told from reports of before queries and keys became narrower', async () => {
    const { report } = await shrunk(10);
    const older = JSON.parse(JSON.stringify(report), (key, value: unknown) =>
      key.startsWith('queryKey') ? undefined : value,
    ) as object;
    const stored = shrinkStage.report.parse(older);
    const { headline, tables } = shrinkStage.summarise(stored, {});
    expect(headline.some(({ label }) => label.includes('queries'))).toBe(false);
    expect(tables[1]!.rows).toHaveLength(report.levels.prunes.length + report.levels.merges.length - 2);
    expect(stored.accuracy.tried.every(({ queryKeys }) => queryKeys === 0)).toBe(true);
  });

  it('leaves queries and keys as they are where something sees single channels of theirs', async () => {
    const { config } = bench.vit;
    const size = headWidth(config) / 2;
    const narrow = withQueryKeySize(bench.vit, size);
    const options = shrinkOptionsSchema.parse({ budget: { accuracy: 20 }, images: 32, compared: 16 });
    const { vit, report } = await shrink(narrow, bench.context, options);
    expect(report.levels.queryKeys).toHaveLength(1);
    expect(report.accuracy.tried.every(({ queryKeys }) => queryKeys === 0)).toBe(true);
    expect(vit.config.queryKeySizes).toEqual(narrow.config.queryKeySizes);
    expect([report.queryKeyBefore, report.queryKeyAfter]).toEqual([size, size]);
  });

  it('refuses a model that merges tokens already', async () => {
    const merged = withMerges(bench.vit, [2, 2, 2, 0]);
    const options = shrinkOptionsSchema.parse({ budget: { accuracy: 1 } });
    const refused = await refusalOf(() => shrink(merged, bench.context, options));
    expect(refused).toMatchObject({ source: 'recipe', place: 'shrink' });
  });
});

it('a schedule for a speed reaches it, and there is none where merging everything does not', () => {
  const { config } = bench.vit;
  for (const slope of SLOPES) {
    const merges = scheduleFor(config, slope, 1.3);
    expect(multiplications(config) / multiplications({ ...config, merges })).toBeGreaterThanOrEqual(1.3);
    expect(scheduleFor(config, slope, 100)).toBeUndefined();
  }
});
