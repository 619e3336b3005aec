import { join } from 'node:path';
import { packageRoot } from '../../src/base/paths.js';
import type { OpenedData } from '../../src/data/kind.js';
import { openDataset } from '../../src/data/registry.js';
import { preprocessingGraph } from '../../src/data/preprocess.js';
import { readPreprocessing } from '../../src/model/image-processor.js';
import { writeModel } from '../../src/onnx/file.js';
import { buildGraph } from '../../src/vit/graph/model.js';
import { loadFolder } from './load.js';

/** Where the built-in model lies. */
export const microDirectory = join(packageRoot(), 'suites', 'models', 'vit-micro-shapes10');

/** Where its images lie. */
export const shapesDirectory = join(packageRoot(), 'suites', 'data', 'shapes10');

/** The built-in images. */
export function openShapes(): Promise<OpenedData> {
  return openDataset('shapes10', shapesDirectory);
}

/** The files that a device is given of the built-in model. */
export interface MicroFiles {
  readonly model: string;
  readonly preprocess: string;
}

/**
 * Writes the built-in model and its preprocessing as ONNX files.
 *
 * @param directory - where to
 */
export async function writeMicro(directory: string): Promise<MicroFiles> {
  const model = join(directory, 'model.onnx');
  const preprocess = join(directory, 'preprocess.onnx');
  await writeModel(buildGraph((await loadFolder(microDirectory)).vit), model);
  const preprocessing = await readPreprocessing(join(microDirectory, 'preprocessor_config.json'));
  await writeModel(preprocessingGraph(preprocessing), preprocess);
  return { model, preprocess };
}
