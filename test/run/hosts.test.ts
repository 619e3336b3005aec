import { writeFile } from 'node:fs/promises';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { Device, MeasureOptions } from '../../src/device/device.js';
import type * as opening from '../../src/device/open.js';
import type { Task } from '../../src/protocol/task.js';
import type { RoundProgress } from '../../src/run/events.js';
import { findRun, loadRun } from '../../src/store/read.js';
import { planOf } from '../../src/suite/plan.js';
import type { Suite } from '../../src/suite/read.js';
import type { Tier } from '../../src/suite/schema.js';
import { agentsOf } from '../support/processes.js';
import { useRuns } from './support.js';

/** Where the devices of a test are, by name; this machine does all of the work. */
const hosts = new Map<string, string>();

/** Devices that do a task, and which have done one at the same time. */
const working = new Set<string>();
const together = new Set<string>();

vi.mock('../../src/device/open.js', async (original) => {
  const { openDevices } = await original<typeof opening>();
  return {
    openDevices: async (profiles: Parameters<typeof openDevices>[0]): Promise<Device[]> => {
      const devices = await openDevices(profiles);
      return devices.map((device) => ({
        ...{ ...device, host: hosts.get(device.profile.name)! },
        measure: async (task: Task, options: MeasureOptions) => {
          working.add(device.profile.name);
          together.add([...working].sort().join(' '));
          try {
            await device.measure(shortened(task), options);
          } finally {
            working.delete(device.profile.name);
          }
        },
      }));
    },
  };
});

/** How long a task times at most, in seconds: some tests need no more than to find it at work. */
let longest = Infinity;

function shortened(task: Task): Task {
  return task.kind === 'performance' ? { ...task, minSeconds: Math.min(task.minSeconds, longest) } : task;
}

const runs = useRuns();

const three = ['one', 'two', 'three'];

/** The tiny suite's baseline on devices. */
async function suiteOn(names: readonly string[], tier: Tier = 'smoke', rounds = 1): Promise<Suite> {
  const devices: string[] = [];
  for (const name of names) {
    devices.push(runs.folder(`${name}.yaml`));
    await writeFile(devices.at(-1)!, `name: ${name}\nkind: local\nthreads: 1\n`);
  }
  const { recipes } = runs.suite();
  const performance = { batches: [2], tier, rounds };
  return runs.suite({ devices, recipes: recipes.slice(0, 1), performance });
}

describe('devices of a run', { timeout: 180_000 }, () => {
  beforeEach(() => {
    hosts.clear();
    together.clear();
    longest = Infinity;
    hosts.set('one', 'here').set('two', 'there').set('three', 'here');
  });

  it('are driven side by side where they are of different hosts, and in turn where they are of one', async () => {
    const suite = await suiteOn(three, 'smoke', 3);
    const plan = planOf(suite);
    const measured: RoundProgress[] = [];
    const outcome = await runs.execute(suite, {
      measured: (round) => measured.push(round),
      measuring: (round) => {
        expect(round.overall).toBeGreaterThanOrEqual(round.over / round.rounds);
        expect(round.overall).toBeLessThanOrEqual(1);
      },
    });
    expect(outcome.failedCells).toBe(0);
    expect([...together]).toContain('one two');
    expect([...together].some((each) => each.includes('one') && each.includes('three'))).toBe(false);
    expect(measured).toHaveLength(plan.rounds.length);
    for (const devices of [[0, 2], [1]]) {
      const names = devices.map((index) => ['one', 'two', 'three'][index]!);
      const planned = [...plan.rounds.keys()].filter((position) =>
        devices.includes(plan.cells[plan.rounds[position]!.cell]!.device),
      );
      const done = measured.filter(({ device }) => names.includes(device));
      expect(done.map(({ position }) => position)).toEqual(planned);
    }
    expect(measured.map(({ over }) => over)).toEqual([...plan.rounds.keys()].map((each) => each + 1));
    expect(measured.at(-1)).toMatchObject({ overall: 1, secondsLeft: 0 });
    // The slower place has two devices with three timed rounds, which take two seconds besides the tier's.
    expect(measured[0]!.secondsLeft).toBeGreaterThan(2 * 3 * 2);
    const { cells } = await loadRun(runs.db(), await findRun(runs.db(), ''));
    expect(cells.every(({ row }) => row.status === 'done')).toBe(true);
  });

  it('all end when the run is stopped, once', async () => {
    const suite = await suiteOn(three, 'rapid');
    let most = 0;
    await runs.interrupt(suite, (stop) => ({
      measuring: ({ scenario }) => {
        most = Math.max(most, agentsOf().length);
        if (scenario.kind === 'performance' && agentsOf().length === 2) stop();
      },
    }));
    expect(most).toBe(2);
    expect(agentsOf()).toEqual([]);
    expect((await findRun(runs.db(), '')).ended_at).toBeNull();
  });

  it('all end when one of them cannot go on, with its reason', async () => {
    const suite = await suiteOn(three);
    const reason = new Error('the disk is full');
    const failing = runs.execute(suite, {
      measured: ({ device, scenario }) => {
        if (device === 'two' && scenario.kind === 'performance') throw reason;
      },
    });
    await expect(failing).rejects.toBe(reason);
    expect(agentsOf()).toEqual([]);
    expect((await findRun(runs.db(), '')).ended_at).toBeNull();
  });

  it('fail alone', async () => {
    longest = 2;
    const suite = await suiteOn(['one', 'two'], 'rapid');
    const timing = new Set<string>();
    let killed = false;
    const failed: string[] = [];
    const outcome = await runs.execute(suite, {
      measuring: ({ device, scenario }) => {
        if (scenario.kind === 'performance') timing.add(device);
        // Whichever agent dies, it is one that times.
        const both = timing.has('one') && timing.has('two');
        if (killed || !both) return;
        killed = true;
        process.kill(agentsOf()[0]!, 'SIGKILL');
      },
      measured: ({ device, failure }) => {
        if (failure !== undefined) failed.push(`${device}: ${JSON.stringify(failure.reason)}`);
      },
    });
    expect(outcome.failedCells).toBe(1);
    expect(failed).toHaveLength(1);
    expect(failed[0]).toContain('SIGKILL');
  });
});
