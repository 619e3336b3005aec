import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { builtInConfig, builtInTensors, safetensorsBytes } from '../vit/checkpoint.js';
import { microDirectory } from './micro.js';

/** The files of the built-in model without its classifier, by name. */
export async function backboneFiles(): Promise<Record<string, Buffer>> {
  const tensors = new Map([...(await builtInTensors())].filter(([name]) => !name.startsWith('classifier.')));
  return {
    'config.json': Buffer.from(await builtInConfig({ id2label: undefined })),
    'preprocessor_config.json': await readFile(join(microDirectory, 'preprocessor_config.json')),
    'model.safetensors': safetensorsBytes(tensors),
  };
}
