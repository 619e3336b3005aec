import { writeFile } from 'node:fs/promises';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { Device } from '../../src/device/device.js';
import type * as opening from '../../src/device/open.js';
import type { RoundProgress } from '../../src/run/events.js';
import { findRun, loadRun } from '../../src/store/read.js';
import { planOf } from '../../src/suite/plan.js';
import type { Suite } from '../../src/suite/read.js';
import type { Tier } from '../../src/suite/schema.js';
import { agentsOf } from '../support/processes.js';
import { useRuns } from './support.js';

/** Where the devices of a test are, by name; this machine does all of the work. */
const hosts = new Map<string, string>();

vi.mock('../../src/device/open.js', async (original) => {
  const { openDevices } = await original<typeof opening>();
  return {
    openDevices: async (profiles: Parameters<typeof openDevices>[0]): Promise<Device[]> => {
      const devices = await openDevices(profiles);
      return devices.map((device) => ({ ...device, host: hosts.get(device.profile.name)! }));
    },
  };
});

const runs = useRuns();

/** The tiny suite's baseline on three devices. */
async function suiteOnThree(tier: Tier = 'smoke', rounds = 1): Promise<Suite> {
  const devices: string[] = [];
  for (const name of ['one', 'two', 'three']) {
    devices.push(runs.folder(`${name}.yaml`));
    await writeFile(devices.at(-1)!, `name: ${name}\nkind: local\nthreads: 1\n`);
  }
  const { recipes } = runs.suite();
  const performance = { batches: [2], tier, rounds };
  return runs.suite({ devices, recipes: recipes.slice(0, 1), performance });
}

/** Watches which devices measure at the same time. */
class Watch {
  readonly together = new Set<string>();
  readonly measured: RoundProgress[] = [];
  private readonly now = new Set<string>();

  readonly observer = {
    measuring: ({ device }: RoundProgress): void => {
      this.now.add(device);
      this.together.add([...this.now].sort().join(' '));
    },
    measured: (round: RoundProgress): void => {
      this.now.delete(round.device);
      this.measured.push(round);
    },
  };
}

describe('devices of a run', () => {
  beforeEach(() => {
    hosts.clear();
    hosts.set('one', 'here').set('two', 'there').set('three', 'here');
  });

  it('are driven side by side where they are of different hosts, and in turn where they are of one', async () => {
    const suite = await suiteOnThree('smoke', 3);
    const plan = planOf(suite);
    const watch = new Watch();
    const { measuring } = watch.observer;
    const outcome = await runs.execute(suite, {
      ...watch.observer,
      measuring: (round) => {
        measuring(round);
        expect(round.overall).toBeGreaterThanOrEqual(round.over / round.rounds);
        expect(round.overall).toBeLessThanOrEqual(1);
      },
    });
    expect(outcome.failedCells).toBe(0);
    expect([...watch.together]).toContain('one two');
    expect([...watch.together].some((each) => each.includes('one') && each.includes('three'))).toBe(false);
    expect(watch.measured).toHaveLength(plan.rounds.length);
    for (const devices of [[0, 2], [1]]) {
      const names = devices.map((index) => ['one', 'two', 'three'][index]!);
      const planned = [...plan.rounds.keys()].filter((position) =>
        devices.includes(plan.cells[plan.rounds[position]!.cell]!.device),
      );
      const done = watch.measured.filter(({ device }) => names.includes(device));
      expect(done.map(({ position }) => position)).toEqual(planned);
    }
    expect(watch.measured.map(({ over }) => over)).toEqual([...plan.rounds.keys()].map((each) => each + 1));
    expect(watch.measured.at(-1)).toMatchObject({ overall: 1, secondsLeft: 0 });
    // The slower place has two devices with three timed rounds, which take two seconds besides the tier's.
    expect(watch.measured[0]!.secondsLeft).toBeGreaterThan(2 * 3 * 2);
    const { cells } = await loadRun(runs.db(), await findRun(runs.db(), ''));
    expect(cells.every(({ row }) => row.status === 'done')).toBe(true);
  });

  it('all end when the run is stopped, once', async () => {
    const suite = await suiteOnThree('rapid');
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
    const suite = await suiteOnThree();
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
    const suite = await suiteOnThree('rapid');
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
