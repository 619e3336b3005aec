import { expect, it, vi } from 'vitest';
import { soundnessOf } from '../../src/analysis/figures/soundness.js';
import type { Device, MeasureOptions } from '../../src/device/device.js';
import type * as opening from '../../src/device/open.js';
import type { AgentEvent } from '../../src/protocol/events.js';
import type { Task } from '../../src/protocol/task.js';
import { findRun, loadRun } from '../../src/store/read.js';
import { useRuns } from './support.js';

/** What others take while queries are timed, in cores: by the number of the timed task, and nothing beyond. */
const loads: number[] = [];
/** How long a step takes there while queries are timed, in nanoseconds: likewise, and 1 beyond. */
const paces: number[] = [];
let timed = 0;

/** The agent is the real one; what it says of others is the test's, as a busy machine cannot be had on demand. */
function disturbing(device: Device): Device {
  const measure = (task: Task, options: MeasureOptions): Promise<void> => {
    const isTimed = task.kind === 'performance';
    const otherLoad = isTimed ? (loads[timed] ?? 0) : 0;
    const seen = Array<number>(20).fill(isTimed ? (paces[timed] ?? 1) : 1);
    if (isTimed) timed += 1;
    const onEvent = (event: AgentEvent): void => {
      options.onEvent(
        event.event === 'conditions'
          ? { ...event, conditions: { at: event.conditions.at, otherLoad, stolen: 0, paces: seen } }
          : event,
      );
    };
    // The tier's bounds take seconds and tell no more: what is looked at is the test's.
    const bounds = isTimed && { minQueries: 8, minSeconds: 0.3, maxWarmupSeconds: 0.05 };
    return device.measure({ ...task, ...bounds }, { ...options, onEvent });
  };
  // On this machine a run would wait for it to become quiet.
  return { ...device, host: 'elsewhere', measure };
}

vi.mock('../../src/device/open.js', async (original) => {
  const { openDevices } = await original<typeof opening>();
  return {
    openDevices: async (profiles: Parameters<typeof openDevices>[0]): Promise<Device[]> =>
      (await openDevices(profiles)).map(disturbing),
  };
});

const runs = useRuns();

it('a round that others disturb is measured again, twice at most, and the last time counts', async () => {
  // Of the first round one try, of the second all three.
  loads.push(0.9, 0, 0.8, 0.8, 0.7);
  const { recipes } = runs.suite();
  const told: string[] = [];
  const { id } = await runs.execute(
    runs.suite({ recipes: recipes.slice(0, 1), performance: { batches: [2], tier: 'rapid', rounds: 4 } }),
    { disturbed: ({ round, disturbance: { kind } }) => told.push(`${kind} in round ${round}`) },
  );
  expect(told).toEqual(['other-load in round 0', 'other-load in round 1', 'other-load in round 1']);
  const run = await loadRun(runs.db(), await findRun(runs.db(), id));
  const cell = run.cells.find(({ row }) => row.kind === 'performance')!;
  expect(cell.rounds.map(({ row }) => row.repeats)).toEqual([1, 2, 0, 0]);
  const { rounds, disturbed, by, decides } = soundnessOf(cell);
  expect([disturbed, decides, rounds.map(({ row }) => row.round)]).toEqual([1, true, [0, 2, 3]]);
  // The mean over as many looks as there was time for.
  expect(by).toEqual([{ kind: 'other-load', cores: expect.closeTo(0.7, 9) as number }]);
}, 120_000);

it('a round in which the core was slower than in the others is measured again, once there are others', async () => {
  loads.length = 0;
  timed = 0;
  // The first round is slow, too, but nobody knows it then; of the fourth the first try.
  paces.push(1.5, 1, 1, 1.5);
  const { recipes } = runs.suite();
  const told: string[] = [];
  const { id } = await runs.execute(
    runs.suite({ recipes: recipes.slice(0, 1), performance: { batches: [2], tier: 'rapid', rounds: 4 } }),
    { disturbed: ({ round, disturbance: { kind } }) => told.push(`${kind} in round ${round}`) },
  );
  paces.length = 0;
  expect(told).toEqual(['slowed in round 3']);
  const run = await loadRun(runs.db(), await findRun(runs.db(), id));
  const cell = run.cells.find(({ row }) => row.kind === 'performance')!;
  expect(cell.rounds.map(({ row }) => row.repeats)).toEqual([0, 0, 0, 1]);
  // Afterwards the first one is known to have been slow, and left out.
  const { rounds, by } = soundnessOf(cell);
  expect(rounds.map(({ row }) => row.round)).toEqual([1, 2, 3]);
  expect(by).toEqual([{ kind: 'slowed', share: 1, factor: 1.5 }]);
}, 120_000);

it('a run that only shows that everything runs repeats nothing', async () => {
  loads.length = 0;
  loads.push(0.9, 0.9);
  timed = 0;
  const { recipes } = runs.suite();
  const told: string[] = [];
  await runs.execute(runs.suite({ recipes: recipes.slice(0, 1) }), {
    disturbed: ({ round }) => told.push(String(round)),
  });
  expect([told, timed]).toEqual([[], 2]);
});
