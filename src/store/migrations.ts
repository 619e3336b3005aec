import type { Kysely, Migration } from 'kysely';
import { giveGlobalIds } from './global-id.js';
import { rawArrays, storedFigures } from './postgres/raw-schema.js';
import { isOnServer } from './server.js';
import { remakeViews } from './views/migration.js';

/**
 * Changes of the database's schema, by name, in order. A released one is never edited: a further change is a further entry.
 */
export const migrations: Record<string, Migration> = {
  '0001-first': { up: first },
  '0002-decisions': { up: decisions },
  '0003-model-record': { up: modelRecord },
  '0004-forms': { up: forms },
  '0005-roofline': { up: roofline },
  '0006-lease': { up: lease },
  '0007-plugins': { up: plugins },
  '0008-disturbances': { up: disturbances },
  '0009-gates': { up: gates },
  '0011-memory-means': { up: memoryMeans },
  '0012-load': { up: load },
  '0013-embeddings': { up: embeddings },
  '0014-plan': { up: plan },
  '0015-design': { up: design },
  '0016-raw-arrays': { up: onServerAlone(rawArrays) },
  '0016-views': { up: madeLater },
  '0017-global-ids': { up: globalIds },
  '0018-indexes': { up: indexes },
  '0019-faster-views': { up: madeLater },
  '0020-dashboard': { up: dashboard },
  '0021-takeovers': { up: takeovers },
  '0022-views-on-servers': { up: madeLater },
  '0023-kept': { up: kept },
  '0024-stored-figures': { up: onServerAlone(storedFigures) },
  '0025-views-of-stored-figures': { up: remakeViews },
};

async function first(db: Kysely<unknown>): Promise<void> {
  const { schema } = db;
  await schema
    .createTable('runs')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('suite', 'text', (c) => c.notNull())
    .addColumn('plan_hash', 'text', (c) => c.notNull())
    .addColumn('seed', 'integer', (c) => c.notNull())
    .addColumn('command', 'text', (c) => c.notNull())
    .addColumn('version', 'text', (c) => c.notNull())
    .addColumn('started_at', 'text', (c) => c.notNull())
    .addColumn('ended_at', 'text')
    .addColumn('data_json', 'text', (c) => c.notNull())
    .execute();
  await schema
    .createTable('devices')
    .addColumn('id', 'integer', (c) => c.primaryKey())
    .addColumn('run_id', 'text', (c) => c.notNull().references('runs.id').onDelete('cascade'))
    .addColumn('name', 'text', (c) => c.notNull())
    .addColumn('profile_json', 'text', (c) => c.notNull())
    .addColumn('environment_json', 'text', (c) => c.notNull())
    .addColumn('threads', 'integer', (c) => c.notNull())
    .addUniqueConstraint('device_of_run', ['run_id', 'name'])
    .execute();
  await schema
    .createTable('variants')
    .addColumn('id', 'integer', (c) => c.primaryKey())
    .addColumn('run_id', 'text', (c) => c.notNull().references('runs.id').onDelete('cascade'))
    .addColumn('position', 'integer', (c) => c.notNull())
    .addColumn('model', 'text', (c) => c.notNull())
    .addColumn('recipe', 'text', (c) => c.notNull())
    .addColumn('description', 'text', (c) => c.notNull())
    .addColumn('synthetic', 'integer', (c) => c.notNull())
    .addColumn('artifact', 'text', (c) => c.notNull())
    .addColumn('file_bytes', 'integer', (c) => c.notNull())
    .addColumn('parameters', 'integer', (c) => c.notNull())
    .addColumn('micro_batch', 'integer')
    .addColumn('stages_json', 'text', (c) => c.notNull())
    .addColumn('published_json', 'text')
    .addColumn('card_json', 'text')
    .addUniqueConstraint('variant_of_run', ['run_id', 'model', 'recipe'])
    .execute();
  await schema
    .createTable('cells')
    .addColumn('id', 'integer', (c) => c.primaryKey())
    .addColumn('run_id', 'text', (c) => c.notNull().references('runs.id').onDelete('cascade'))
    .addColumn('variant_id', 'integer', (c) => c.notNull().references('variants.id').onDelete('cascade'))
    .addColumn('device_id', 'integer', (c) => c.notNull().references('devices.id').onDelete('cascade'))
    .addColumn('kind', 'text', (c) => c.notNull())
    .addColumn('batch', 'integer', (c) => c.notNull())
    .addColumn('tier', 'text')
    .addColumn('rounds', 'integer', (c) => c.notNull())
    .addColumn('status', 'text', (c) => c.notNull())
    .addColumn('reason', 'text')
    .addUniqueConstraint('cell_of_run', ['variant_id', 'device_id', 'kind', 'batch'])
    .execute();
  await schema
    .createTable('rounds')
    .addColumn('id', 'integer', (c) => c.primaryKey())
    .addColumn('cell_id', 'integer', (c) => c.notNull().references('cells.id').onDelete('cascade'))
    .addColumn('round', 'integer', (c) => c.notNull())
    .addColumn('position', 'integer', (c) => c.notNull())
    .addColumn('started_at', 'text', (c) => c.notNull())
    .addColumn('seconds', 'real', (c) => c.notNull())
    .addColumn('runtime_json', 'text')
    .addColumn('session_json', 'text')
    .addColumn('platform', 'text')
    .addColumn('peak_is_of_phase', 'integer')
    .addColumn('warmup_queries', 'integer')
    .addColumn('steady', 'integer')
    .addUniqueConstraint('round_of_cell', ['cell_id', 'round'])
    .execute();
  const ofRound = (name: string) =>
    schema
      .createTable(name)
      .addColumn('round_id', 'integer', (c) => c.notNull().references('rounds.id').onDelete('cascade'));
  await ofRound('phases')
    .addColumn('phase', 'text', (c) => c.notNull())
    .addColumn('milliseconds', 'real', (c) => c.notNull())
    .addPrimaryKeyConstraint('phases_key', ['round_id', 'phase'])
    .execute();
  await ofRound('memory')
    .addColumn('phase', 'text', (c) => c.notNull())
    .addColumn('figure', 'text', (c) => c.notNull())
    .addColumn('bytes', 'integer', (c) => c.notNull())
    .addPrimaryKeyConstraint('memory_key', ['round_id', 'phase', 'figure'])
    .execute();
  await ofRound('samples')
    .addColumn('query', 'integer', (c) => c.notNull())
    .addColumn('milliseconds', 'real', (c) => c.notNull())
    .addPrimaryKeyConstraint('samples_key', ['round_id', 'query'])
    .execute();
  await ofRound('predictions')
    .addColumn('image', 'integer', (c) => c.notNull())
    .addColumn('label', 'integer', (c) => c.notNull())
    .addColumn('predicted', 'integer', (c) => c.notNull())
    .addPrimaryKeyConstraint('predictions_key', ['round_id', 'image'])
    .execute();
  await ofRound('logits')
    .addColumn('first', 'integer', (c) => c.notNull())
    .addColumn('classes', 'integer', (c) => c.notNull())
    .addColumn('data', 'blob', (c) => c.notNull())
    .addPrimaryKeyConstraint('logits_key', ['round_id', 'first'])
    .execute();
  await ofRound('kernels')
    .addColumn('op_type', 'text', (c) => c.notNull())
    .addColumn('provider', 'text', (c) => c.notNull())
    .addColumn('calls', 'real', (c) => c.notNull())
    .addColumn('milliseconds', 'real', (c) => c.notNull())
    .addPrimaryKeyConstraint('kernels_key', ['round_id', 'op_type', 'provider'])
    .execute();
}

async function decisions({ schema }: Kysely<unknown>): Promise<void> {
  await schema.alterTable('runs').addColumn('repository_json', 'text').execute();
  await schema.alterTable('cells').addColumn('stopping_json', 'text').execute();
  await schema
    .createTable('conditions')
    .addColumn('round_id', 'integer', (c) => c.notNull().references('rounds.id').onDelete('cascade'))
    .addColumn('sequence', 'integer', (c) => c.notNull())
    .addColumn('phase', 'text', (c) => c.notNull())
    .addColumn('conditions_json', 'text', (c) => c.notNull())
    .addPrimaryKeyConstraint('conditions_key', ['round_id', 'sequence'])
    .execute();
  await schema
    .createTable('baselines')
    .addColumn('suite', 'text', (c) => c.notNull())
    .addColumn('name', 'text', (c) => c.notNull())
    .addColumn('run_id', 'text', (c) => c.notNull().references('runs.id').onDelete('restrict'))
    .addColumn('set_at', 'text', (c) => c.notNull())
    .addPrimaryKeyConstraint('baselines_key', ['suite', 'name'])
    .execute();
  await schema
    .createTable('floors')
    .addColumn('id', 'integer', (c) => c.primaryKey())
    .addColumn('device', 'text', (c) => c.notNull())
    .addColumn('environment_hash', 'text', (c) => c.notNull())
    .addColumn('batch', 'integer', (c) => c.notNull())
    .addColumn('metric', 'text', (c) => c.notNull())
    .addColumn('run_id', 'text', (c) => c.notNull().references('runs.id').onDelete('restrict'))
    .addColumn('measured_at', 'text', (c) => c.notNull())
    .addColumn('floor_json', 'text', (c) => c.notNull())
    .addUniqueConstraint('floor_of_run', ['run_id', 'device', 'batch', 'metric'])
    .execute();
}

async function modelRecord({ schema }: Kysely<unknown>): Promise<void> {
  await schema.alterTable('variants').addColumn('model_json', 'text').execute();
}

async function forms({ schema }: Kysely<unknown>): Promise<void> {
  await schema.alterTable('cells').addColumn('form', 'text').execute();
  await schema.alterTable('cells').addColumn('file_bytes', 'integer').execute();
  await schema.alterTable('kernels').addColumn('gpu_milliseconds', 'real').execute();
}

async function roofline({ schema }: Kysely<unknown>): Promise<void> {
  await schema
    .createTable('kernel_nodes')
    .addColumn('round_id', 'integer', (c) => c.notNull().references('rounds.id').onDelete('cascade'))
    .addColumn('sequence', 'integer', (c) => c.notNull())
    .addColumn('node', 'text', (c) => c.notNull())
    .addColumn('op_type', 'text', (c) => c.notNull())
    .addColumn('provider', 'text', (c) => c.notNull())
    .addColumn('calls', 'integer', (c) => c.notNull())
    .addColumn('times_json', 'text', (c) => c.notNull())
    .addColumn('gpu_times_json', 'text')
    .addColumn('work_json', 'text')
    .addPrimaryKeyConstraint('kernel_nodes_key', ['round_id', 'sequence'])
    .execute();
  await schema
    .createTable('rooflines')
    .addColumn('id', 'integer', (c) => c.primaryKey())
    .addColumn('device', 'text', (c) => c.notNull())
    .addColumn('environment_hash', 'text', (c) => c.notNull())
    .addColumn('measured_at', 'text', (c) => c.notNull())
    .addColumn('version', 'text', (c) => c.notNull())
    .addColumn('setting_json', 'text', (c) => c.notNull())
    .addColumn('ceilings_json', 'text', (c) => c.notNull())
    .execute();
}

async function lease({ schema }: Kysely<unknown>): Promise<void> {
  await schema
    .createTable('leases')
    .addColumn('run_id', 'text', (c) => c.primaryKey().references('runs.id').onDelete('cascade'))
    .addColumn('token', 'text', (c) => c.notNull())
    .addColumn('host', 'text', (c) => c.notNull())
    .addColumn('pid', 'integer', (c) => c.notNull())
    .addColumn('process_start', 'text')
    .addColumn('taken_at', 'text', (c) => c.notNull())
    .addColumn('beat_at', 'text', (c) => c.notNull())
    .execute();
}

async function plugins({ schema }: Kysely<unknown>): Promise<void> {
  await schema.alterTable('runs').addColumn('plugins_json', 'text').execute();
}

async function disturbances({ schema }: Kysely<unknown>): Promise<void> {
  await schema.alterTable('rounds').addColumn('core_latency_before', 'real').execute();
  await schema.alterTable('rounds').addColumn('core_latency_after', 'real').execute();
  await schema.alterTable('rounds').addColumn('repeats', 'integer').execute();
  await schema.alterTable('phases').addColumn('cpu_milliseconds', 'real').execute();
}

async function gates({ schema }: Kysely<unknown>): Promise<void> {
  await schema.alterTable('runs').addColumn('gates_json', 'text').execute();
}

async function memoryMeans({ schema }: Kysely<unknown>): Promise<void> {
  await schema.alterTable('rounds').addColumn('memory_means', 'text').execute();
}

async function load({ schema }: Kysely<unknown>): Promise<void> {
  await schema.alterTable('cells').addColumn('bound_ms', 'real').execute();
  await schema
    .createTable('trials')
    .addColumn('round_id', 'integer', (c) => c.notNull().references('rounds.id').onDelete('cascade'))
    .addColumn('trial', 'integer', (c) => c.notNull())
    .addColumn('rate', 'real')
    .addColumn('planned', 'integer', (c) => c.notNull())
    .addPrimaryKeyConstraint('trials_key', ['round_id', 'trial'])
    .execute();
  await schema
    .createTable('served')
    .addColumn('round_id', 'integer', (c) => c.notNull().references('rounds.id').onDelete('cascade'))
    .addColumn('trial', 'integer', (c) => c.notNull())
    .addColumn('query', 'integer', (c) => c.notNull())
    .addColumn('scheduled', 'real', (c) => c.notNull())
    .addColumn('started', 'real', (c) => c.notNull())
    .addColumn('ended', 'real', (c) => c.notNull())
    .addPrimaryKeyConstraint('served_key', ['round_id', 'trial', 'query'])
    .execute();
}

async function embeddings({ schema }: Kysely<unknown>): Promise<void> {
  await schema.alterTable('variants').addColumn('features_json', 'text').execute();
  await schema
    .createTable('embeddings')
    .addColumn('round_id', 'integer', (c) => c.notNull().references('rounds.id').onDelete('cascade'))
    .addColumn('first', 'integer', (c) => c.notNull())
    .addColumn('width', 'integer', (c) => c.notNull())
    .addColumn('data', 'blob', (c) => c.notNull())
    .addPrimaryKeyConstraint('embeddings_key', ['round_id', 'first'])
    .execute();
  await schema
    .createTable('cosines')
    .addColumn('round_id', 'integer', (c) => c.notNull().references('rounds.id').onDelete('cascade'))
    .addColumn('image', 'integer', (c) => c.notNull())
    .addColumn('cosine', 'real', (c) => c.notNull())
    .addPrimaryKeyConstraint('cosines_key', ['round_id', 'image'])
    .execute();
}

async function plan({ schema }: Kysely<unknown>): Promise<void> {
  await schema.alterTable('runs').addColumn('plan_json', 'text').execute();
}

async function design({ schema }: Kysely<unknown>): Promise<void> {
  await schema.alterTable('runs').addColumn('design_json', 'text').execute();
}

async function takeovers({ schema }: Kysely<unknown>): Promise<void> {
  await schema.alterTable('devices').addColumn('takeovers_json', 'text').execute();
}

/** Views are all made by the last change that makes them, of columns that some of these earlier ones do not know yet. */
function madeLater(): Promise<void> {
  return Promise.resolve();
}

/** A change that databases on a server need, and files do not. */
function onServerAlone(change: Migration['up']): Migration['up'] {
  return async (db) => {
    if (isOnServer(db)) await change(db);
  };
}

async function globalIds(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('runs').addColumn('uid', 'text').execute();
  await giveGlobalIds(db);
  await db.schema.createIndex('runs_uid').unique().on('runs').column('uid').execute();
}

/** What belongs to a run or a device is found, and goes with it, without looking through the cells of all runs. */
async function indexes({ schema }: Kysely<unknown>): Promise<void> {
  await schema.createIndex('cells_by_run').on('cells').column('run_id').execute();
  await schema.createIndex('cells_by_device').on('cells').column('device_id').execute();
}

/** Who may use the dashboard from elsewhere and what they did; its lists of runs, models and devices without looking through all rows. */
async function dashboard({ schema }: Kysely<unknown>): Promise<void> {
  await schema
    .createTable('tokens')
    .addColumn('name', 'text', (c) => c.primaryKey())
    .addColumn('role', 'text', (c) => c.notNull())
    .addColumn('hash', 'text', (c) => c.notNull().unique())
    .addColumn('created_at', 'text', (c) => c.notNull())
    .execute();
  await schema
    .createTable('audit')
    .addColumn('id', 'integer', (c) => c.primaryKey())
    .addColumn('at', 'text', (c) => c.notNull())
    .addColumn('actor', 'text')
    .addColumn('role', 'text')
    .addColumn('address', 'text')
    .addColumn('action', 'text', (c) => c.notNull())
    .addColumn('target', 'text', (c) => c.notNull())
    .addColumn('outcome', 'text', (c) => c.notNull())
    .addColumn('detail', 'text')
    .execute();
  await schema.createIndex('runs_by_start').on('runs').columns(['started_at', 'id']).execute();
  await schema.createIndex('runs_by_suite').on('runs').columns(['suite', 'id']).execute();
  await schema.createIndex('runs_by_end').on('runs').column('ended_at').execute();
  await schema.createIndex('cells_by_state').on('cells').columns(['run_id', 'status']).execute();
  await schema
    .createIndex('variants_by_name')
    .on('variants')
    .columns(['model', 'recipe', 'run_id'])
    .execute();
  await schema.createIndex('devices_by_name').on('devices').columns(['name', 'run_id']).execute();
}

/** What was computed of runs that have ended. */
async function kept({ schema }: Kysely<unknown>): Promise<void> {
  await schema
    .createTable('kept')
    .addColumn('run_id', 'text', (c) => c.notNull().references('runs.id').onDelete('cascade'))
    .addColumn('kind', 'text', (c) => c.notNull())
    .addColumn('question', 'text', (c) => c.notNull())
    .addColumn('state', 'text', (c) => c.notNull())
    .addColumn('digest', 'text', (c) => c.notNull())
    .addColumn('body', 'blob', (c) => c.notNull())
    .addColumn('made_at', 'text', (c) => c.notNull())
    .addPrimaryKeyConstraint('kept_of_run', ['run_id', 'kind', 'question'])
    .execute();
}
