import { z } from 'zod';
import { designSchema } from '../base/design.js';
import { storedGatesSchema } from '../base/gate.js';
import { show } from '../base/schema.js';
import { pluginRecordSchema } from '../base/plugin.js';
import { conditionsSchema } from '../protocol/conditions.js';
import { takeoversSchema } from './takeover.js';
import { environmentSchema } from '../protocol/environment.js';
import { memoryMeansSchema } from '../protocol/memory-means.js';
import { featureScoringSchema } from './feature-scoring.js';
import { noiseFloorSchema } from './floors.js';
import { nodeWorkSchema } from './node-work.js';
import { storedRepositorySchema } from './repository.js';
import { ceilingsSchema, settingSchema } from './rooflines.js';
import { stoppingSchema } from './stopping.js';
import type { Tables } from './tables.js';

/** What a run was scored on. */
export const runDataSchema = z.object({
  name: z.string(),
  hash: z.string(),
  testImages: z.number(),
  labels: z.array(z.string()),
});

/** Milliseconds of a node, query by query. */
export const timesSchema = z.array(z.number().nonnegative());

/** What may stand in a column. */
interface Column {
  readonly expected: string;
  readonly holds: (value: unknown) => boolean;
}

const text: Column = { expected: 'a text', holds: (value) => typeof value === 'string' };
const whole: Column = { expected: 'a whole number', holds: (value) => Number.isSafeInteger(value) };
const count: Column = {
  expected: 'a whole number, not negative',
  holds: (value) => Number.isSafeInteger(value) && Number(value) >= 0,
};
/** Logits that are not numbers name no class; what was stored of them before that was a failure has -1. */
const prediction: Column = {
  expected: 'the index of a class, or -1 for none',
  holds: (value) => Number.isSafeInteger(value) && Number(value) >= -1,
};
const amount: Column = {
  expected: 'a finite number, not negative',
  holds: (value) => Number.isFinite(value) && Number(value) >= 0,
};
const cosine: Column = {
  expected: 'a number from -1 to 1',
  holds: (value) => Number.isFinite(value) && Math.abs(Number(value)) <= 1,
};
const flag: Column = { expected: '0 or 1', holds: (value) => value === 0 || value === 1 };
const moment: Column = {
  expected: 'a moment in ISO 8601',
  holds: (value) => typeof value === 'string' && !Number.isNaN(Date.parse(value)),
};
const bytes: Column = { expected: 'bytes', holds: (value) => Buffer.isBuffer(value) };

function oneOf(...values: readonly string[]): Column {
  return { expected: values.join(' or '), holds: (value) => values.some((each) => each === value) };
}

function orNull({ expected, holds }: Column): Column {
  return { expected: `${expected}, or nothing`, holds: (value) => value === null || holds(value) };
}

/** @param schema - of the value; asked for only when one is looked at: files of some schemas import this one, too */
function json(what: string, schema: () => z.ZodType): Column {
  return {
    expected: `${what} in JSON`,
    holds: (value) => {
      if (typeof value !== 'string') return false;
      try {
        return schema().safeParse(JSON.parse(value)).success;
      } catch {
        return false;
      }
    },
  };
}

const object = z.looseObject({});

/** The plug-ins of a run. */
export const pluginsSchema = z.array(pluginRecordSchema);

/** What may stand in each column of each table. */
export const content: { readonly [T in keyof Tables]: { readonly [C in keyof Tables[T]]: Column } } = {
  runs: {
    ...{ id: text, uid: text, suite: text, plan_hash: text, seed: whole, command: text, version: text },
    ...{ started_at: moment, ended_at: orNull(moment) },
    data_json: json('the data set', () => runDataSchema),
    repository_json: orNull(json('the state of a repository', () => storedRepositorySchema)),
    plugins_json: orNull(json('plug-ins', () => pluginsSchema)),
    gates_json: orNull(json('gates', () => storedGatesSchema)),
    plan_json: orNull(json('a plan', () => object)),
    design_json: orNull(json('the design of an experiment', () => designSchema)),
  },
  devices: {
    ...{ id: whole, run_id: text, name: text, threads: count },
    profile_json: json('a device profile', () => object),
    environment_json: json('an environment', () => environmentSchema),
    takeovers_json: orNull(json('devices that took over', () => takeoversSchema)),
  },
  variants: {
    ...{ id: whole, run_id: text, position: count, model: text, recipe: text, description: text },
    ...{ synthetic: flag, artifact: text, file_bytes: count, parameters: count, micro_batch: orNull(count) },
    stages_json: json('reports of stages', () => z.array(z.looseObject({ stage: z.string() }))),
    published_json: orNull(json('published figures', () => object)),
    card_json: orNull(json('a card', () => object)),
    model_json: orNull(json('the record of a model', () => object)),
    features_json: orNull(json('how embeddings are scored', () => featureScoringSchema)),
  },
  cells: {
    ...{ id: whole, run_id: text, variant_id: whole, device_id: whole },
    kind: oneOf('accuracy', 'performance', 'kernels', 'server', 'offline'),
    ...{ batch: count, bound_ms: orNull(amount), tier: orNull(text), rounds: count },
    status: oneOf('pending', 'done', 'failed', 'unsupported'),
    reason: orNull(text),
    stopping_json: orNull(json('why no further rounds were measured', () => stoppingSchema)),
    ...{ form: orNull(text), file_bytes: orNull(count) },
  },
  rounds: {
    ...{ id: whole, cell_id: whole, round: count, position: count, started_at: moment, seconds: amount },
    runtime_json: orNull(json('a runtime', () => object)),
    session_json: orNull(json('session options', () => object)),
    ...{ platform: orNull(text), peak_is_of_phase: orNull(flag) },
    memory_means: orNull(oneOf(...memoryMeansSchema.options)),
    ...{ warmup_queries: orNull(count), steady: orNull(flag) },
    ...{ core_latency_before: orNull(amount), core_latency_after: orNull(amount), repeats: orNull(count) },
  },
  phases: { round_id: whole, phase: text, milliseconds: amount, cpu_milliseconds: orNull(amount) },
  memory: { round_id: whole, phase: text, figure: text, bytes: amount },
  samples: { round_id: whole, query: count, milliseconds: amount },
  trials: { round_id: whole, trial: count, rate: orNull(amount), planned: count },
  served: {
    ...{ round_id: whole, trial: count, query: count },
    ...{ scheduled: amount, started: amount, ended: amount },
  },
  predictions: { round_id: whole, image: count, label: count, predicted: prediction },
  logits: { round_id: whole, first: count, classes: count, data: bytes },
  embeddings: { round_id: whole, first: count, width: count, data: bytes },
  cosines: { round_id: whole, image: count, cosine },
  kernels: {
    ...{ round_id: whole, op_type: text, provider: text, calls: amount, milliseconds: amount },
    gpu_milliseconds: orNull(amount),
  },
  kernel_nodes: {
    ...{ round_id: whole, sequence: count, node: text, op_type: text, provider: text, calls: amount },
    times_json: json('times', () => timesSchema),
    gpu_times_json: orNull(json('times', () => timesSchema)),
    work_json: orNull(json('what a node computes', () => nodeWorkSchema)),
  },
  conditions: {
    ...{ round_id: whole, sequence: count, phase: text },
    conditions_json: json('conditions of a device', () => conditionsSchema),
  },
  baselines: { suite: text, name: text, run_id: text, set_at: moment },
  floors: {
    ...{ id: whole, device: text, environment_hash: text, batch: count, metric: oneOf('latency', 'memory') },
    ...{ run_id: text, measured_at: moment },
    floor_json: json('a noise floor', () => noiseFloorSchema),
  },
  rooflines: {
    ...{ id: whole, device: text, environment_hash: text, measured_at: moment, version: text },
    setting_json: json('where and how a roofline was measured', () => settingSchema),
    ceilings_json: json('ceilings', () => ceilingsSchema),
  },
  leases: {
    ...{ run_id: text, token: text, host: text, pid: count, process_start: orNull(text) },
    ...{ taken_at: moment, beat_at: moment },
  },
  tokens: { name: text, role: oneOf('read', 'submit', 'admin'), hash: text, created_at: moment },
  audit: {
    ...{ id: whole, at: moment, actor: orNull(text), role: orNull(oneOf('read', 'submit', 'admin')) },
    ...{ address: orNull(text), action: text, target: text },
    ...{ outcome: oneOf('done', 'refused', 'failed'), detail: orNull(text) },
  },
  kept: {
    ...{ run_id: text, kind: oneOf('points', 'observed', 'analysis', 'report', 'changes'), question: text },
    ...{ state: text, digest: text, body: bytes, made_at: moment },
  },
};

/** What is wrong in a row. */
export interface ContentFault {
  readonly column: string;
  readonly found: string;
  readonly expected: string;
}

/**
 * Looks for a value in a row that EdgeFlex would not have stored.
 *
 * @param table - where the row stands
 * @param row - or some of its columns
 * @returns the first fault; undefined when there is none
 */
export function contentFault(table: keyof Tables, row: object): ContentFault | undefined {
  const columns: Readonly<Record<string, Column>> = content[table];
  for (const [column, value] of Object.entries(row)) {
    const known = columns[column];
    if (known === undefined || known.holds(value)) continue;
    return { column, found: shown(value), expected: known.expected };
  }
  return undefined;
}

function shown(value: unknown): string {
  if (value === null) return 'nothing';
  if (Buffer.isBuffer(value)) return `${value.length} bytes`;
  return show(value);
}
