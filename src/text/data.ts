import type { Findings, Leak } from '../data/sets/findings.js';
import type { ModelRecord } from '../model/record.js';
import * as format from './format.js';
import type { Table } from './table.js';

/** How many leaks are named. */
const NAMED = 5;

/**
 * How many training images are left out because they are test images, too.
 *
 * @param leaks - those images
 */
export function leakLine(leaks: readonly [Leak, ...Leak[]]): string {
  const [first] = leaks;
  const images =
    leaks.length === 1
      ? 'one training image is also a test image and is'
      : `${format.integer(leaks.length)} training images are also test images and are`;
  const example = leaks.length === 1 ? '' : 'for example, ';
  return `${images} left out: ${example}${first.train} is ${first.test}`;
}

/** A split, as far as tables show it. */
interface ShownSplit {
  readonly labels: readonly string[];
  readonly count: number;
  readonly classes: ArrayLike<number>;
}

/** A set, as far as tables show it. */
interface ShownSet {
  readonly train: ShownSplit;
  readonly test: ShownSplit;
  readonly findings?: Findings | undefined;
}

/**
 * How many images of each class a set has, and what was seen of them.
 *
 * @param set - both splits
 */
export function setTable({ train, test, findings }: ShownSet): Table {
  const [ofTrain, ofTest] = [countsOf(train), countsOf(test)];
  const rows = test.labels.map((name, label) => ({
    number: String(label),
    name,
    train: format.integer(ofTrain[label] ?? 0),
    test: format.integer(ofTest[label] ?? 0),
  }));
  const total = { name: 'all', train: format.integer(train.count), test: format.integer(test.count) };
  return {
    columns: [
      { key: 'number', title: '#', align: 'right' },
      { key: 'name', title: 'class', align: 'left' },
      { key: 'train', title: 'training', align: 'right' },
      { key: 'test', title: 'test', align: 'right' },
    ],
    rows: [...rows, total],
    notes: findings ? findingNotes(findings) : [],
  };
}

function countsOf({ labels, classes }: ShownSplit): number[] {
  const counts = labels.map(() => 0);
  for (const label of Array.from(classes)) counts[label] = (counts[label] ?? 0) + 1;
  return counts;
}

function findingNotes({ ignored, looked, leaks }: Findings): string[] {
  const files = ignored.map(({ suffix, files }) => `${format.integer(files)} ${suffix}`).join(', ');
  const same = leaks.filter(({ kind }) => kind === 'same bytes').length;
  return [
    looked
      ? 'Every image was decoded.'
      : 'There are too many images to check each one: they are decoded when used, and compared by checksum only.',
    ...(files === '' ? [] : [`Ignored, because the names are not those of images: ${files}.`]),
    leaks.length === 0
      ? 'No training image is also a test image.'
      : `${format.integer(leaks.length)} training images are left out because they are also test images: ${format.integer(same)} by ` +
        `their bytes, ${format.integer(leaks.length - same)} by their appearance.`,
    ...leaks
      .slice(0, NAMED)
      .map(({ kind, train, test }) => `${train} ${kind === 'same bytes' ? 'is' : 'looks like'} ${test}`),
  ];
}

/**
 * Which of a model's classes are those of the images.
 *
 * @param classes - of the model's record; none where nothing says so
 * @param notes - on the model
 */
export function classTable(classes: NonNullable<ModelRecord['classes']>, notes: readonly string[]): Table {
  return {
    columns: [
      { key: 'images', title: 'class of the images', align: 'left' },
      { key: 'model', title: "the model's", align: 'left' },
      { key: 'place', title: 'its logit', align: 'right' },
    ],
    rows: classes.map(({ images, model, place }) => ({ images, model, place: String(place) })),
    notes:
      classes.length === 0
        ? ['No class of the model has the name of a class of the images.', ...notes]
        : notes,
  };
}
