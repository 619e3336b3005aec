import { describe, expect, it } from 'vitest';
import { orderFault } from '../../src/compress/order.js';
import { stepOf } from '../../src/compress/stage.js';
import { correctHeadStage } from '../../src/compress/stages/correct-head.js';
import { headStage } from '../../src/compress/stages/head.js';
import { mergeTokensStage } from '../../src/compress/stages/merge-tokens.js';
import { precisionStage } from '../../src/compress/stages/precision.js';
import { profileStage } from '../../src/compress/stages/profile.js';
import { pruneStage } from '../../src/compress/stages/prune.js';
import { quantizeStage } from '../../src/compress/stages/quantize.js';
import { resizePatchesStage } from '../../src/compress/stages/resize-patches.js';
import { shrinkStage } from '../../src/compress/stages/shrink.js';

const prune = stepOf(pruneStage, { ratio: 0.5 });
const merge = stepOf(mergeTokensStage, { r: 2 });
const int8 = stepOf(quantizeStage);
const head = stepOf(headStage);
const correction = stepOf(correctHeadStage);

const shrinkBudget = { accuracy: 1, confidence: 0.75, images: 64 };

describe('the order of stages', () => {
  it('is right when what changes floats comes before what quantises them', () => {
    expect(orderFault([prune, merge, int8])).toBeUndefined();
    expect(orderFault([merge, prune, prune, int8])).toBeUndefined();
  });

  it('is wrong at a stage that needs floats behind one that leaves none', () => {
    expect(orderFault([merge, int8, prune])).toEqual({
      ...{ kind: 'behind-quantiser', index: 2, stage: 'prune', quantiser: 'quantize' },
    });
    // What is kept float may be what is pruned: only the work itself can tell.
    expect(orderFault([stepOf(quantizeStage, { keep: ['*.fc1', '*.fc2'] }), prune])).toBeUndefined();
  });

  it('is wrong at a second stage of a kind that a recipe has once', () => {
    expect(orderFault([merge, int8, merge])).toEqual({
      ...{ kind: 'second', index: 2, stage: 'merge-tokens' },
    });
  });

  it('is wrong at a stage that needs all tokens behind one that merges them', () => {
    for (const stage of [stepOf(resizePatchesStage), stepOf(shrinkStage, { budget: shrinkBudget })])
      expect(orderFault([prune, merge, stage])).toEqual({
        ...{ kind: 'behind-merging', index: 2, stage: stage.stage, merging: 'merge-tokens' },
      });
    expect(orderFault([stepOf(resizePatchesStage), prune, merge])).toBeUndefined();
  });

  it('is wrong where a classifier is refitted and corrected', () => {
    expect(orderFault([prune, head, correction])).toEqual({
      ...{ kind: 'two-classifiers', index: 2, stage: 'correct-head', other: 'head' },
    });
    expect(orderFault([prune, correction, head])).toEqual({
      ...{ kind: 'two-classifiers', index: 2, stage: 'head', other: 'correct-head' },
    });
  });

  it('is wrong where a stage changes what the corrected classifier reads', () => {
    for (const stage of [prune, merge, int8])
      expect(orderFault([correction, stage])).toEqual({
        ...{ kind: 'behind-correction', index: 1, stage: stage.stage, correction: 'correct-head' },
      });
    expect(orderFault([prune, merge, int8, correction])).toBeUndefined();
    expect(orderFault([correction, stepOf(profileStage), stepOf(precisionStage)])).toBeUndefined();
  });
});
