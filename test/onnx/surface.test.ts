import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { create, toBinary } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { readModel, writeModel } from '../../src/onnx/file.js';
import {
  AttributeProto_AttributeType as AttributeType,
  ModelProtoSchema,
  TensorProto_DataLocation as DataLocation,
  TensorProto_DataType as DataType,
} from '../../src/onnx/schema/onnx_pb.js';
import { copyModel, readSurface } from '../../src/onnx/surface.js';
import { float32 } from '../../src/onnx/tensor.js';
import { useFolder } from '../support/folder.js';
import { refusalOf } from '../support/refusal.js';

const folder = useFolder();

/** A tensor of three numbers in a file beside the model, and where in it. */
function elsewhere(name: string, location: string, offset?: number) {
  return {
    ...{ name, dims: [3n], dataType: DataType.FLOAT, dataLocation: DataLocation.EXTERNAL },
    externalData: [
      { key: 'location', value: location },
      ...(offset === undefined ? [] : [{ key: 'offset', value: String(offset) }]),
      { key: 'length', value: '12' },
    ],
  };
}

/** A model with a subgraph, a function, a constant of four bits, and tensors in two files. */
async function written(location = 'b.bin'): Promise<string> {
  const message = create(ModelProtoSchema, {
    irVersion: 10n,
    opsetImport: [{ domain: '', version: 21n }],
    functions: [{ domain: 'own', name: 'Twice', node: [{ name: 'inner', opType: 'Add' }] }],
    graph: {
      name: 'g',
      input: [{ name: 'a' }, { name: 'x' }],
      output: [{ name: 'y' }],
      initializer: [
        elsewhere('a', 'a.bin'),
        elsewhere('b', location, 8),
        { name: 'four', dims: [5n], dataType: DataType.UINT4, rawData: new Uint8Array(3) },
      ],
      node: [
        {
          ...{ name: 'choice', opType: 'If', domain: 'ai.onnx' },
          attribute: [
            {
              ...{ name: 'then_branch', type: AttributeType.GRAPH },
              g: {
                node: [{ name: 'deep', opType: 'Mul' }],
                initializer: [elsewhere('c', location, 20)],
              },
            },
          ],
        },
        { name: 'call', opType: 'Twice', domain: 'own' },
      ],
    },
  });
  const path = folder('model.onnx');
  await writeFile(path, toBinary(ModelProtoSchema, message));
  await writeFile(folder('a.bin'), new Uint8Array(Float32Array.of(1, 2, 3).buffer));
  await writeFile(folder('b.bin'), new Uint8Array(Float32Array.of(0, 0, 4, 5, 6, 7, 8, 9).buffer));
  return path;
}

describe('the surface of an ONNX file', () => {
  it('has the nodes and tensors of subgraphs and functions, and no initializer among the inputs', async () => {
    const surface = await readSurface(await written());
    expect(surface.inputs.map(({ name }) => name)).toEqual(['x']);
    expect(surface.nodes).toEqual([
      { name: 'choice', opType: 'If', domain: '' },
      { name: 'deep', opType: 'Mul', domain: '' },
      { name: 'call', opType: 'Twice', domain: 'own' },
      { name: 'inner', opType: 'Add', domain: '' },
    ]);
    expect(surface).toMatchObject({
      elements: 3 + 3 + 5 + 3,
      largestBytes: 12,
      externalFiles: ['a.bin', 'b.bin'],
    });
  });

  it.each(['../b.bin', '/b.bin', ''])('is refused where a tensor lies at "%s"', async (location) => {
    const path = await written(location);
    for (const act of [readSurface, (from: string) => copyModel(from, folder('copy.onnx'))]) {
      const { source, place } = await refusalOf(() => act(path));
      expect(source).toBe(path);
      expect(place).toMatch(/\b[bc]$/);
    }
  });

  it('is refused where the file is no model', async () => {
    await writeFile(folder('text.onnx'), 'no model');
    expect((await refusalOf(() => readSurface(folder('text.onnx')))).expected).toBe('an ONNX model');
    expect((await refusalOf(() => readSurface(folder('none.onnx')))).found).toBe('no such file or folder');
  });
});

describe('a copied model', () => {
  it('has all external data in one file, each tensor where it says', async () => {
    await mkdir(folder('there'));
    const to = folder('there', 'model.onnx');
    const bytes = await copyModel(await written(), to);
    const surface = await readSurface(to);
    expect(surface.externalFiles).toEqual(['model.onnx.data']);
    const data = await readFile(`${to}.data`);
    expect(bytes).toBe((await readFile(to)).byteLength + data.byteLength);
    const [a, b, c] = [0, 65_536 + 8, 65_536 + 20].map((at) => [
      ...new Float32Array(data.buffer.slice(data.byteOffset + at, data.byteOffset + at + 12)),
    ]);
    expect([a, b, c]).toEqual([
      [1, 2, 3],
      [4, 5, 6],
      [7, 8, 9],
    ]);
    const text = (await readFile(to)).toString('latin1');
    for (const offset of ['65544', '65556']) expect(text).toContain(offset);
  });

  it('without external data is the same, byte for byte', async () => {
    const model = {
      ...{ name: 'g', irVersion: 10, opsets: { '': 21 }, values: [], metadata: {} },
      inputs: [],
      outputs: [{ name: 'y', dtype: 'float32' as const, dims: [3] }],
      nodes: [{ name: 'n', opType: 'Identity', domain: '', inputs: ['a'], outputs: ['y'], attributes: {} }],
      initializers: new Map([['a', float32([3], [1, 2, 3])]]),
    };
    const { path, dataPath } = await writeModel(model, folder('model.onnx'));
    expect(dataPath).toBeUndefined();
    await copyModel(path, folder('copy.onnx'));
    expect(await readFile(folder('copy.onnx'))).toEqual(await readFile(path));
    expect((await readModel(join(folder('copy.onnx')))).initializers.size).toBe(1);
  });
});
