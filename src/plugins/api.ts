import { z } from 'zod';
import type { PluginRecord } from '../base/plugin.js';
import { stageFacts } from '../compress/facts.js';
import { registerStage } from '../compress/registry.js';
import { defineStage, type Stage } from '../compress/stage.js';
import { defineDataset, type DatasetKind } from '../data/kind.js';
import { registerDataset } from '../data/registry.js';
import { binaryDataset } from '../data/binary.js';
import { defineDevice, type DeviceKind } from '../device/kind.js';
import { localProfile } from '../device/local/kind.js';
import { openDevice } from '../device/open.js';
import { registerDevice } from '../device/registry.js';
import { float32 } from '../onnx/tensor.js';
import type { Exporter } from '../report/exporters/exporter.js';
import { registerExporter } from '../report/exporters/list.js';
import { weightOf, withWeights } from '../vit/vit.js';

/**
 * What a plug-in's module is given. It exports a function that takes this and registers what it brings:
 *
 * @example
 * ```js
 * export default ({ defineStage, registerStage, stageFacts, z }) => {
 *   registerStage(
 *     defineStage({
 *       name: 'count-classes',
 *       version: 1,
 *       description: 'Counts the classes; changes nothing.',
 *       options: z.strictObject({}),
 *       report: z.object({ classes: z.number() }),
 *       effort: () => 0,
 *       shape: (vit) => vit,
 *       apply: async (vit) => ({ vit, report: { classes: vit.config.labels.length } }),
 *       summarise: ({ classes }) => stageFacts({ headline: [{ label: 'classes', value: classes, unit: 'count' }] }),
 *     }),
 *   );
 * };
 * ```
 */
export interface PluginApi {
  readonly defineStage: typeof defineStage;
  readonly stageFacts: typeof stageFacts;
  registerStage(stage: Stage): void;
  readonly defineDataset: typeof defineDataset;
  readonly binaryDataset: typeof binaryDataset;
  registerDataset(dataset: DatasetKind): void;
  readonly defineDevice: typeof defineDevice;
  registerDevice(kind: DeviceKind): void;
  registerExporter(exporter: Exporter<string | Uint8Array>): void;
  /** Reaches a device of a kind that EdgeFlex knows: a kind of one's own may stand on it. */
  readonly openDevice: typeof openDevice;
  readonly localProfile: typeof localProfile;
  /** A model's tensors: to read, to replace, to make. */
  readonly weightOf: typeof weightOf;
  readonly withWeights: typeof withWeights;
  readonly float32: typeof float32;
  /** The schemas' library, of the version that EdgeFlex uses. */
  readonly z: typeof z;
}

/**
 * What the module of a plug-in is given: everything that it registers says where it comes from.
 *
 * @param origin - the plug-in
 */
export function pluginApi(origin: PluginRecord): PluginApi {
  return {
    ...{ openDevice, localProfile },
    ...{
      defineStage,
      stageFacts,
      defineDataset,
      binaryDataset,
      defineDevice,
      weightOf,
      withWeights,
      float32,
      z,
    },
    registerStage: (stage) => {
      registerStage({ ...stage, origin });
    },
    registerDataset: (dataset) => {
      registerDataset({ ...dataset, origin });
    },
    registerDevice: (kind) => {
      registerDevice({ ...kind, origin });
    },
    registerExporter: (exporter) => {
      registerExporter({ ...exporter, origin });
    },
  };
}
