import { writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { defined } from '../src/base/defined.js';
import { packageRoot } from '../src/base/paths.js';
import { withTemporaryFolder } from '../src/base/temporary.js';
import { fp32 } from '../src/compress/recipe.js';
import { openDevice } from '../src/device/open.js';
import { deviceName } from '../src/device/profile.js';
import { parseFailure } from '../src/protocol/failure.js';
import { executeSuite } from '../src/run/execute.js';
import { locateData } from '../src/run/locate-data.js';
import { measureRoofline } from '../src/run/roofline/measure.js';
import { precisions } from '../src/store/node-work.js';
import { openStore } from '../src/store/open.js';
import { findRun, loadRun, type Logits, type StoredRun } from '../src/store/read.js';
import type { CeilingSubject } from '../src/store/rooflines.js';
import { readRecipe, type Suite } from '../src/suite/read.js';
import { precisionNames } from '../src/analysis/figures/roofline.js';
import { failureText } from '../src/text/failures.js';
import { markdownTable } from '../src/text/markdown.js';
import type { Table } from '../src/text/table.js';
import { TestBoard, type BoardProcessor } from '../test/support/board/board.js';

/** The folder of a model for CIFAR-10, and the recipes whose forms are run besides fp32. */
const MODEL = process.env['MODEL'] ?? join(packageRoot(), 'suites', 'models', 'vit-tiny-cifar10');
const RECIPES = (
  process.env['RECIPES'] ?? 'fp16,int8,peer-qdq-minmax,peer-dynamic-int8,w8,w4,edgeflex'
).split(',');

/** An emulated image takes from a tenth of a second to some seconds. */
const IMAGES = Number(process.env['IMAGES'] ?? 16);
const BATCH = 8;

const OLD = 'fp asimd evtstrm aes pmull sha1 sha2 crc32 cpuid';
const DOT = `${OLD} atomics fphp asimdhp asimdrdm lrcpc dcpop asimddp`;

/**
 * What qemu emulates, by the features that ONNX Runtime's kernels are chosen by. Without SME: before 9.0 (and 8.2.3) qemu computes every second
 * column of its outer product of 8-bit integers wrongly (SMOPA, its issue 2083), which KleidiAI's kernels for `dynamic` are made of.
 */
const emulated: Readonly<Record<string, BoardProcessor>> = {
  neon: { cpu: 'cortex-a72', part: '0xd08', features: OLD },
  dot: { cpu: 'cortex-a76', part: '0xd0b', features: DOT },
  i8mm: { cpu: 'max,sve=off,sme=off', part: '0xd49', features: `${DOT} i8mm bf16` },
  sve: { cpu: 'max,sme=off', part: '0xd49', features: `${DOT} sve svei8mm i8mm bf16` },
};

/** With SVE the emulator takes many times as long. */
const PROCESSORS = (process.env['PROCESSORS'] ?? 'neon,dot,i8mm').split(',');

/** A product that is small enough for an emulator. */
const SHAPE = { rows: 64, inner: 192, columns: 192 };

/**
 * The forms of a model on ARM64 kernels, by what the processor has: how far the logits of a run on emulated boards lie from those of this
 * machine, what EdgeFlex refuses, and in which precisions a roofline finds kernels. Nothing is timed: an emulator's time says nothing.
 */
export async function armForms(): Promise<void> {
  await withTemporaryFolder('arm-forms', async (folder) => {
    const boards: TestBoard[] = [];
    try {
      for (const name of PROCESSORS)
        boards.push(await TestBoard.start(name, { processor: defined(emulated[name], `processor ${name}`) }));
      console.log(markdownTable(deviations(await executed(folder, boards))).join('\n'));
      for (const board of boards) console.log(await kernelsOn(board));
    } finally {
      for (const board of boards) await board.remove();
    }
  });
}

/** A run of all forms, on this machine first: test images, and the kernels that ran. */
async function executed(folder: string, boards: readonly TestBoard[]): Promise<StoredRun> {
  const here = join(folder, 'here.yaml');
  await writeFile(here, 'name: here\nkind: local\nthreads: 1\n');
  const named = RECIPES.map((recipe) => join(packageRoot(), 'suites', 'recipes', `${recipe}.yaml`));
  const recipes = [fp32, ...(await Promise.all(named.map(readRecipe)))];
  const suite: Suite = {
    ...{ name: 'arm-forms', description: '', path: resolve('arm-forms.yaml'), seed: 1, gates: [] },
    recipes: recipes.map((recipe) => ({ recipe, published: undefined })),
    data: { name: 'cifar10', path: process.env['EDGEFLEX_DATA'] },
    models: [{ kind: 'path', name: basename(MODEL), path: MODEL }],
    devices: [here, ...boards.map(({ profilePath }) => profilePath)],
    accuracy: { batch: BATCH, images: IMAGES },
    performance: { batches: [], tier: 'smoke', rounds: 1 },
  };
  const db = await openStore(join(folder, 'results.sqlite'));
  try {
    const { id } = await executeSuite(suite, {
      ...{ db, data: await locateData(suite.data.name, suite.data.path, undefined) },
      ...{ command: 'bench', resume: false, emit: () => undefined, signal: new AbortController().signal },
    });
    return await loadRun(db, await findRun(db, id));
  } finally {
    await db.destroy();
  }
}

/** Of each form on each board: the largest deviation, and how many images keep the class that they have here; or why it failed. */
function deviations({ cells, devices }: StoredRun): Table {
  const [here, ...boards] = devices;
  const variants = [...new Set(cells.map(({ variant }) => variant))];
  const rows = variants.map((variant) => {
    const own = cells.filter((cell) => cell.variant === variant);
    const logitsOn = (device: unknown): Logits | undefined =>
      own.find((cell) => cell.device === device)?.logits;
    const found = boards.map((board) => {
      const [reason] = own.flatMap(({ device, row }) => (device === board && row.reason) || []);
      const text =
        reason === undefined
          ? compared(logitsOn(board)!, logitsOn(here)!)
          : failureText(parseFailure(reason));
      return [board.row.name, text];
    });
    return { form: variant.recipe, ...(Object.fromEntries(found) as Record<string, string>) };
  });
  return {
    columns: [
      { key: 'form', title: 'form', align: 'left' },
      ...boards.map(({ row: { name } }) => ({ key: name, title: name, align: 'left' as const })),
    ],
    rows,
    notes: [],
  };
}

/** The largest difference of two logits as a share of the image's largest, and images of the same class. */
function compared(there: Logits, here: Logits): string {
  const { classes } = here;
  const rows = ({ values }: Logits): Float32Array[] =>
    Array.from({ length: values.length / classes }, (_, image) =>
      values.subarray(image * classes, (image + 1) * classes),
    );
  const found = rows(here).map((row, image) => {
    const other = rows(there)[image]!;
    const largest = Math.max(...row.map(Math.abs));
    const apart = Math.max(...row.map((value, k) => Math.abs(value - other[k]!))) / largest;
    return { apart, same: row.indexOf(Math.max(...row)) === other.indexOf(Math.max(...other)) };
  });
  const apart = Math.max(...found.map((each) => each.apart));
  return `${apart.toExponential(1)}, ${found.filter(({ same }) => same).length} of ${found.length}`;
}

/** In which precisions a roofline finds kernels, and in which it says that there are none. */
async function kernelsOn(board: TestBoard): Promise<string> {
  const device = await openDevice(await board.profile());
  try {
    const { ceilings } = await measureRoofline(device, {
      subjects: precisions.map((precision): CeilingSubject => ({ kind: 'product', precision, shape: SHAPE })),
      ...{ rounds: 2, seed: 1, signal: new AbortController().signal, onProgress: () => undefined },
    });
    const said = ceilings.map(({ subject, failure }) =>
      subject.kind === 'product'
        ? `${precisionNames[subject.precision]} ${failure === null ? 'yes' : `no (${failure.reason})`}`
        : '',
    );
    return `${deviceName(device.profile)}, ${device.environment.cpu.features.join(' ')}: ${said.join(', ')}`;
  } finally {
    await device.close();
  }
}
