import type { StoredToken } from '../store/tokens.js';
import type { HistoryDocument } from '../report/history/document.js';
import type { ComparisonDocument } from '../report/compare/document.js';
import type { AblationJson } from '../report/ablation/document.js';
import type { ProcurementDocument } from '../report/procure/document.js';
import type { BisectionDocument } from '../report/bisect/document.js';
import type { ReportDocument } from '../report/document.js';
import type { ExportedFile } from '../report/parquet/export.js';
import type { RunEstimate } from '../run/estimate.js';
import type { OptionReference } from '../report/reference.js';
import type { PluginRecord } from '../base/plugin.js';
import type { Named } from '../base/named.js';
import type { Damage } from '../cache/checked.js';
import type { EntryKind } from '../cache/key.js';
import type { OlderFolder } from '../cache/older.js';
import type { FetchedData } from '../data/fetch.js';
import type { DeviceProfile } from '../device/kind.js';
import type { StarterFiles } from '../init/files.js';
import type { Baseline } from '../library/baselines.js';
import type { DeviceComparison } from '../library/compare-devices.js';
import type { CompressReport } from '../library/compress.js';
import type { CleanedDevice, DeviceCheck, DeviceDescription, MachineCheck } from '../library/devices.js';
import type { ImagesFacts, ListedImages } from '../library/image-sets.js';
import type { DescribedRelation } from '../library/query.js';
import type { CopiedRuns } from '../library/transfer.js';
import type { PostedComment } from '../net/comments/post.js';
import type { ListedSchedule } from '../queue/schedules.js';
import type { ListedDevice as QueuedDevice, ListedJob, ListedTake } from '../queue/jobs.js';
import type { Siblings } from '../library/siblings.js';
import type { SiblingGroup } from '../analysis/fleet/siblings.js';
import type { WrittenSite } from '../library/site.js';
import type { StoredFloor } from '../store/floors.js';
import type { RunSummary } from '../store/read.js';
import type { RecoveredTable, StoreFault } from '../store/recover.js';
import type { RooflineDocument } from '../text/roofline.js';

/*
 * What `--json` of each command prints. The compiler holds every command to its type; the page of all of them
 * (docs/reference/json.md, `npm run docs:commands`) is made from these types, and test/cli/json.test.ts holds real output against them.
 */

/** Version of the objects that have none of their own: increased when a field is removed or changes its meaning, not when one is added. */
const JSON_VERSION = 1;

/** A profile with what only its kind of device has: `edgeflex devices kinds` lists that. */
type WholeProfile = DeviceProfile & Readonly<Record<string, unknown>>;

/** Documents with a version of their own. */
interface JsonDocuments {
  readonly run: ReportDocument;
  readonly report: ReportDocument;
  readonly compare: ComparisonDocument;
  readonly gate: ComparisonDocument;
  readonly ablation: AblationJson;
  readonly history: HistoryDocument;
  readonly procure: ProcurementDocument;
}

/** Lists, whose entries may get further fields. */
interface JsonLists {
  readonly suites: readonly ListedFile[];
  readonly recipes: readonly ListedFile[];
  readonly stages: readonly StageJson[];
  readonly runs: readonly RunSummary[];
  readonly 'baseline list': readonly Baseline[];
  readonly calibrate: readonly StoredFloor[];
  readonly roofline: readonly RooflineDocument[];
  readonly 'devices list': readonly (
    | { readonly path: string; readonly profile: WholeProfile }
    /** Why the file is no device profile. */
    | { readonly path: string; readonly fault: string }
  )[];
  readonly 'devices check': readonly DeviceCheck[];
  readonly 'devices clean': readonly CleanedDevice[];
  readonly 'devices kinds': readonly DeviceKindJson[];
  readonly 'data list': readonly ListedImages[];
  readonly 'cache list': readonly CacheEntryJson[];
  readonly doctor: readonly MachineCheck[];
  /** `--tables` gives the same of tables. */
  readonly 'query --views': readonly DescribedRelation[];
  readonly 'queue list': readonly ListedJob[];
  readonly 'queue devices': readonly QueuedDevice[];
  /** The one that was added. */
  readonly 'schedule add': readonly ListedSchedule[];
  readonly 'schedule list': readonly ListedSchedule[];
}

/** Objects; `printJson` gives them `schemaVersion`. */
interface JsonObjects {
  readonly 'run --dry-run': RunEstimate;
  readonly query: {
    /** In the order of the query. */
    readonly columns: readonly string[];
    /** Values by column: numbers, texts, null; bytes in Base64. */
    readonly rows: readonly Readonly<Record<string, unknown>>[];
    /** Whether `--limit` left rows out. */
    readonly more: boolean;
  };
  readonly 'query --describe': DescribedRelation;
  readonly export: {
    /** As it was named. */
    readonly directory: string;
    readonly files: readonly ExportedFile[];
  };
  readonly compress: CompressReport & {
    /** With `--target`: everything that was predicted and measured, as `search.json` holds it. */
    readonly search?: object;
  };
  readonly init: {
    /** Of the suite. */
    readonly name: string;
    readonly files: StarterFiles;
    /** The command that measures the suite. */
    readonly next: string;
  };
  readonly 'suites show': ShownFile;
  readonly 'recipes show': ShownFile;
  readonly 'runs prune': PruneJson;
  readonly 'runs push': CopiedRuns;
  readonly 'runs pull': CopiedRuns;
  readonly 'runs export': CopiedRuns;
  readonly 'runs import': CopiedRuns;
  readonly 'baseline set': Omit<Baseline, 'setAt'> & {
    /** Id of the run that had the name before; null when none had. */
    readonly before: string | null;
    /** Cells of the run that failed. */
    readonly failed: number;
    /** All cells of the run. */
    readonly cells: number;
  };
  readonly 'serve token': {
    /** Those that were listed; the one that was made or removed. */
    readonly tokens: readonly (StoredToken & {
      /** Itself: only of one that has just been made. */
      readonly token?: string;
    })[];
  };
  readonly comment: PostedComment;
  readonly site: WrittenSite & {
    /** Its first page. */
    readonly index: string;
  };
  readonly bisect: BisectionDocument;
  readonly 'baseline rm': Pick<Baseline, 'name' | 'suite' | 'runId'>;
  readonly 'devices describe': Omit<DeviceDescription, 'profile'> & { readonly profile: WholeProfile };
  readonly 'devices compare': DeviceComparison;
  readonly 'devices siblings': Omit<Siblings, 'groups'> & {
    readonly groups: readonly (Omit<SiblingGroup, 'kind'> & {
      /** What all copies are, by the name of the fact. */
      readonly kind: Readonly<Record<string, string>>;
    })[];
  };
  readonly 'data fetch': FetchedData;
  readonly 'data add': ImagesFacts;
  readonly 'data check': ImagesFacts;
  readonly 'store check': {
    /** The database. */
    readonly path: string;
    /** What is wrong, at most 100 of each kind; empty when nothing is. */
    readonly faults: readonly StoreFault[];
  };
  readonly 'store recover': {
    /** The damaged database, which was not changed. */
    readonly path: string;
    /** The new one. */
    readonly recovered: string;
    readonly tables: readonly RecoveredTable[];
  };
  readonly 'store backup': {
    /** The database. */
    readonly path: string;
    readonly copy: string;
  };
  readonly 'cache size': {
    /** The cache folder. */
    readonly directory: string;
    /** Of all entries. */
    readonly bytes: number;
    readonly limitBytes: number;
    /** Bytes by kind of entry. */
    readonly kinds: Readonly<Record<string, number>>;
    /** What older versions left, which nothing reads; not counted in `bytes`. */
    readonly older: readonly OlderFolder[];
  };
  readonly 'cache verify': {
    /** How many were checked. */
    readonly entries: number;
    readonly damaged: readonly (CacheEntryJson & { readonly damage: readonly Damage[] })[];
  };
  readonly 'cache prune': FreedJson;
  readonly 'cache clear': FreedJson;
  readonly submit: {
    /** Id of the run. */
    readonly run: string;
    readonly suite: string;
    /** How many jobs it has: one for each device, and one for its compression where that was asked for. */
    readonly jobs: number;
  };
  readonly worker: {
    readonly worker: string;
    /** Jobs that ended, by how. */
    readonly done: number;
    readonly failed: number;
    /** Jobs that were given back, cancelled or lost. */
    readonly others: number;
  };
  readonly 'queue show': {
    readonly jobs: readonly ListedJob[];
    /** Who has worked on them, the earliest first. */
    readonly takes: readonly ListedTake[];
  };
  readonly 'queue cancel': { readonly cancelled: number };
  readonly 'queue drain': { readonly worker: string };
  readonly 'schedule remove': { readonly removed: string };
  readonly 'schedule run-now': { readonly schedule: string; readonly run: string };
}

/** What commands give, by command. */
export type JsonValues = JsonDocuments & JsonLists & JsonObjects;

/**
 * What is printed, by command.
 *
 * @public the page of JSON outputs is made from it
 */
export type JsonOutputs = JsonDocuments &
  JsonLists & {
    readonly [Name in keyof JsonObjects]: {
      /** Increased when a field is removed or changes its meaning, not when one is added. */
      readonly schemaVersion: typeof JSON_VERSION;
    } & JsonObjects[Name];
  };

/** A suite or a recipe in a list. */
export interface ListedFile extends Named {
  /** What the file says of itself; `✗` and what is wrong where it cannot be used. */
  readonly description: string;
}

/** A suite or a recipe as it is written. */
interface ShownFile {
  /** As the user named it. */
  readonly name: string;
  readonly path: string;
  /** The YAML. */
  readonly text: string;
}

/** A stage that recipes can use. */
export interface StageJson {
  readonly name: string;
  /** Grows when the same input gives other numbers. */
  readonly version: number;
  readonly description: string;
  /** The plug-in that brought it; null for EdgeFlex's own. */
  readonly plugin: PluginRecord | null;
  readonly options: readonly OptionReference[];
}

/** A kind of device. */
export interface DeviceKindJson {
  readonly kind: string;
  readonly description: string;
  /** The plug-in that brought it; null for EdgeFlex's own. */
  readonly plugin: PluginRecord | null;
  /** What its profiles may say. */
  readonly fields: readonly OptionReference[];
}

/** What became of runs that were to be deleted. */
export interface PruneJson {
  /** Whether nothing was deleted because only the decisions were asked for. */
  readonly dryRun: boolean;
  /** Bytes that the database became smaller by. */
  readonly freedBytes: number;
  readonly runs: readonly {
    readonly id: string;
    readonly suite: string;
    /** ISO 8601, UTC. */
    readonly startedAt: string;
    readonly deleted: boolean;
    /** Why it stays, in words; null for a run that goes. */
    readonly keptBecause: string | null;
  }[];
}

/** An entry of the cache. */
export interface CacheEntryJson {
  readonly kind: EntryKind;
  /** Of everything it was made from. */
  readonly digest: string;
  readonly directory: string;
  readonly bytes: number;
  /** When it was last used, ISO 8601, UTC. */
  readonly used: string;
  /** What it is, in words; null where it is unfinished. */
  readonly title: string | null;
  readonly complete: boolean;
  /** What it was made from; null where it is unfinished. */
  readonly from: unknown;
}

/** What the cache gave back. */
interface FreedJson {
  readonly freedBytes: number;
  /** How many are left. */
  readonly entries: number;
  /** Of those that are left. */
  readonly bytes: number;
}

/** Commands whose objects bring a version. */
const versioned: ReadonlySet<string> = new Set<keyof JsonDocuments>([
  'run',
  'report',
  'compare',
  'gate',
  'ablation',
  'history',
  'procure',
]);

/**
 * Prints what a command's `--json` promises.
 *
 * @param command - which
 * @param value - what it gives
 */
export function printJson<Name extends keyof JsonValues>(command: Name, value: JsonValues[Name]): void {
  const given: object = value;
  const isComplete = Array.isArray(given) || versioned.has(command);
  console.log(JSON.stringify(isComplete ? given : { schemaVersion: JSON_VERSION, ...given }, null, 2));
}
