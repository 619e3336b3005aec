import { describe, expect, it, test } from 'vitest';
import { matchClasses, withClassesOf } from '../../src/model/classes.js';
import { viewAs } from '../../src/onnx/tensor.js';
import { loadFolder } from '../support/load.js';
import { microDirectory } from '../support/micro.js';
import { refusalOf } from '../support/refusal.js';

const cifar10 = ['airplane', 'automobile', 'bird', 'cat', 'deer', 'dog', 'frog', 'horse', 'ship', 'truck'];
const tench = ['tench', 'English springer', 'cassette player', 'chain saw', 'church'];
const imagenette = [...tench, 'French horn', 'garbage truck', 'gas pump', 'golf ball', 'parachute'];

describe('classes', () => {
  it('in the same order are the same', () => {
    expect(matchClasses(cifar10, cifar10)).toEqual({ kind: 'same' });
  });

  it('in another order are matched by name', () => {
    const order = [8, 3, 9, 0, 6, 1, 7, 2, 5, 4];
    const match = matchClasses(
      order.map((index) => cifar10[index]!),
      cifar10,
    );
    expect(match).toEqual({ kind: 'mapped', order: cifar10.map((_, index) => order.indexOf(index)) });
  });

  it('are matched by other names that they have', () => {
    const names = [
      ...['Lorry', 'boats', 'HORSES', 'n01639765 frog', 'domestic dog, dog, Canis familiaris', 'deer'],
      ...['house_cat', 'birds', 'Car', 'Aeroplane'],
    ];
    expect(matchClasses(names, cifar10)).toEqual({ kind: 'mapped', order: [9, 8, 7, 6, 5, 4, 3, 2, 1, 0] });
  });

  test.each(['LABEL_', 'class ', 'Class-', ''])('called %s0, %s1 have no names', (prefix) => {
    for (const first of [0, 1])
      expect(
        matchClasses(
          cifar10.map((_, index) => `${prefix}${index + first}`),
          cifar10,
        ),
      ).toEqual({ kind: 'unnamed' });
  });

  it('of another number get another head', () => {
    expect(matchClasses([], cifar10)).toEqual({ kind: 'other number' });
  });

  test.each([
    ['of another data set', imagenette, 'tench'],
    ['of which two are the same', ['plane', ...cifar10.slice(0, 9)], 'airplane'],
    ['with numbers in another order', cifar10.map((_, index) => `LABEL_${9 - index}`), 'LABEL_9'],
    ['of which one is another', [...cifar10.slice(0, 9), 'tractor'], 'tractor'],
  ])('%s are others', (_what, names, name) => {
    expect(matchClasses(names, cifar10)).toEqual({ kind: 'other', name });
  });
});

describe('a model', () => {
  it('for the same classes in another order has its rows moved', async () => {
    const { vit } = await loadFolder(microDirectory);
    const { labels } = vit.config;
    const reversed = [...labels].reverse();
    const moved = withClassesOf('x', vit, reversed);
    expect(moved.vit.config.labels).toEqual(reversed);
    expect(moved.notes.join()).toContain(`${labels.length} of ${labels.length} are at another index`);
    for (const name of ['head.weight', 'head.bias']) {
      const [before, after] = await Promise.all(
        [vit, moved.vit].map(async (each) => viewAs(await each.weights.get(name)!.read(), Float32Array)),
      );
      const width = before!.length / labels.length;
      for (let row = 0; row < labels.length; row++)
        expect(after!.subarray(row * width, (row + 1) * width)).toEqual(
          before!.subarray((9 - row) * width, (10 - row) * width),
        );
    }
  });

  it('for as many other classes is refused, and one without names says so', async () => {
    const { vit } = await loadFolder(microDirectory);
    const fault = await refusalOf(() => withClassesOf('x', vit, imagenette));
    expect(fault.found).toContain(vit.config.labels[0]!);
    const unnamed = {
      ...vit,
      config: { ...vit.config, labels: vit.config.labels.map((_, i) => `LABEL_${i}`) },
    };
    const { vit: named, notes } = withClassesOf('x', unnamed, vit.config.labels);
    expect(named.config.labels).toEqual(vit.config.labels);
    expect(notes.join()).toContain('LABEL_0');
  });
});
