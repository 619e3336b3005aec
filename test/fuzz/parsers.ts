import type { Parser } from './parser.js';
import { agent } from './parsers/agent.js';
import { flags } from './parsers/flags.js';
import { hub } from './parsers/hub.js';
import { imageSets } from './parsers/image-sets.js';
import { images } from './parsers/images.js';
import { modelJson } from './parsers/model-json.js';
import { onnx } from './parsers/onnx.js';
import { safetensors } from './parsers/safetensors.js';
import { torchFile } from './parsers/torch-file.js';
import { stored } from './parsers/stored.js';
import { yamlFiles } from './parsers/yaml-files.js';

/** Every parser of input from outside. */
export const parsers: readonly Parser[] = [
  ...[
    ...yamlFiles,
    ...modelJson,
    safetensors,
    torchFile,
    ...onnx,
    ...images,
    ...imageSets,
    ...agent,
    hub,
    ...flags,
    stored,
  ],
];
