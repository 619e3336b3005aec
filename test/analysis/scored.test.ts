import { describe, expect, test } from 'vitest';
import { isScored } from '../../src/analysis/figures/accuracy.js';
import { scoredAlike } from '../../src/analysis/figures/features.js';

const classes = [
  { images: 'cat', model: 'tabby, cat', place: 281 },
  { images: 'dog', model: 'dog', place: 1 },
];
const fittedHead = { images: 96, holdout: 32, lambda: 1, holdoutAccuracy: 0.9 };

/** Whether a model of a card and a record is scored on images that are called `pets`. */
function scored(
  dataset: string | undefined,
  record: object | undefined,
  synthetic = 0,
  features?: object,
): boolean {
  const json = (value: object | undefined): string | null => (value ? JSON.stringify(value) : null);
  const card_json = json(dataset === undefined ? undefined : { dataset });
  return isScored(
    { synthetic, card_json, model_json: json(record), features_json: json(features) },
    { name: 'pets' },
  );
}

describe('a model is scored on images', () => {
  test('of the set that it was trained for', () => {
    expect(scored('pets', {})).toBe(true);
    expect(scored('cifar10', {})).toBe(false);
    expect(scored(undefined, undefined)).toBe(true);
  });

  test('of another set when its classes are theirs by name, or its head was fitted to them', () => {
    expect(scored('imagenet', { classes })).toBe(true);
    expect(scored('imagenet', { fittedHead })).toBe(true);
    expect(scored('imagenet', { classes: 'cat' })).toBe(false);
  });

  test('of any set when it has no head and neighbours vote', () => {
    const features = { width: 8, neighbours: 5, temperature: 0.07, images: 100 };
    expect(scored('imagenet', {}, 0, features)).toBe(true);
    expect(scored('imagenet', {}, 1, features)).toBe(false);
  });

  test('never with weights from a seed', () => {
    expect(scored('pets', { classes, fittedHead }, 1)).toBe(false);
  });
});

describe('two variants are scored alike', () => {
  const by = (features: object | null) => ({
    features_json: features === null ? null : JSON.stringify(features),
  });
  const vote = { width: 8, neighbours: 5, temperature: 0.07, images: 100 };

  test('by their heads, or by the same vote, however many training images were asked for', () => {
    expect(scoredAlike(by(null), by(null))).toBe(true);
    expect(scoredAlike(by(vote), by({ ...vote, asked: 5000 }))).toBe(true);
  });

  test('and not by a head and a vote, nor by votes of others', () => {
    expect(scoredAlike(by(null), by(vote))).toBe(false);
    expect(scoredAlike(by(vote), by({ ...vote, images: 101 }))).toBe(false);
    expect(scoredAlike(by(vote), by({ ...vote, neighbours: 6 }))).toBe(false);
  });
});
