/**
 * EdgeFlex as a library: what the command line calls, for programs.
 *
 * A function whose work takes long gives a `Job`: await it for its result, iterate over it for what happens meanwhile, stop it with
 * an `AbortSignal`. Everything that is refused is thrown as an `InputError`, whose `fault` says where, what was found and what is
 * expected. What may change between versions is said in `docs/stability.md`.
 *
 * @example
 * ```ts
 * import { analyse, compare, run } from 'edgeflex';
 *
 * const { id } = await run('results', 'quickstart');
 * const { document } = await analyse('results', id);
 * const { broken } = await compare('results', 'main', { run: id, gates: 'latency:2%' });
 * ```
 *
 * @module
 */
export { DeviceError, InputError, ResourceError, UnsupportedError, type InputFault } from '../base/errors.js';
export { Job } from '../base/job.js';
export { ablation, type AblationOptions, type RunAblation } from './ablation.js';
export { analyse, type RunAnalysis } from './analyse.js';
export {
  listBaselines,
  removeBaseline,
  setBaseline,
  type Baseline,
  type SetBaseline,
  type SetBaselineOptions,
} from './baselines.js';
export { comment, type CommentOptions } from './comment.js';
export { bisect, type BisectEvent, type BisectOptions, type FirstBadCommit } from './bisect.js';
export { calibrate, type Calibration, type CalibrateOptions } from './calibrate.js';
export { compare, type CompareEvent, type CompareOptions, type RunComparison } from './compare.js';
export { compareDevices, type CompareDevicesOptions, type DeviceComparison } from './compare-devices.js';
export {
  compress,
  type CompressEvent,
  type CompressOptions,
  type Compression,
  type CompressReport,
  type RecipeDefinition,
  type SearchResult,
} from './compress.js';
export {
  copyRuns,
  packRuns,
  unpackRuns,
  type CopiedArtifacts,
  type CopiedRuns,
  type CopyRunsOptions,
  type TransferredRun,
} from './transfer.js';
export { siblings, type Siblings, type SiblingsOptions } from './siblings.js';
export { estimate } from './estimate.js';
export { exportRuns, type ExportOptions } from './export.js';
export { backUpResults, checkResults, recoverResults } from './database.js';
export {
  checkDevice,
  checkMachine,
  cleanDevice,
  describeDevice,
  listDevices,
  type CleanedDevice,
  type DeviceCheck,
  type DeviceDescription,
  type ListedDevice,
  type MachineCheck,
  type MachineChecks,
} from './devices.js';
export { gate, type CommitEvent, type CommitOptions, type GateOptions } from './gate.js';
export { history, type HistoryOptions, type SuiteHistory } from './history.js';
export {
  addImages,
  checkImages,
  fetchImages,
  listImages,
  type AddImagesOptions,
  type CheckedImages,
  type CheckImagesEvent,
  type CheckImagesOptions,
  type FetchImagesOptions,
  type ImagesFacts,
  type ImagesOptions,
  type ListedImages,
} from './image-sets.js';
export type { ImagesEvent } from './images.js';
export type { Stoppable } from './options.js';
export type { SuiteChanges } from '../suite/changes.js';
export { pruneRuns, type Pruned, type PruneOptions } from './prune.js';
export { describeDatabase, query, type DescribedRelation, type QueryOptions } from './query.js';
export { open, type OpenOptions, type Results } from './results.js';
export {
  DeviceProcurement,
  procure,
  type OwnershipTerms,
  type ProcureLimits,
  type ProcureOptions,
} from './procure.js';
export { roofline, type RooflineEvent, type RooflineOptions, type RooflineProgress } from './roofline.js';
export type { Undelivered } from './deliver.js';
export { run, type PlanOptions, type RunEvent, type RunOptions } from './run.js';
export { site, type SiteOptions, type WrittenSite } from './site.js';

// What these take and give.
export type { AblationDocument } from '../report/ablation/document.js';
export type { BisectionDocument } from '../report/bisect/document.js';
export type { ComparisonDocument } from '../report/compare/document.js';
export type { ProcurementDocument } from '../report/procure/document.js';
export type { PrintFormat } from '../report/charts/print.js';
export type { ReportDocument } from '../report/document.js';
export type { RunEstimate } from '../run/estimate.js';
export type { HistoryMetric } from '../analysis/history/points.js';
export type { PostedComment } from '../net/comments/post.js';
export type { FetchedData, FetchProgress } from '../data/fetch.js';
export type { Finding } from '../device/kind.js';
export type { Environment } from '../protocol/environment.js';
export type { HistoryDocument } from '../report/history/document.js';
export type { Estimate } from '../stats/interval.js';
export type { StoredFloor } from '../store/floors.js';
export type { ExportedFile } from '../report/parquet/export.js';
export type { ColumnType } from '../store/description.js';
export type { QueryResult } from '../store/query.js';
export type { NewestRun } from '../store/newest.js';
export type { KeepReason, PruneDecision } from '../store/prune.js';
export type { RunStatus, RunSummary } from '../store/read.js';
export type { RecoveredTable, StoreFault } from '../store/recover.js';
export type { StoredRoofline } from '../store/rooflines.js';
export type { SuiteHeadKind } from '../suite/head.js';
export type { Tier } from '../suite/schema.js';
export type { Gate } from '../base/gate.js';
export type { GateResult } from '../analysis/compare/gates.js';
export type { Target } from '../search/target.js';

// What plug-ins are written against.
export type { PluginApi } from '../plugins/api.js';
export type { StageContext } from '../compress/context.js';
export type { Stage, StageResult } from '../compress/stage.js';
export type { StageFacts } from '../compress/facts.js';
export type { ViT } from '../vit/vit.js';
export type { Device, MeasureOptions } from '../device/device.js';
export type { DeviceKind, DeviceProfile } from '../device/kind.js';
export type { DatasetKind } from '../data/kind.js';
export type { Exporter } from '../report/exporters/exporter.js';
