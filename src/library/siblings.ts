import { z } from 'zod';
import { boardsIn, type SeenBoard } from '../analysis/fleet/copies.js';
import { siblingsOf, type SiblingGroup } from '../analysis/fleet/siblings.js';
import { settingDifferences } from '../analysis/setting.js';
import { InputError } from '../base/errors.js';
import { didYouMean } from '../base/similar.js';
import { hasFigures, runsOf } from '../store/newest.js';
import { listRuns, loadRun, runsBeginning, storedDevices } from '../store/read.js';
import { checkedOptions } from './options.js';
import { withResults, type Results } from './results.js';

/** How copies of boards are compared. */
export interface SiblingsOptions {
  /** Only the copies of this board, and an error where it has none. */
  readonly device?: string | undefined;
  /** Only runs of this suite. */
  readonly suite?: string | undefined;
  /** Smallest deviation from its siblings that matters, as a share: 0.02 if left out. */
  readonly threshold?: number | undefined;
}

const optionsSchema = z.strictObject({
  device: z.string().min(1).optional(),
  suite: z.string().min(1).optional(),
  threshold: z.number().positive().max(10).default(0.02),
});

/** Boards and their copies. */
export interface Siblings {
  /** The board that was asked about; null: all. */
  readonly device: string | null;
  /** Smallest deviation that matters, as a share. */
  readonly threshold: number;
  /** Boards that are copies of each other, the largest group first. */
  readonly groups: readonly SiblingGroup[];
  /** Boards without a copy, by name. */
  readonly alone: readonly string[];
}

/** So many of its newest runs say what a board is; whole runs are large. */
const MOST_RUNS = 10;

/**
 * Says of copies of one board how much their speed differs from board to board, apart from what it differs on each, and which of them are not
 * like the others. Copies are boards that agree in processor, memory, system, runtime and how it is used.
 *
 * @param results - open, or their place
 * @param options - which boards, and what matters
 * @throws InputError when the device was not measured, or has no copy
 *
 * @example
 * ```ts
 * const { groups } = await siblings('postgres://lab@db.example/edgeflex', { suite: 'nightly' });
 * for (const { boards } of groups) console.log(boards.filter(({ verdict }) => verdict === 'odd'));
 * ```
 */
export async function siblings(results: Results | string, options: SiblingsOptions = {}): Promise<Siblings> {
  const { device, suite, threshold } = checkedOptions('siblings', options, optionsSchema);
  return withResults(results, { readonly: true }, async ({ db }) => {
    const ids = new Set(
      runsOf(await listRuns(db), suite)
        .filter(hasFigures)
        .map(({ id }) => id),
    );
    const counts = new Map<string, number>();
    const seen: SeenBoard[] = [];
    for (const run of await runsBeginning(db, '')) {
      if (!ids.has(run.id)) continue;
      const names = (await storedDevices(db, run.id)).map(({ row }) => row.name);
      const fresh = names.filter((name) => (counts.get(name) ?? 0) < MOST_RUNS);
      if (fresh.length === 0) continue;
      for (const name of fresh) counts.set(name, (counts.get(name) ?? 0) + 1);
      seen.push(...boardsIn(await loadRun(db, run)).filter(({ name }) => fresh.includes(name)));
    }
    const groups = siblingsOf(seen, { threshold });
    const inGroups = new Set(groups.flatMap(({ boards }) => boards.map(({ name }) => name)));
    const alone = [...counts.keys()].filter((name) => !inGroups.has(name)).sort();
    if (device === undefined) return { device: null, threshold, groups, alone };
    if (!counts.has(device)) throw unmeasured(device, [...counts.keys()]);
    const own = groups.filter(({ boards }) => boards.some(({ name }) => name === device));
    if (own.length === 0) throw withoutCopy(device, seen);
    return { device, threshold, groups: own, alone: [] };
  });
}

function unmeasured(name: string, measured: readonly string[]): InputError {
  return new InputError({
    source: 'devices siblings',
    found: `${name}, on which no run has measured anything${didYouMean(name, measured)}`,
    expected: measured.length > 0 ? `one of ${[...measured].sort().join(', ')}` : 'a device of a stored run',
  });
}

function withoutCopy(name: string, seen: readonly SeenBoard[]): InputError {
  const own = seen.find((each) => each.name === name);
  const [nearest] = seen
    .filter((each) => each.name !== name)
    .map((other) => ({
      name: other.name,
      differences: settingDifferences(own?.kind ?? new Map<string, string>(), other.kind),
    }))
    .sort((a, b) => a.differences.length - b.differences.length);
  return new InputError({
    source: 'devices siblings',
    found: `${name}, of which no run has measured a copy`,
    expected: 'a board and at least one other of the same processor, memory, system and runtime',
    ...(nearest && {
      hint: `The nearest is ${nearest.name}, which differs in ${nearest.differences
        .slice(0, 3)
        .map((each) => `${each.name} (${each.before || 'none'} here, ${each.after || 'none'} there)`)
        .join(', ')}.`,
    }),
  });
}
