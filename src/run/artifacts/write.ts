import { writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { canonicalJson } from '../../base/hash.js';
import type { GraphTarget } from '../../base/target.js';
import type { Compressed } from '../../compress/pipeline.js';
import type { Recipe } from '../../compress/recipe.js';
import { preprocessingGraph } from '../../data/preprocess.js';
import type { LoadedModel } from '../../model/load.js';
import { modelBytes, writeModel } from '../../onnx/file.js';
import { byteLength } from '../../onnx/tensor.js';
import { targetForm } from '../../vit/graph/form.js';
import { buildGraph } from '../../vit/graph/model.js';
import { featureWidth } from '../../vit/config.js';
import { parameterCount, withoutHead } from '../../vit/vit.js';
import type { ArtifactFacts } from './artifact.js';

/** The model's graph. */
export const MODEL_FILE = 'model.onnx';

/** The preprocessing graph. */
export const PREPROCESS_FILE = 'preprocess.onnx';

/**
 * Writes a compressed model's files into a folder.
 *
 * @param folder - it exists
 * @param target - what the graph is written for
 * @param model - what was compressed
 * @param recipe - how
 * @param compressed - what came of it
 * @returns what is worth knowing of them
 */
export async function writeArtifact(
  folder: string,
  target: GraphTarget,
  model: Pick<LoadedModel, 'preprocessing' | 'scoredBy'>,
  recipe: Recipe,
  { vit: compressed, stages }: Compressed,
): Promise<ArtifactFacts> {
  // The probe was for the stages.
  const vit = model.scoredBy ? withoutHead(compressed) : compressed;
  const path = join(folder, MODEL_FILE);
  // Nothing that is not in the key, such as a name: whoever asks for the same key gets the same bytes.
  const graph = buildGraph(vit, { recipe: canonicalJson(recipe.steps) }, target);
  await writeModel(graph, path);
  await writeModel(preprocessingGraph(model.preprocessing), join(folder, PREPROCESS_FILE));
  for (const { files = {} } of stages) {
    for (const [name, content] of Object.entries(files))
      await writeFile(join(folder, basename(name)), JSON.stringify(content));
  }
  return {
    fileBytes: await modelBytes(path),
    parameters: parameterCount(vit.config),
    ...targetForm(vit, target),
    ...(vit.config.merges && { merges: true }),
    largestConstant: Math.max(...[...graph.initializers.values()].map(byteLength)),
    values: graph.values,
    ...(model.scoredBy && { embedding: featureWidth(vit.config) }),
    stages: stages.map((stage) => ({ ...stage, files: undefined })),
  };
}
