import { fromBinary } from '@bufbuild/protobuf';
import { mkdir, open, readdir, readFile, stat, truncate, writeFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { seededRandom } from '../../src/base/random.js';
import { readRange } from '../../src/base/read-range.js';
import { modelBytes, readModel, serializeModel, writeModel } from '../../src/onnx/file.js';
import { ModelProtoSchema } from '../../src/onnx/schema/onnx_pb.js';
import { float32, tensorOf, viewAs, type TensorSource } from '../../src/onnx/tensor.js';
import { runOnce } from '../support/engine.js';
import { useFolder } from '../support/folder.js';
import { constantsModel, encodedTensor, externalTensor, linearModel } from '../support/models.js';
import { refusalOf } from '../support/refusal.js';
import { draw } from '../support/simulate.js';

const inFolder = useFolder();

const random = seededRandom(1);
const weight = Float32Array.from(draw(64 * 48, () => random.normal()));
const bias = Float32Array.from(draw(48, () => random.normal()));
const x = Float32Array.from(draw(2 * 64, () => random.normal()));

/** `x · W + b`, as the schoolbook multiplies. */
function expectedOutput(): number[] {
  return Array.from({ length: 2 * 48 }, (_, at) => {
    const [row, column] = [Math.floor(at / 48), at % 48];
    let sum = bias[column]!;
    for (let k = 0; k < 64; k++) sum += x[row * 64 + k]! * weight[k * 48 + column]!;
    return sum;
  });
}

async function expectToRun(model: string | Uint8Array): Promise<void> {
  const { y } = await runOnce(model, { x: { dims: [2, 64], data: x } });
  const found = y!.data as Float32Array;
  for (const [at, value] of expectedOutput().entries()) expect(found[at]).toBeCloseTo(value, 4);
}

/** Bytes that can be told from each other. */
function pattern(length: number, seed: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * 31 + seed * 97 + (i >> 8)) & 0xff);
}

/** Where the tensors of a written model lie, by the names of the ONNX specification. */
async function locations(path: string): Promise<Map<string, Record<string, string>>> {
  const { graph } = fromBinary(ModelProtoSchema, await readFile(path));
  return new Map(
    (graph?.initializer ?? []).map((tensor) => [
      tensor.name,
      Object.fromEntries(tensor.externalData.map(({ key, value }) => [key, value])),
    ]),
  );
}

describe('writeModel', () => {
  test('writes what readModel gives back', async () => {
    const tensors: Record<string, TensorSource> = {};
    for (const [index, length] of [1, 4, 1023, 1024, 1025, 4096, 5000, 12_288, 100].entries())
      tensors[`t${length}`] = tensorOf('uint8', [length], pattern(length, index));
    tensors['half'] = tensorOf('float16', [30, 40], new Uint16Array(pattern(2400, 9).buffer));
    tensors['empty'] = float32([0], []);
    const path = inFolder('model.onnx');
    await writeModel(constantsModel(tensors), path);
    const again = await readModel(path);
    expect([...again.initializers.keys()]).toEqual(Object.keys(tensors));
    for (const [name, tensor] of Object.entries(tensors)) {
      const found = again.initializers.get(name)!;
      expect([found.dtype, found.dims]).toEqual([tensor.dtype, tensor.dims]);
      expect(await found.read()).toEqual(await tensor.read());
      // Nor is it used up by being read.
      expect(await found.read()).toEqual(await tensor.read());
    }
  });

  test('begins large tensors on pages of their own and keeps small ones inside', async () => {
    const tensors = Object.fromEntries(
      [1023, 1024, 5000, 8, 4096, 1025].map((length) => [
        `t${length}`,
        tensorOf('uint8', [length], pattern(length, length)),
      ]),
    );
    const path = inFolder('model.onnx');
    const written = await writeModel(constantsModel(tensors), path);
    const places = await locations(path);
    const ranges: [number, number][] = [];
    for (const [name, { location, offset, length }] of places) {
      const size = Number(name.slice(1));
      if (size < 1024) {
        expect(location).toBeUndefined();
        continue;
      }
      expect(location).toBe('model.onnx.data');
      expect(Number(offset) % 4096).toBe(0);
      expect(Number(length)).toBe(size);
      ranges.push([Number(offset), size]);
    }
    expect(ranges).toHaveLength(4);
    ranges.sort(([a], [b]) => a - b);
    for (let i = 1; i < ranges.length; i++)
      expect(ranges[i]![0]).toBeGreaterThanOrEqual(ranges[i - 1]![0] + ranges[i - 1]![1]);
    expect(written).toEqual({ path, dataPath: `${path}.data`, bytes: await modelBytes(path) });
    expect(written.bytes).toBe((await stat(path)).size + (await stat(`${path}.data`)).size);
  });

  test('writes a model that ONNX Runtime loads, with external data, and computes with rightly', async () => {
    const path = inFolder('linear.onnx');
    const written = await writeModel(linearModel(weight, bias), path);
    expect(written.dataPath).toBeDefined();
    await expectToRun(path);
  });

  test('writes again what was read, as it was', async () => {
    const [first, second] = [inFolder('a', 'linear.onnx'), inFolder('b', 'linear.onnx')];
    await mkdir(inFolder('a'));
    await mkdir(inFolder('b'));
    await writeModel(linearModel(weight, bias), first);
    await writeModel(await readModel(first), second);
    expect(await readFile(second)).toEqual(await readFile(first));
    expect(await readFile(`${second}.data`)).toEqual(await readFile(`${first}.data`));
    await expectToRun(second);
  });

  test('reads one tensor at a time, each once', async () => {
    const order: string[] = [];
    const recorded = (name: string): TensorSource => ({
      dtype: 'uint8',
      dims: [2000],
      read: async () => {
        order.push(`${name} begins`);
        await new Promise((resolve) => setTimeout(resolve, 5));
        order.push(`${name} ends`);
        return pattern(2000, 1);
      },
    });
    await writeModel(constantsModel({ a: recorded('a'), b: recorded('b') }), inFolder('m.onnx'));
    expect(order).toEqual(['a begins', 'a ends', 'b begins', 'b ends']);
  });

  describe('leaves nothing behind', () => {
    const large = tensorOf('uint8', [5000], pattern(5000, 1));
    const broken: TensorSource = {
      dtype: 'float32',
      dims: [2000],
      read: () => Promise.reject(new Error('the disk is gone')),
    };

    test('when a tensor cannot be read', async () => {
      const model = constantsModel({ large, broken });
      await expect(writeModel(model, inFolder('m.onnx'))).rejects.toThrow('the disk is gone');
      expect(await readdir(inFolder())).toEqual([]);
    });

    test('when a tensor has other bytes than its shape', async () => {
      const lying: TensorSource = { ...broken, read: () => Promise.resolve(new Uint8Array(7999)) };
      const model = constantsModel({ large, lying });
      await expect(writeModel(model, inFolder('m.onnx'))).rejects.toThrow(/lying.*7999.*8000/);
      expect(await readdir(inFolder())).toEqual([]);
    });

    test('when the graph cannot be written', async () => {
      const model = linearModel(weight, bias);
      const unreadable = { ...large, read: () => Promise.reject(new Error('gone')) };
      const attributes = { value: { type: 'tensor', value: unreadable } } as const;
      const nodes = model.nodes.map((node) => ({ ...node, attributes }));
      await expect(writeModel({ ...model, nodes }, inFolder('m.onnx'))).rejects.toThrow('gone');
      expect(await readdir(inFolder())).toEqual([]);
    });

    test('and the model that was there before stays whole', async () => {
      const path = inFolder('linear.onnx');
      await writeModel(linearModel(weight, bias), path);
      await expect(writeModel(constantsModel({ large, broken }), path)).rejects.toThrow();
      expect((await readdir(inFolder())).sort()).toEqual(['linear.onnx', 'linear.onnx.data']);
      await expectToRun(path);
    });
  });

  test('takes away the weights of a model that it replaces by one without any', async () => {
    const path = inFolder('model.onnx');
    await writeModel(linearModel(weight, bias), path);
    const { dataPath, bytes } = await writeModel(constantsModel({ small: float32([1], [1]) }), path);
    expect(dataPath).toBeUndefined();
    expect(await modelBytes(path)).toBe(bytes);
    expect(await readdir(inFolder())).toEqual(['model.onnx']);
  });
});

describe('serializeModel', () => {
  test('makes one protobuf that ONNX Runtime loads', async () => {
    await expectToRun(await serializeModel(linearModel(weight, bias)));
  });
});

describe('readModel', () => {
  test('reads external data beyond 2 GB by range and keeps none of it', async () => {
    const [offset, count] = [2_200_000_000 - (2_200_000_000 % 4096), 512];
    const values = Float32Array.from({ length: count }, (_, i) => Math.sqrt(i));
    const data = inFolder('big.data');
    await writeFile(data, '');
    // Sparse: it takes next to no room where the file system can do that.
    await truncate(data, offset + 4 * count);
    const file = await open(data, 'r+');
    await file.write(new Uint8Array(values.buffer), 0, 4 * count, offset);
    await file.close();
    const tensor = externalTensor([count], {
      location: 'big.data',
      offset: `${offset}`,
      length: `${4 * count}`,
    });
    await writeFile(inFolder('big.onnx'), encodedTensor(tensor));

    const before = process.memoryUsage().rss;
    const model = await readModel(inFolder('big.onnx'));
    expect(viewAs(await model.initializers.get('w')!.read(), Float32Array)).toEqual(values);
    expect(process.memoryUsage().rss - before).toBeLessThan(200e6);
  });

  test('takes external data without offset and length from the beginning', async () => {
    await writeFile(inFolder('w.bin'), Float32Array.of(1, 2, 3));
    await writeFile(inFolder('m.onnx'), encodedTensor(externalTensor([2], { location: './w.bin' })));
    const model = await readModel(inFolder('m.onnx'));
    expect(viewAs(await model.initializers.get('w')!.read(), Float32Array)).toEqual(Float32Array.of(1, 2));
  });

  test('takes external data from a folder below', async () => {
    await mkdir(inFolder('weights'));
    await writeFile(inFolder('weights', 'w.bin'), Float32Array.of(4));
    await writeFile(inFolder('m.onnx'), encodedTensor(externalTensor([1], { location: 'weights/w.bin' })));
    const model = await readModel(inFolder('m.onnx'));
    expect(viewAs(await model.initializers.get('w')!.read(), Float32Array)).toEqual(Float32Array.of(4));
  });

  test.each<[string, Uint8Array]>([
    ['nothing', new Uint8Array()],
    ['a text', Buffer.from('model: vit\nrecipe: none\n')],
    ['JSON', Buffer.from('{"graph": {"node": []}}')],
    ['a PNG image', Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13)],
    ['a ZIP archive', Uint8Array.of(0x50, 0x4b, 3, 4, 20, 0, 0, 0, 8, 0)],
    ['zeros', new Uint8Array(4096)],
    ['ones', new Uint8Array(4096).fill(255)],
  ])('refuses %s', async (_what, bytes) => {
    const path = inFolder('model.onnx');
    await writeFile(path, bytes);
    const fault = await refusalOf(() => readModel(path));
    expect(fault).toMatchObject({ source: path, expected: 'an ONNX model' });
    expect(fault.found).not.toBe('');
  });

  test('refuses random bytes', async () => {
    const path = inFolder('model.onnx');
    const noise = seededRandom(3);
    for (let i = 0; i < 100; i++) {
      await writeFile(
        path,
        Uint8Array.from({ length: 1 + noise.integer(300) }, () => noise.integer(256)),
      );
      await refusalOf(() => readModel(path));
    }
  });

  test('refuses a model that was cut off anywhere before its last part', async () => {
    const path = inFolder('model.onnx');
    const model = { ...linearModel(weight.subarray(0, 12), bias.subarray(0, 3)), metadata: {} };
    const bytes = await serializeModel({ ...model, opsets: { '': 23 } });
    for (let length = 0; length < bytes.length; length++) {
      await writeFile(path, bytes.subarray(0, length));
      await refusalOf(() => readModel(path));
    }
    await writeFile(path, bytes);
    expect((await readModel(path)).nodes).toHaveLength(2);
  });

  test('refuses a file that is not there', async () => {
    const fault = await refusalOf(() => readModel(inFolder('missing.onnx')));
    expect(fault.source).toBe(inFolder('missing.onnx'));
    expect(fault.found).toBe('no such file or folder');
  });

  test.each(['../secret', 'a/../../secret', '/etc/hostname', '..', 'a/b/../../../secret'])(
    'refuses external data at %s',
    async (location) => {
      const path = inFolder('m.onnx');
      await writeFile(path, encodedTensor(externalTensor([1], { location })));
      const fault = await refusalOf(() => readModel(path));
      expect(fault).toMatchObject({ source: path, place: 'external data' });
      expect(fault.found).toContain(location);
    },
  );

  test.each([
    [{ location: 'w.bin', length: '5' }, '5'],
    [{ location: 'w.bin', offset: '-4096' }, '-4096'],
    [{ location: 'w.bin', offset: 'somewhere' }, 'somewhere'],
    [{ location: 'w.bin', offset: '1e300' }, '1e300'],
    [{ offset: '0' }, 'location'],
  ])('refuses external data that is described by %j', async (location, named) => {
    await writeFile(inFolder('w.bin'), new Uint8Array(64));
    await writeFile(inFolder('m.onnx'), encodedTensor(externalTensor([4], location)));
    const fault = await refusalOf(() => readModel(inFolder('m.onnx')));
    expect(fault.source).toBe(inFolder('m.onnx'));
    expect(fault.found).toContain('tensor w');
    expect(fault.found).toContain(named);
  });

  test('refuses a tensor whose bytes do not fit its shape', async () => {
    await writeFile(
      inFolder('m.onnx'),
      encodedTensor({ dataType: 1, dims: [2n, 3n], rawData: new Uint8Array(20) }),
    );
    const fault = await refusalOf(() => readModel(inFolder('m.onnx')));
    expect(fault.source).toBe(inFolder('m.onnx'));
    expect(fault.found).toMatch(/tensor w.*20.*24/);
  });

  test('says so when external data ends too early, or is not there, once it is asked for', async () => {
    await writeFile(inFolder('w.bin'), new Uint8Array(50));
    await writeFile(
      inFolder('m.onnx'),
      encodedTensor(externalTensor([4], { location: 'w.bin', offset: '40' })),
    );
    const short = (await readModel(inFolder('m.onnx'))).initializers.get('w')!;
    expect(await refusalOf(() => short.read())).toEqual({
      source: inFolder('w.bin'),
      place: 'byte 50',
      found: 'the end of the file',
      expected: '6 more bytes',
    });
    await writeFile(inFolder('m.onnx'), encodedTensor(externalTensor([4], { location: 'gone.bin' })));
    const gone = (await readModel(inFolder('m.onnx'))).initializers.get('w')!;
    const fault = await refusalOf(() => gone.read());
    expect(fault.source).toBe(inFolder('gone.bin'));
    expect(fault.found).toBe('no such file or folder');
  });
});

describe('readRange', () => {
  test('gives exactly the range', async () => {
    const bytes = pattern(10_000, 3);
    await writeFile(inFolder('f'), bytes);
    for (const [offset, length] of [
      [0, 10_000],
      [0, 0],
      [9_999, 1],
      [4096, 100],
      [1, 7],
    ] as const)
      expect(await readRange(inFolder('f'), offset, length)).toEqual(bytes.slice(offset, offset + length));
  });

  test('refuses a range that the file does not have', async () => {
    await writeFile(inFolder('f'), new Uint8Array(10));
    expect(await refusalOf(() => readRange(inFolder('f'), 8, 4))).toMatchObject({ place: 'byte 10' });
    expect(await refusalOf(() => readRange(inFolder('f'), 100, 4))).toMatchObject({ place: 'byte 100' });
  });
});
