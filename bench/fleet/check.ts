import { openStore } from '../../src/store/open.js';

/** What there must be in the end. */
interface Expected {
  readonly boards: number;
  readonly cellsPerBoard: number;
}

/**
 * Looks for cells that are missing, there twice, or not done, and for rounds likewise.
 *
 * @param url - of the database with the results
 * @param runs - that were submitted
 * @param expected - of each
 * @returns what is wrong, in words
 */
export async function checkResults(
  url: string,
  runs: readonly string[],
  { boards, cellsPerBoard }: Expected,
): Promise<readonly string[]> {
  const db = await openStore(url);
  try {
    const faults: string[] = [];
    for (const run of runs) {
      const cells = await db
        .selectFrom('cells')
        .innerJoin('devices', 'devices.id', 'cells.device_id')
        .select(['cells.id', 'cells.kind', 'cells.batch', 'cells.status', 'devices.name'])
        .where('cells.run_id', '=', run)
        .execute();
      const keys = new Set(cells.map(({ name, kind, batch }) => `${name} ${kind} ${batch}`));
      const wanted = boards * cellsPerBoard;
      if (keys.size !== wanted) faults.push(`run ${run}: ${keys.size} different cells of ${wanted}`);
      if (cells.length !== keys.size)
        faults.push(`run ${run}: ${cells.length} cells, ${keys.size} different ones`);
      for (const { id, status } of cells)
        if (status !== 'done') faults.push(`run ${run}: cell ${id} is ${status}`);
      const rounds = await db
        .selectFrom('rounds')
        .innerJoin('cells', 'cells.id', 'rounds.cell_id')
        .select(['rounds.cell_id', 'rounds.round'])
        .where('cells.run_id', '=', run)
        .execute();
      const different = new Set(rounds.map(({ cell_id, round }) => `${cell_id} ${round}`));
      if (rounds.length !== wanted || different.size !== wanted)
        faults.push(`run ${run}: ${rounds.length} rounds, ${different.size} different ones, of ${wanted}`);
    }
    return faults;
  } finally {
    await db.destroy();
  }
}
