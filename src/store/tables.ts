import type { Generated, Insertable, Selectable } from 'kysely';

/** The tables of the results database. Booleans are 0 and 1, times ISO 8601 in UTC, `json` columns JSON texts. */
export interface Tables {
  runs: RunsTable;
  devices: DevicesTable;
  variants: VariantsTable;
  cells: CellsTable;
  rounds: RoundsTable;
  phases: PhasesTable;
  memory: MemoryTable;
  samples: SamplesTable;
  trials: TrialsTable;
  served: ServedTable;
  predictions: PredictionsTable;
  logits: LogitsTable;
  embeddings: EmbeddingsTable;
  cosines: CosinesTable;
  kernels: KernelsTable;
  kernel_nodes: KernelNodesTable;
  conditions: ConditionsTable;
  baselines: BaselinesTable;
  floors: FloorsTable;
  rooflines: RooflinesTable;
  leases: LeasesTable;
  tokens: TokensTable;
  audit: AuditTable;
  kept: KeptTable;
}

/** One execution of a suite. */
export interface RunsTable {
  id: string;
  /** What the run is known by in all stores that it is copied to; its id may be another one's there. */
  uid: Generated<string>;
  suite: string;
  /** Hash of the plan: what `--resume` must find unchanged. */
  plan_hash: string;
  seed: number;
  command: string;
  version: string;
  started_at: string;
  /** Null until every cell is done or failed. */
  ended_at: string | null;
  /** Dataset: name, hash, images, classes. */
  data_json: string;
  /** Git state of the directory the run was started in: `Repository`; null outside a checkout. */
  repository_json: string | null;
  /** Plug-ins that took part, `PluginRecord[]`; null in runs of older versions. */
  plugins_json: string | null;
  /** The suite's gates, `Gate[]`; null in runs of older versions. */
  gates_json: string | null;
  /** What the hash of the plan is of, for saying what differs; null in runs of older versions. */
  plan_json: string | null;
  /** Which variants stand for which levels of the factors of the suite's matrix: `Design`; null where it has none. */
  design_json: string | null;
}

/** A device of a run, with what it was at the time. */
export interface DevicesTable {
  id: Generated<number>;
  run_id: string;
  name: string;
  profile_json: string;
  environment_json: string;
  threads: number;
  /** Identical devices that went on in its place: `Takeover[]`; null where none did. */
  takeovers_json: string | null;
}

/** A model × recipe of a run. */
export interface VariantsTable {
  id: Generated<number>;
  run_id: string;
  /** Place in the suite; the baseline of its model is 0. */
  position: number;
  model: string;
  recipe: string;
  description: string;
  /** Weights made from a seed: no accuracy. */
  synthetic: number;
  artifact: string;
  file_bytes: number;
  parameters: number;
  micro_batch: number | null;
  /** Stage reports without their details. */
  stages_json: string;
  /** Numbers that others published for a like variant; null where there are none. */
  published_json: string | null;
  /** What whoever trained the model says that it scores on these test images; null where nobody says. */
  card_json: string | null;
  /** Where the weights came from and who made the head: `ModelRecord`; null in runs of older versions. */
  model_json: string | null;
  /** How a variant without a head is scored, whose outputs are embeddings: `FeatureScoring`; null of one with a head. */
  features_json: string | null;
}

/** One variant on one device in one scenario. */
export interface CellsTable {
  id: Generated<number>;
  run_id: string;
  variant_id: number;
  device_id: number;
  kind: 'accuracy' | 'performance' | 'kernels' | 'server' | 'offline';
  batch: number;
  /** Of a server's p99, in milliseconds; null of every other kind. */
  bound_ms: number | null;
  tier: string | null;
  rounds: number;
  /** Unsupported: the device cannot run the variant's form; the reason says why. */
  status: 'pending' | 'done' | 'failed' | 'unsupported';
  /** `CellFailure` in JSON, of older versions words: `parseFailure` reads both. */
  reason: string | null;
  /** Why no further rounds were measured: `Stopping`; null for a cell with a fixed number of rounds. */
  stopping_json: string | null;
  /**
   * In what the device's form of the variant differs from what the recipe asks for: `Substitution[]` in JSON, of older versions words
   * (`parseSubstitutions` reads both); null when in nothing.
   */
  form: string | null;
  /** Bytes of the files of that form; null where they are the variant's. */
  file_bytes: number | null;
}

/** One fresh agent of a cell. */
export interface RoundsTable {
  id: Generated<number>;
  cell_id: number;
  round: number;
  /** Place in the run's order, in which the agents of one place were started. */
  position: number;
  started_at: string;
  seconds: number;
  runtime_json: string | null;
  session_json: string | null;
  platform: string | null;
  /** Only of older versions: whether peaks are of phases, not of all since the process began. */
  peak_is_of_phase: number | null;
  /** By what the device knows its memory: `MemoryMeans`; null where it does not tell a peak, and in runs of older versions. */
  memory_means: string | null;
  warmup_queries: number | null;
  steady: number | null;
  /** Nanoseconds that a cache line took from one core to another, before and after; null where nobody looked. */
  core_latency_before: number | null;
  core_latency_after: number | null;
  /** How often it was measured again because others had disturbed it; null in runs of older versions. */
  repeats: number | null;
}

export interface PhasesTable {
  round_id: number;
  phase: string;
  milliseconds: number;
  /** Processor time of the agent; null where the device does not tell, and in runs of older versions. */
  cpu_milliseconds: number | null;
}

/** What a phase's memory was, one row for each figure a device can tell. */
export interface MemoryTable {
  round_id: number;
  phase: string;
  figure: string;
  bytes: number;
}

/** A timed query. */
export interface SamplesTable {
  round_id: number;
  query: number;
  milliseconds: number;
}

/** Queries that were offered in one go, at one rate. */
export interface TrialsTable {
  round_id: number;
  /** Place in the order of the round's trials. */
  trial: number;
  /** Queries a second; null where all were there from the beginning. */
  rate: number | null;
  /** How many there were to be. */
  planned: number;
}

/** A query of a trial: moments in milliseconds since the trial began. */
export interface ServedTable {
  round_id: number;
  trial: number;
  query: number;
  /** When it was to arrive, */
  scheduled: number;
  started: number;
  ended: number;
}

/** A test image that was classified. */
export interface PredictionsTable {
  round_id: number;
  image: number;
  label: number;
  predicted: number;
}

/** Logits of consecutive images: float32, little-endian. */
export interface LogitsTable {
  round_id: number;
  first: number;
  classes: number;
  data: Buffer;
}

/** Embeddings of consecutive images, of a variant without a head: float32, little-endian. */
export interface EmbeddingsTable {
  round_id: number;
  first: number;
  width: number;
  data: Buffer;
}

/** How an embedding of a test image lies to that of the baseline on the same device. */
export interface CosinesTable {
  round_id: number;
  image: number;
  /** −1 … 1. */
  cosine: number;
}

/** An operator's share of one run of the model. */
export interface KernelsTable {
  round_id: number;
  op_type: string;
  provider: string;
  calls: number;
  milliseconds: number;
  /** On the GPU by its own clock; null where there is none. */
  gpu_milliseconds: number | null;
}

/** What one node of the model took, query by query. */
export interface KernelNodesTable {
  round_id: number;
  /** Place in the order the nodes were called. */
  sequence: number;
  node: string;
  op_type: string;
  provider: string;
  /** How often in a query. */
  calls: number;
  /** Milliseconds in each query. */
  times_json: string;
  /** On the GPU by its own clock; null where there is none. */
  gpu_times_json: string | null;
  /** What it computes and moves in a query: `NodeWork`; null where the runtime put it in or its shapes are not known. */
  work_json: string | null;
}

/** What the device was like at a moment of a round: `Conditions` in JSON. */
export interface ConditionsTable {
  round_id: number;
  sequence: number;
  phase: string;
  conditions_json: string;
}

/** A run that later runs of its suite are compared with, by name. Its run cannot be deleted. */
export interface BaselinesTable {
  suite: string;
  name: string;
  run_id: string;
  set_at: string;
}

/** What differences a device can tell at a batch size, from a calibration: fp32 against itself. */
export interface FloorsTable {
  id: Generated<number>;
  device: string;
  /** Hash of what must be the same for the floor to hold: processor, threads, runtime, session options. */
  environment_hash: string;
  batch: number;
  /** `latency` or `memory`. */
  metric: string;
  /** The calibration, whose raw data the floor can be computed from again. */
  run_id: string;
  measured_at: string;
  /** The floor: numbers in JSON, see `NoiseFloor`. */
  floor_json: string;
}

/** What a device can do at best, see `StoredRoofline`. */
export interface RooflinesTable {
  id: Generated<number>;
  device: string;
  /** Hash of what must be the same for it to hold: processor, adapter, browser, threads, runtime, session options. */
  environment_hash: string;
  measured_at: string;
  /** EdgeFlex's. */
  version: string;
  /** The environment, threads, runtime and session options: what the hash is of, and more. */
  setting_json: string;
  /** Every ceiling with its raw times. */
  ceilings_json: string;
}

/** Who works on a run; there is none of a run that nobody works on. */
export interface LeasesTable {
  run_id: string;
  /** Of this holder alone. */
  token: string;
  host: string;
  pid: number;
  /** Tells the process from a later one of the same id; null where the system does not say. */
  process_start: string | null;
  taken_at: string;
  /** When the holder last gave a sign of life. */
  beat_at: string;
}

/** Who may use the dashboard from another machine. */
export interface TokensTable {
  name: string;
  role: 'read' | 'submit' | 'admin';
  /** SHA-256 of the token, in hex: whoever reads this cannot use it. */
  hash: string;
  created_at: string;
}

/** What was changed through the dashboard or with tokens, and tokens that were refused. */
export interface AuditTable {
  id: Generated<number>;
  at: string;
  /** Name of the token; null where none was given, or it is not known. */
  actor: string | null;
  role: 'read' | 'submit' | 'admin' | null;
  /** Network address of the caller; null for the command line. */
  address: string | null;
  action: string;
  target: string;
  outcome: 'done' | 'refused' | 'failed';
  detail: string | null;
}

/** What was computed of a run that has ended, so that it need not be again. Nothing is lost with it. */
export interface KeptTable {
  run_id: string;
  kind: 'points' | 'observed' | 'analysis' | 'report' | 'changes';
  /** What was asked beside the run. */
  question: string;
  /** Hash of what it follows from. */
  state: string;
  /** SHA-256 of the body, in hex. */
  digest: string;
  body: Buffer;
  made_at: string;
}

export type RunRow = Selectable<RunsTable>;
export type NewRun = Insertable<RunsTable>;
export type VariantRow = Selectable<VariantsTable>;
export type NewVariant = Insertable<VariantsTable>;
export type DeviceRow = Selectable<DevicesTable>;
export type NewDevice = Insertable<DevicesTable>;
export type CellRow = Selectable<CellsTable>;
export type NewCell = Insertable<CellsTable>;
export type RoundRow = Selectable<RoundsTable>;
export type FloorRow = Selectable<FloorsTable>;
export type BaselineRow = Selectable<BaselinesTable>;
export type LeaseRow = Selectable<LeasesTable>;
