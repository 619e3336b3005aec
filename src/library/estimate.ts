import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { databaseIn } from '../base/paths.js';
import { isServerAddress } from '../base/server-address.js';
import { THIS_MACHINE } from '../device/device.js';
import type { DeviceProfile } from '../device/kind.js';
import { deviceName } from '../device/profile.js';
import { kindOf } from '../device/registry.js';
import { findFiles } from '../model/files.js';
import type { ModelSource } from '../model/source.js';
import { elementCount } from '../onnx/tensor.js';
import { estimateOf, type Known, type PlannedDevice, type RunEstimate } from '../run/estimate.js';
import { profilesOf } from '../run/execute.js';
import { storedDurations, storedVariants } from '../store/durations.js';
import { planOf } from '../suite/plan.js';
import { syntheticViT } from '../vit/synthetic.js';
import { withResults, type Results } from './results.js';
import { wishedSuite, type PlanOptions } from './run.js';

const FLOAT32_BYTES = 4;

/**
 * What a run of a suite would measure, and about how long it would take: by what like measurements of stored runs took on the same
 * devices, and where there are none by the least that the suite's tier asks for. Nothing is started, fetched, compressed or stored.
 *
 * @param results - open, or their folder, which need not be there
 * @param suite - its file, or the name of a built-in one
 * @param options - what is wanted otherwise than the suite says, as for `run`
 * @throws InputError when the suite, an option, a model on this machine or a device profile cannot be used
 *
 * @example
 * ```ts
 * const { cells, seconds } = await estimate('results', 'ablation', { tier: 'rapid' });
 * console.log(`${cells} cells, about ${Math.ceil(seconds / 60)} minutes`);
 * ```
 */
export async function estimate(
  results: Results | string,
  suite: string,
  options: PlanOptions = {},
): Promise<RunEstimate> {
  const plan = planOf(await wishedSuite('estimate', suite, options));
  const devices = await Promise.all((await profilesOf(plan.suite)).map(plannedDevice));
  const { models } = plan.suite;
  const modelBytes = new Map<string, number | null>();
  for (const model of models) modelBytes.set(model.name, await bytesOf(model));
  const stored = await storedKnowledge(
    results,
    devices.map(({ name }) => name),
    models.map(({ name }) => name),
  );
  return estimateOf(plan, devices, { ...stored, modelBytes });
}

async function plannedDevice(profile: DeviceProfile): Promise<PlannedDevice> {
  return { name: deviceName(profile), host: (await kindOf(profile).host?.(profile)) ?? THIS_MACHINE };
}

async function storedKnowledge(
  results: Results | string,
  devices: readonly string[],
  models: readonly string[],
): Promise<Omit<Known, 'modelBytes'>> {
  if (typeof results === 'string' && !isServerAddress(results) && !existsSync(databaseIn(results)))
    return { durations: [], variants: [] };
  return withResults(results, { readonly: true }, async ({ db }) => ({
    durations: await storedDurations(db, devices),
    variants: await storedVariants(db, models),
  }));
}

/** Bytes of a model's weights; null of one that would have to be fetched. */
async function bytesOf(model: ModelSource): Promise<number | null> {
  switch (model.kind) {
    case 'hub':
      return null;
    case 'synthetic': {
      const { weights } = syntheticViT(model.architecture, model.seed, model.imageSize, []);
      return [...weights.values()].reduce((sum, { dims }) => sum + FLOAT32_BYTES * elementCount(dims), 0);
    }
    case 'path': {
      const { files } = await findFiles(model.path);
      const weights = files.filter(({ role }) => ['weights', 'shard', 'external data'].includes(role));
      const sizes = await Promise.all(weights.map(async ({ path }) => (await stat(path)).size));
      return sizes.reduce((sum, size) => sum + size, 0);
    }
  }
}
