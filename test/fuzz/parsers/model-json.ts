import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { IMAGE_CHANNELS } from '../../../src/data/dataset.js';
import { preprocessingGraph } from '../../../src/data/preprocess.js';
import { readCard } from '../../../src/model/card.js';
import { readPreprocessing } from '../../../src/model/image-processor.js';
import { preprocessingOf } from '../../../src/model/preprocessing.js';
import { readHuggingFaceConfig } from '../../../src/vit/checkpoints/huggingface-config.js';
import { shardsOf } from '../../../src/vit/checkpoints/shards.js';
import { readTimmConfig } from '../../../src/vit/checkpoints/timm-config.js';
import { damagedJson } from '../generate/json.js';
import { defineParser, type Parser } from '../parser.js';

const huggingFace = {
  model_type: 'vit',
  ...{ hidden_size: 64, num_hidden_layers: 3, num_attention_heads: 4, intermediate_size: 128 },
  ...{ hidden_act: 'gelu', layer_norm_eps: 1e-12, image_size: 32, patch_size: 4, num_channels: 3 },
  ...{ qkv_bias: true, id2label: { 0: 'a', 1: 'b', 2: 'c' }, head_dim: 16, pruned_heads: {} },
};

const timm = {
  architecture: 'vit_tiny_patch16_224',
  ...{ num_classes: 3, num_features: 192, global_pool: 'token', label_names: ['a', 'b', 'c'] },
  model_args: { img_size: 224, num_heads: 3, qkv_bias: true, depth: 12, global_pool: 'token' },
  pretrained_cfg: {
    ...{ input_size: [3, 224, 224], interpolation: 'bicubic', crop_pct: 0.9, crop_mode: 'center' },
    ...{ mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5], num_classes: 3, label_names: ['a', 'b', 'c'] },
  },
};

const preprocessor = {
  image_processor_type: 'ViTImageProcessor',
  ...{ do_resize: true, size: { height: 32, width: 32 }, resample: 2, do_center_crop: false, crop_size: 32 },
  ...{ do_rescale: true, rescale_factor: 1 / 255, do_normalize: true, do_convert_rgb: true },
  ...{ image_mean: [0.5, 0.5, 0.5], image_std: [0.5, 0.5, 0.5] },
};

const cropped = {
  feature_extractor_type: 'DeiTFeatureExtractor',
  ...{ size: { shortest_edge: 256 }, do_center_crop: true, crop_size: 224, resample: 3 },
};

const card = { dataset: 'shapes10', split: 'test', images: 1000, correct: 900, framework: 'PyTorch 2.4' };

const index = {
  metadata: { total_size: 4096 },
  weight_map: { a: 'model-00001-of-00002.safetensors', b: 'model-00002-of-00002.safetensors' },
};

function jsonFile(name: string, seeds: readonly unknown[], read: (path: string) => Promise<unknown>): Parser {
  return defineParser({
    name,
    inputs: damagedJson(...seeds),
    prepare: (folder) => {
      const path = join(folder, 'file.json');
      return Promise.resolve(async (bytes) => {
        await writeFile(path, bytes);
        await read(path);
      });
    },
  });
}

/** The JSON files beside weights. */
export const modelJson: readonly Parser[] = [
  jsonFile('config-hf', [huggingFace], (path) =>
    readHuggingFaceConfig('model.safetensors', path, {
      classes: 3,
      distilled: false,
      mlpSizes: [],
      projection: undefined,
      imageSize: undefined,
    }),
  ),
  jsonFile('config-timm', [timm], readTimmConfig),
  // What is accepted is used: the size of the graph is the size of what was accepted.
  jsonFile('preprocessor', [preprocessor, cropped], async (path) => {
    const { size } = await readPreprocessing(path);
    const input = { source: path, size, channels: IMAGE_CHANNELS };
    return preprocessingGraph((await preprocessingOf(path, input, undefined)).preprocessing);
  }),
  jsonFile('card', [card], readCard),
  jsonFile('shard-index', [index], shardsOf),
];
