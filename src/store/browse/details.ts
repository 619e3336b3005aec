import { hashJson } from '../../base/hash.js';
import { parseSubstitutions, type Substitution } from '../../base/substitution.js';
import { checkedRows } from '../checked.js';
import { runDataSchema } from '../content.js';
import type { Db } from '../open.js';
import { samplesOf } from '../rounds.js';

/** A cell and how far it is. */
export interface ListedCell {
  /** The same in every store. */
  readonly id: string;
  readonly model: string;
  readonly recipe: string;
  readonly device: string;
  readonly kind: 'accuracy' | 'performance' | 'kernels' | 'server' | 'offline';
  readonly batch: number;
  readonly boundMilliseconds: number | null;
  readonly tier: string | null;
  readonly state: 'pending' | 'done' | 'failed' | 'unsupported';
  /** Planned, and there. */
  readonly rounds: number;
  readonly measured: number;
  /** Rounds that never became steady. */
  readonly unsteady: number;
  /** As it is stored, see `reasonText`; null of a cell that is neither failed nor unsupported. */
  readonly reason: string | null;
  readonly substitutions: readonly Substitution[];
  /** Whether its weights are random. */
  readonly synthetic: boolean;
}

/** What identifies a cell within its run. */
type CellIdentity = Pick<ListedCell, 'model' | 'recipe' | 'device' | 'kind' | 'batch'>;

/** A name for a cell that is the same in every store that its run is copied to. */
function cellId({ model, recipe, device, kind, batch }: CellIdentity): string {
  return hashJson([model, recipe, device, kind, batch]).slice(0, 16);
}

/**
 * The cells of runs, in the order in which they were planned.
 *
 * @param db - the store
 * @param names - ids of the runs in this store
 * @returns by the run's id
 */
export async function listedCells(db: Db, names: readonly string[]): Promise<Map<string, ListedCell[]>> {
  const found = new Map<string, ListedCell[]>(names.map((name) => [name, []]));
  for (const { run, cell } of await identified(db, names)) found.get(run)?.push(cell);
  return found;
}

async function identified(
  db: Db,
  names: readonly string[],
): Promise<{ readonly run: string; readonly row: number; readonly cell: ListedCell }[]> {
  if (names.length === 0) return [];
  const rows = await db
    .selectFrom('cells as c')
    .innerJoin('variants as v', 'v.id', 'c.variant_id')
    .innerJoin('devices as d', 'd.id', 'c.device_id')
    .select((eb) => [
      ...(['c.id', 'c.run_id', 'v.model', 'v.recipe', 'v.synthetic', 'd.name', 'c.kind', 'c.batch'] as const),
      ...(['c.bound_ms', 'c.tier', 'c.status', 'c.rounds', 'c.reason', 'c.form'] as const),
      eb
        .selectFrom('rounds as o')
        .select(({ fn }) => fn.countAll<number>().as('measured'))
        .whereRef('o.cell_id', '=', 'c.id')
        .as('measured'),
      eb
        .selectFrom('rounds as o')
        .select(({ fn }) => fn.countAll<number>().as('unsteady'))
        .whereRef('o.cell_id', '=', 'c.id')
        .where('o.steady', '=', 0)
        .as('unsteady'),
    ])
    .where('c.run_id', 'in', names)
    .orderBy('c.id')
    .execute();
  return rows.map(({ id: row, run_id: run, ...each }) => {
    const { model, recipe, name: device, kind, batch, tier, rounds } = each;
    const identity = { model, recipe, device, kind, batch };
    return {
      ...{ run, row },
      cell: {
        id: cellId(identity),
        ...identity,
        ...{ boundMilliseconds: each.bound_ms, tier, state: each.status, rounds },
        ...{ measured: each.measured ?? 0, unsteady: each.unsteady ?? 0 },
        reason: each.status === 'failed' || each.status === 'unsupported' ? each.reason : null,
        ...{ substitutions: parseSubstitutions(each.form), synthetic: each.synthetic === 1 },
      },
    };
  });
}

/** What a run was made with. */
export interface RunFacts {
  readonly command: string;
  readonly seed: number;
  readonly data: { readonly name: string; readonly testImages: number };
}

/**
 * What a run was made with.
 *
 * @param db - the store
 * @param name - its id in this store; of a run that is there
 */
export async function runFacts(db: Db, name: string): Promise<RunFacts> {
  const row = await db
    .selectFrom('runs')
    .select(['command', 'seed', 'data_json'])
    .where('id', '=', name)
    .executeTakeFirstOrThrow();
  const data = runDataSchema.parse(JSON.parse(row.data_json));
  return {
    ...{ command: row.command, seed: row.seed },
    data: { name: data.name, testImages: data.testImages },
  };
}

/** The timed queries of a round. */
export interface RoundSamples {
  readonly round: number;
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  /** In their order. */
  readonly milliseconds: readonly number[];
}

/**
 * The timed queries of a cell, round by round.
 *
 * @param db - the store
 * @param name - id of the run in this store
 * @param id - of the cell
 * @returns undefined where the run has no such cell
 * @throws StoreError when a row holds what cannot be
 */
export async function samplesOfCell(
  db: Db,
  name: string,
  id: string,
): Promise<{ readonly cell: ListedCell; readonly rounds: readonly RoundSamples[] } | undefined> {
  const found = (await identified(db, [name])).find(({ cell }) => cell.id === id);
  if (found === undefined) return undefined;
  const rows = await db
    .selectFrom('rounds')
    .select(['id', 'round', 'started_at'])
    .where('cell_id', '=', found.row)
    .orderBy('round')
    .execute();
  const rounds: RoundSamples[] = [];
  for (const { id: round, ...row } of checkedRows(db, 'rounds', rows))
    rounds.push({ round: row.round, startedAt: row.started_at, milliseconds: await samplesOf(db, round) });
  return { cell: found.cell, rounds };
}
