import { describe, expect, it } from 'vitest';
import { square } from '../../src/base/size.js';
import { effortsOf } from '../../src/compress/planned.js';
import { startPace } from '../../src/compress/pace.js';
import { profileOptionsSchema } from '../../src/compress/profile/options.js';
import { pruneOptionsSchema } from '../../src/compress/prune/options.js';
import { quantizeOptionsSchema } from '../../src/compress/quantize/options.js';
import { stepOf, type Step } from '../../src/compress/stage.js';
import { mergeTokensStage } from '../../src/compress/stages/merge-tokens.js';
import { pruneStage } from '../../src/compress/stages/prune.js';
import { quantizeStage } from '../../src/compress/stages/quantize.js';
import { syntheticViT } from '../../src/vit/synthetic.js';

/** A pace with a clock that stands where it is put, in seconds. */
function paced(efforts: readonly number[]): { pace: ReturnType<typeof startPace>; at: (s: number) => void } {
  let seconds = 0;
  const pace = startPace(efforts, () => seconds * 1000);
  return {
    pace,
    at: (s) => {
      seconds = s;
    },
  };
}

describe('the pace', () => {
  it('says what is left at the speed so far, by effort and not by number of stages', () => {
    const { pace, at } = paced([30, 10]);
    at(60);
    expect(pace.at(0, 1 / 3)).toEqual({ done: 0.25, secondsLeft: 180 });
    at(240);
    expect(pace.at(1, 1)).toEqual({ done: 1, secondsLeft: 0 });
  });

  it('does not take for speed what was found done', () => {
    const { pace, at } = paced([10, 10]);
    pace.found();
    pace.at(0, 1);
    pace.found();
    expect(pace.at(1, 0.5).done).toBe(0.75);
    at(10);
    expect(pace.at(1, 0.6).secondsLeft).toBeCloseTo(40, 6);
  });

  it('says nothing of what is left before five seconds of own work, or while nothing of it is done', () => {
    const { pace, at } = paced([1]);
    at(4.9);
    expect(pace.at(0, 0.5)).toEqual({ done: 0.5, secondsLeft: undefined });
    at(5);
    expect(pace.at(0, 0.5).secondsLeft).toBeCloseTo(5, 9);
    const idle = paced([1]);
    idle.at(20);
    expect(idle.pace.at(0, 0)).toEqual({ done: 0, secondsLeft: undefined });
    idle.pace.found();
    expect(idle.pace.at(0, 0.5)).toEqual({ done: 0.5, secondsLeft: undefined });
  });

  it('counts steps alike that are all no work', () => {
    const { pace } = paced([0, 0]);
    expect(pace.at(0, 1).done).toBe(0.5);
    expect(pace.at(1, 0.5).done).toBe(0.75);
  });
});

it('a step’s effort grows with images and width, and is less behind one that prunes', () => {
  const base = syntheticViT('vit-base', 1, square(224), ['a']);
  const huge = syntheticViT('vit-huge', 1, square(224), ['a']);
  const profile = (images: number): Step => ({
    stage: 'profile',
    options: profileOptionsSchema.parse({ images }),
  });
  const prune: Step = { stage: 'prune', options: pruneOptionsSchema.parse({ ratio: 0.5 }) };
  const quantize: Step = { stage: 'quantize', options: quantizeOptionsSchema.parse({}) };
  const [some, more] = effortsOf(base, [profile(8), profile(16)]);
  expect(more! / some!).toBeCloseTo(2, 9);
  expect(effortsOf(huge, [prune])[0]).toBeGreaterThan(5 * effortsOf(base, [prune])[0]!);
  expect(effortsOf(base, [prune, quantize])[1]).toBeLessThan(effortsOf(base, [quantize])[0]!);
});

it('an image more to judge on is less effort where only those run that the model is least sure of', () => {
  const vit = syntheticViT('vit-base', 1, square(224), ['a']);
  const judgedOn = (images: number): number =>
    effortsOf(vit, [stepOf(pruneStage, { budget: { accuracy: 1, confidence: 0.75, images } })])[0]!;
  const few = judgedOn(1024) - judgedOn(512);
  expect(few).toBeGreaterThan(0);
  expect(judgedOn(4096) - judgedOn(3584)).toBeLessThan(0.6 * few);
});

it('a step that does not fit the shapes that are predicted refuses nothing: those that will be are others', () => {
  const vit = syntheticViT('vit-base', 1, square(224), ['a']);
  const prune = stepOf(pruneStage, { ratio: 0.5 });
  const merge = stepOf(mergeTokensStage, { budget: { speed: 50, every: 2 } });
  const quantize = stepOf(quantizeStage);
  const [first, second, third] = effortsOf(vit, [prune, merge, quantize]);
  expect(first).toBeGreaterThan(0);
  expect(second).toBe(0);
  expect(third).toBeGreaterThan(0);
});
