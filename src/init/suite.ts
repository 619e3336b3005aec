import { isAbsolute, relative, sep } from 'node:path';
import { stringify } from 'yaml';
import { listNamed } from '../base/named.js';
import { sidesOf } from '../base/size.js';
import type { ModelSource } from '../model/source.js';
import { tiers, type Tier } from '../suite/schema.js';
import { comments } from './comments.js';
import type { StarterChoices, StarterImages } from './choices.js';

const TIER: Tier = 'rapid';

/** What a suite to begin with names besides what the user chose. */
export interface StarterPlaces {
  /** The folder that the suite will lie in: its paths are relative to that. */
  readonly folder: string;
  /** Of the recipe and of the device profile, relative to that folder. */
  readonly recipe: string;
  readonly device: string;
}

/**
 * A suite to begin with: what the user chose, and what else there is to choose as comments.
 *
 * @param choices - what the user chose
 * @param places - of the files it names
 */
export function suiteFile(choices: StarterChoices, places: StarterPlaces): string {
  const { name, model, images, device } = choices;
  const synthetic = model.kind === 'synthetic';
  const limits = Object.entries(tiers).map(
    ([tier, { minQueries, minSeconds }]) => `${tier}: at least ${minQueries} queries and ${minSeconds} s`,
  );
  return [
    comments([
      'A suite: models × recipes × devices. Each variant is scored and timed on each device.',
      '',
      `  edgeflex run ${name}`,
      '      measures all of it; after Ctrl-C or a failure, --resume measures the rest',
      '  edgeflex report --open',
      '      the report of the newest run',
      '  edgeflex baseline set main, and later: edgeflex compare main --fail-on latency:2%',
      '      whether a change made it slower, larger or less accurate',
    ]),
    line('name', name),
    line(
      'description',
      `${model.name} compressed by one recipe, measured on ${lowered(device.description)}.`,
    ),
    '\n',
    comments([
      'The images: a name that "edgeflex data list" shows, or where yours lie, such as { path: ../pets } for a folder of',
      'class folders. Recipes are calibrated on the training images, and scored on the test images.',
    ]),
    line('data', dataOf(images, places.folder)),
    '\n',
    comments([
      'The models: { path: … } for a folder, a file or the name of a built-in one, { hub: owner/name } from the Hugging Face',
      'Hub, or { synthetic: vit-base, imageSize: 224 } with weights from a seed, for speed and memory only.',
    ]),
    line('models', [modelOf(model, places.folder)]),
    '\n',
    comments([
      'The recipes: files, or names that "edgeflex recipes" lists. The unchanged model, fp32, is always measured with them.',
    ]),
    line('recipes', [places.recipe]),
    comments(['  - int8']),
    '\n',
    comments(['The devices: profiles, or names that "edgeflex devices list" shows.']),
    line('devices', [places.device]),
    comments(['  - browser-wasm']),
    '\n',
    comments([
      synthetic
        ? 'Weights from a seed have no accuracy: the first images show how far variants agree with fp32.'
        : 'All test images are scored, in batches of 64; "images: 1000" would take the first 1000 only.',
    ]),
    flow('accuracy', synthetic ? { batch: 8, images: 64 } : { batch: 64 }),
    '\n',
    comments([
      'How long each batch size is timed:',
      ...limits.map((limit) => `  ${limit}`),
      'The time is divided among "rounds" fresh processes. "precision: 0.01" adds rounds until speeds are known to ±1 %.',
    ]),
    flow('performance', { batches: [1, 8], tier: TIER, rounds: 5 }),
    '\n',
    comments([
      'What "edgeflex compare" fails on by default.',
      'gates: [latency:2%, memory:5%, accuracy:0.5pt]',
      '',
      'Determines the calibration images, the order of measurements and everything else that is random.',
    ]),
    line('seed', 1),
  ].join('');
}

function line(key: string, value: unknown): string {
  return stringify({ [key]: value }, { lineWidth: 0 });
}

/** A value on the line of its key, as people write it. */
function flow(key: string, value: object): string {
  return `${key}: ${stringify(value, { collectionStyle: 'flow', lineWidth: 0 })}`;
}

function lowered(text: string): string {
  return /^(This|The) /.test(text) ? text.charAt(0).toLowerCase() + text.slice(1) : text;
}

/** @param folder - of the suite, which paths are relative to */
function dataOf(images: StarterImages, folder: string): unknown {
  if (images.kind === 'named') return images.name;
  const { path, holdout } = images;
  return { path: beside(folder, path), ...(holdout !== undefined && { holdout }) };
}

function modelOf(model: ModelSource, folder: string): object {
  switch (model.kind) {
    case 'path': {
      const builtIn = listNamed('model').find(({ path }) => path === model.path);
      return { path: builtIn?.name ?? beside(folder, model.path) };
    }
    case 'hub':
      return {
        hub: model.repository,
        ...(model.revision !== 'main' && { revision: model.revision }),
      };
    case 'synthetic':
      return { synthetic: model.architecture, imageSize: sidesOf(model.imageSize), seed: model.seed };
  }
}

/** A path as a file in a folder names it: never a bare word, which would be a name. */
function beside(folder: string, path: string): string {
  const way = relative(folder, path);
  if (isAbsolute(way)) return way;
  const plain = way.split(sep).join('/');
  return plain.startsWith('.') ? plain : `./${plain}`;
}
