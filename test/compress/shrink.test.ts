import { beforeAll, describe, expect, it } from 'vitest';
import type { StageContext } from '../../src/compress/context.js';
import { openJudge } from '../../src/compress/judge.js';
import { lossOf } from '../../src/compress/loss.js';
import { multiplications, scheduleFor, SLOPES } from '../../src/compress/merge-tokens/schedule.js';
import { withMerges } from '../../src/compress/merge-tokens/stage.js';
import { chosenClasses } from '../../src/compress/observe/logits.js';
import { frontOf } from '../../src/compress/shrink/front.js';
import { shrinkOptionsSchema } from '../../src/compress/shrink/options.js';
import { shrink, type ShrinkReport } from '../../src/compress/shrink/stage.js';
import { shrinkStage } from '../../src/compress/stages/shrink.js';
import type { ViT } from '../../src/vit/vit.js';
import { refusalOf } from '../support/refusal.js';
import { fingerprint, logitsOf, openBench, pixelsOf, type Bench } from './support.js';

let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
});

const shrunk = (
  accuracy: number,
  more: object = {},
  context: StageContext = bench.context,
): Promise<{ vit: ViT; report: ShrinkReport }> =>
  shrink(
    bench.vit,
    context,
    shrinkOptionsSchema.parse({ budget: { accuracy, ...more }, images: 64, compared: 32 }),
  );

async function classesOf(vit: ViT): Promise<Uint16Array> {
  const pixels = await pixelsOf(await bench.context.calibration.holdout(10_000));
  return Uint16Array.from(chosenClasses(await logitsOf(bench, vit, pixels), vit.config.labels.length));
}

describe('the pairs worth trying', () => {
  const level = (error: number, gain: number): { error: number; gain: number } => ({ error, gain });
  const prunes = [level(0, 0), level(0.1, 0.2), level(0.4, 0.5)];
  const merges = [level(0, 0), level(0.05, 0.15), level(0.5, 0.3)];
  const front = frontOf(prunes, merges, (prune, merge) => 1 + prune.gain + merge.gain);

  it('are faster the more they err, and change something', () => {
    expect(front.length).toBeGreaterThan(2);
    for (const [at, pair] of front.entries()) {
      const before = front[at - 1] ?? { error: 0, speed: 1 };
      expect(pair.error).toBeGreaterThan(before.error);
      expect(pair.speed).toBeGreaterThan(before.speed);
    }
  });

  it('leave out exactly what another is as fast as with no more error', () => {
    const all = prunes.flatMap((prune) =>
      merges.map((merge) => ({ error: prune.error + merge.error, speed: 1 + prune.gain + merge.gain })),
    );
    const beaten = ({ error, speed }: { error: number; speed: number }): boolean =>
      all.some(
        (other) =>
          other.error <= error && other.speed >= speed && (other.error < error || other.speed > speed),
      );
    const kept = all.filter((pair) => pair.speed > 1 && !beaten(pair)).map(({ speed }) => speed);
    expect(front.map(({ speed }) => speed)).toEqual(kept.sort((a, b) => a - b));
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
      expect(tried.filter(({ passes }) => passes).every((each) => each.speed <= speed)).toBe(true);
      expect(report.neuronsAfter).toBe(vit.config.mlpSizes.reduce((sum, size) => sum + size, 0));
      expect(report.blocks.map(({ merged }) => merged)).toEqual(
        vit.config.merges ?? report.blocks.map(() => 0),
      );
    }
    expect(fastest).toBeGreaterThan(1.2);
  });

  it('takes neurons and tokens together where much may be lost, and no pair that one of them alone beats', async () => {
    const { vit, report } = await shrunk(30);
    expect(vit.config.merges?.some((count) => count > 0)).toBe(true);
    expect(report.neuronsAfter).toBeLessThan(report.neuronsBefore);
    const { prunes, merges } = report.levels;
    for (const levels of [prunes, merges]) {
      expect(levels[0]).toMatchObject({ error: 0, agreement: 1 });
      expect(levels.length).toBeGreaterThan(2);
    }
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
    expect(levels!.rows).toHaveLength(report.levels.prunes.length + report.levels.merges.length - 2);
    expect(tried!.rows).toHaveLength(report.accuracy.tried.length);
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
