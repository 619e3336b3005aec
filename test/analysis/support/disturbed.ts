import { seededRandom, type Random } from '../../../src/base/random.js';
import type { Database } from '../../../src/base/sqlite.js';
import type { Conditions } from '../../../src/protocol/conditions.js';
import { storedExample, type Stored } from './stored.js';

/** A row of a view, by column. */
export type Row = Readonly<Record<string, unknown>>;

/** What can be seen of a device at a moment, quiet or not. */
function seen(random: Random, at: number): Conditions {
  const slow = random.uniform() < 0.1;
  return {
    at,
    ...(random.uniform() < 0.9 && { otherLoad: random.uniform() < 0.1 ? random.uniform() : 0.03 }),
    ...(random.uniform() < 0.5 && { stolen: 0.02 * random.uniform() }),
    ...(random.uniform() < 0.5 && { throttling: random.uniform() < 0.05 ? ['under-voltage'] : [] }),
    ...(random.uniform() < 0.8 && {
      paces: Array.from(
        { length: 1 + random.integer(8) },
        () => (slow ? 1.5 : 1) * (1 + 0.02 * random.uniform()),
      ),
    }),
  };
}

/** Gives every round conditions, a placement and processor time, so that some are disturbed and some are not. */
function disturb(database: Database, random: Random): void {
  const condition = database.prepare('insert into conditions values (?, ?, ?, ?)');
  const placement = database.prepare(
    'update rounds set core_latency_before = ?, core_latency_after = ? where id = ?',
  );
  const cpu = database.prepare(
    `update phases set cpu_milliseconds = ? where round_id = ? and phase = 'steady'`,
  );
  const ids = database.prepare('select id from rounds').pluck().all() as number[];
  for (const id of ids) {
    let at = 0;
    for (let sequence = 0; sequence < 6; sequence++) {
      at += random.uniform();
      condition.run(id, sequence, sequence < 2 ? 'prepare' : 'steady', JSON.stringify(seen(random, at)));
    }
    const near = 20 + random.uniform();
    const before = random.uniform() < 0.15 ? 5 * near : near;
    if (random.uniform() < 0.8) placement.run(before, random.uniform() < 0.1 ? 5 * near : before, id);
    if (random.uniform() < 0.8) cpu.run(100 * (1 + random.uniform()), id);
  }
}

/**
 * Stores a run of several devices with everything that can disturb it.
 *
 * @param path - where the database goes
 * @param seed - of what disturbs
 * @param change - changes rows before they are read
 */
export async function disturbedExample(
  path: string,
  seed: number,
  change: (database: Database) => void = () => undefined,
): Promise<Stored> {
  return storedExample(path, { devices: ['laptop', 'board'] }, (database) => {
    disturb(database, seededRandom(seed));
    change(database);
  });
}
