import { describe, expect, it } from 'vitest';
import { square } from '../../src/base/size.js';
import { findFiles, type OnnxFiles } from '../../src/model/files.js';
import { rawModel, rawName, type RawModel } from '../../src/model/raw.js';
import { writeModel } from '../../src/onnx/file.js';
import type { ValueInfo } from '../../src/onnx/model.js';
import { useFolder } from '../support/folder.js';
import { refusalOf } from '../support/refusal.js';

const folder = useFolder();

const images: ValueInfo = { name: 'x', dtype: 'float32', dims: ['n', 3, 32, 32] };
const logits: ValueInfo = { name: 'y', dtype: 'float32', dims: ['n', 10] };

/** A file with such inputs and outputs, as a raw model. */
async function raw(
  inputs: ValueInfo[],
  outputs: ValueInfo[],
  more: Partial<Parameters<typeof rawModel>[1]> = {},
): Promise<RawModel> {
  const path = folder('model.onnx');
  await writeModel(
    {
      ...{ name: 'g', irVersion: 10, opsets: { '': 17 }, values: [], metadata: {} },
      ...{ inputs, outputs, nodes: [], initializers: new Map() },
    },
    path,
  );
  const files = (await findFiles(path)) as OnnxFiles;
  return rawModel(files, { name: 'm', reason: { kind: 'asked' }, ...more });
}

describe('an ONNX file as it is', () => {
  it('takes images of a fixed or a free batch, in float32 or float16', async () => {
    expect((await raw([images], [logits])).input).toEqual({
      ...{ name: 'x', dtype: 'float32', batch: undefined, size: square(32), channels: 3 },
      freeAxes: ['n', null, null, null],
    });
    const half: ValueInfo = { name: 'x', dtype: 'float16', dims: [4, 'channels', 16, 'width'] };
    expect((await raw([half], [logits])).input).toEqual({
      ...{ name: 'x', dtype: 'float16', batch: 4, size: square(16), channels: 3 },
      freeAxes: [null, 'channels', null, 'width'],
    });
  });

  it('takes grey images, and such as are no squares', async () => {
    const grey: ValueInfo = { ...images, dims: ['n', 1, 32, 48] };
    const { input, preprocessing } = await raw([grey], [logits]);
    expect(input).toMatchObject({ size: { height: 32, width: 48 }, channels: 1 });
    expect(preprocessing).toMatchObject({ size: { height: 32, width: 48 }, grey: true, mean: [0.5] });
  });

  it('takes images of as many channels as there are', async () => {
    const bands: ValueInfo = { ...images, dims: ['n', 13, 32, 48] };
    const { input, preprocessing } = await raw([bands], [logits], { channels: 13 });
    expect(input).toMatchObject({ size: { height: 32, width: 48 }, channels: 13 });
    expect(preprocessing).toMatchObject({ channels: 13, mean: new Array<number>(13).fill(0.5) });
    for (const other of [images, { ...images, dims: ['n', 1, 32, 32] }]) {
      const { place, expected } = await refusalOf(() => raw([other], [logits], { channels: 13 }));
      expect(place).toBe('inputs');
      expect(expected).toContain('13');
    }
  });

  it('says how images are assumed to be prepared where no file does', async () => {
    const { preprocessing, record } = await raw([images], [logits]);
    expect(preprocessing.size).toEqual(square(32));
    expect(record.notes.join()).toContain('no preprocessor_config.json');
  });

  it.each<[string, ValueInfo[]]>([
    ['two inputs', [images, { ...images, name: 'mask' }]],
    ['none', []],
    ['images of two channels', [{ ...images, dims: ['n', 2, 32, 32] }]],
    ['channels last', [{ ...images, dims: ['n', 32, 32, 3] }]],
    ['images without pixels', [{ ...images, dims: ['n', 3, 32, 0] }]],
    ['bytes', [{ ...images, dtype: 'uint8' }]],
    ['flat images', [{ ...images, dims: ['n', 3072] }]],
  ])('is refused with %s as inputs', async (_what, inputs) => {
    const { source, place, found } = await refusalOf(() => raw(inputs, [logits]));
    expect({ source, place }).toEqual({ source: folder('model.onnx'), place: 'inputs' });
    for (const { name } of inputs) expect(found).toContain(name);
  });

  it('is refused where nothing says how large the images are', async () => {
    const free: ValueInfo = { ...images, dims: ['n', 3, 'h', 'w'] };
    expect((await refusalOf(() => raw([free], [logits]))).found).toContain('any size');
  });

  it('has the output that is named, the only one, or the one that is called logits', async () => {
    const hidden: ValueInfo = { name: 'hidden', dtype: 'float32', dims: ['n', 17, 24] };
    const called: ValueInfo = { ...logits, name: 'logits' };
    expect((await raw([images], [hidden, logits], { output: 'y' })).output).toBe('y');
    const chosen = await raw([images], [hidden, called]);
    expect(chosen.output).toBe('logits');
    expect(chosen.record.notes.join()).toContain('"logits"');
    const { place, found } = await refusalOf(() => raw([images], [hidden, logits]));
    expect(place).toBe('outputs');
    expect(found).toMatch(/hidden.*y/);
    expect((await refusalOf(() => raw([images], [hidden, logits], { output: 'z' }))).expected).toContain('z');
    expect((await refusalOf(() => raw([images], [hidden]))).place).toBe('output hidden');
    expect((await refusalOf(() => raw([images], [{ ...logits, dtype: 'int64' }]))).found).toContain('int64');
  });

  it('is called as its file, in the letters of names', () => {
    expect(rawName('/a/their model (v2).onnx')).toBe('their-model-v2-');
    expect(rawName('/a/-_.onnx')).toBe('raw');
  });
});
