import type { Db } from './open.js';
import type { CellRow } from './tables.js';
import { NOTHING_MADE } from './write.js';

/** How long the rounds of a cell took, over all stored runs. */
export interface StoredDuration extends Pick<CellRow, 'kind' | 'batch' | 'tier' | 'rounds'> {
  readonly device: string;
  readonly model: string;
  readonly recipe: string;
  /** Mean of a round. */
  readonly seconds: number;
}

/**
 * How long rounds took on some devices.
 *
 * @param db - the store
 * @param devices - their names
 */
export async function storedDurations(db: Db, devices: readonly string[]): Promise<StoredDuration[]> {
  return db
    .selectFrom('rounds')
    .innerJoin('cells', 'cells.id', 'rounds.cell_id')
    .innerJoin('variants', 'variants.id', 'cells.variant_id')
    .innerJoin('devices', 'devices.id', 'cells.device_id')
    .select(({ fn }) => [
      ...([
        'variants.model',
        'variants.recipe',
        'cells.kind',
        'cells.batch',
        'cells.tier',
        'cells.rounds',
      ] as const),
      'devices.name as device',
      fn.avg<number>('rounds.seconds').as('seconds'),
    ])
    .where('devices.name', 'in', devices)
    .where('cells.status', '=', 'done')
    .groupBy([
      'devices.name',
      'variants.model',
      'variants.recipe',
      'cells.kind',
      'cells.batch',
      'cells.tier',
      'cells.rounds',
    ])
    .execute();
}

/** A variant as it was made for the newest run that has it. */
export interface StoredVariant {
  readonly model: string;
  readonly recipe: string;
  readonly fileBytes: number;
  /** Reports of its stages, in JSON. */
  readonly stages: string;
}

/**
 * Variants of some models that were made for stored runs, each as it was last.
 *
 * @param db - the store
 * @param models - their names
 */
export async function storedVariants(db: Db, models: readonly string[]): Promise<StoredVariant[]> {
  const rows = await db
    .selectFrom('variants')
    .select(['model', 'recipe', 'file_bytes', 'stages_json'])
    .where('model', 'in', models)
    .where('artifact', '!=', NOTHING_MADE)
    .orderBy('id')
    .execute();
  const newest = new Map(rows.map((row) => [JSON.stringify([row.model, row.recipe]), row]));
  return [...newest.values()].map(({ model, recipe, file_bytes: fileBytes, stages_json: stages }) => ({
    ...{ model, recipe, fileBytes, stages },
  }));
}
