import { rawOf } from './model.js';
import { profileOf } from './sessions.js';
import type { Analysis, VariantFigures } from './analysis.js';
import type { StoredDevice } from '../store/read.js';
import type { VariantRow } from '../store/tables.js';

/** What an ONNX file that was run as it is is marked with, and what it is called where it stands alone. */
const RAW = 'raw';

/** What timings of a GPU that is none are marked with. */
const SOFTWARE = 'software GPU';

/**
 * A variant's name within a run: the recipe, after the model's name where the run has several models; an ONNX file that was run as it
 * is is marked.
 *
 * @param variant - of the run
 * @param analysis - of the run
 */
export function variantLabel(variant: VariantRow, { run }: Analysis): string {
  const models = new Set(run.variants.map(({ model }) => model));
  const name = recipeLabel(variant);
  return models.size > 1 ? `${variant.model} · ${name}` : name;
}

/** The name of a variant's recipe; an ONNX file that was run as it is is marked. */
export function recipeLabel(variant: VariantRow): string {
  const { recipe } = variant;
  return rawOf(variant) && recipe !== RAW ? `${recipe} (${RAW})` : recipe;
}

/**
 * The name of a variant on a device: with the device where a run has several, or where it is an emulator.
 *
 * @param figures - of the variant on the device
 * @param analysis - of the run
 */
export function labelOf({ variant, device }: VariantFigures, analysis: Analysis): string {
  const name = variantLabel(variant, analysis);
  const named = analysis.run.devices.length > 1 || profileOf(device).emulated;
  if (named) return `${name} · ${deviceLabel(device)}`;
  return isSoftware(device) ? `${name} (${SOFTWARE})` : name;
}

/** A device's name, with a warning where its GPU is none. */
export function deviceLabel(device: StoredDevice): string {
  return isSoftware(device) ? `${device.row.name} (${SOFTWARE})` : device.row.name;
}

/**
 * Whether a device is not the hardware that it looks like: an emulated board, or a GPU that the processor plays. Its timings say
 * nothing of that hardware, so that it is marked wherever it is told, and not ranked.
 *
 * @param device - of a run
 */
export function isEmulated(device: StoredDevice): boolean {
  return profileOf(device).emulated || device.environment.emulated === true || isSoftware(device);
}

/** Whether a device's GPU is played by the processor. */
export function isSoftware({ environment }: StoredDevice): boolean {
  return environment.gpu?.software === true;
}
