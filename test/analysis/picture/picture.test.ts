import { describe, expect, it } from 'vitest';
import { modelPicture } from '../../../src/analysis/picture/picture.js';
import { storedExample, figuresOf } from '../support/stored.js';
import { useFolder } from '../../support/folder.js';

const folder = useFolder();

describe('the picture of a variant', () => {
  it('counts every answer once, and names the images whose answer changed', async () => {
    const { analysis } = await storedExample(folder('a.sqlite'));
    const { variant, accuracy } = figuresOf(analysis, 'int8');
    const { answers, baseline } = modelPicture(variant, analysis);
    expect(baseline!.recipe).toBe('fp32');
    const sum = (rows: readonly (readonly number[])[]): number =>
      rows.flat().reduce((all, each) => all + each, 0);
    expect(sum(answers!.confusion)).toBe(accuracy!.images);
    expect(sum(answers!.before!)).toBe(accuracy!.images);
    const right = answers!.confusion.reduce((all, row, label) => all + row[label]!, 0);
    expect(right).toBe(accuracy!.correct);
    expect(answers!.changed).toHaveLength(Math.round(accuracy!.images * (1 - accuracy!.agreement!.value)));
    for (const { before, now } of answers!.changed) expect(before).not.toBe(now);
  });

  it('shows widths and bits as the stages report them, and nothing of fp32', async () => {
    const { analysis } = await storedExample(folder('a.sqlite'));
    const pruned = modelPicture(figuresOf(analysis, 'pruned').variant, analysis);
    expect(pruned.widths.reduce((sum, { after }) => sum + after, 0)).toBe(1024);
    const { bits, sensitivity } = modelPicture(figuresOf(analysis, 'int8').variant, analysis);
    const eight = bits.filter(({ weights, inputs }) => weights === 8 && inputs === 8).map(({ name }) => name);
    expect(eight).toEqual(
      sensitivity.filter(({ state }) => state === 'quantised').map(({ linear }) => linear),
    );
    const {
      widths,
      bits: none,
      tokens,
      answers,
    } = modelPicture(figuresOf(analysis, 'fp32').variant, analysis);
    expect([widths, none, tokens, answers!.changed]).toEqual([[], [], [], []]);
  });
});
