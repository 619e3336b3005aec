import { expect, it, vi } from 'vitest';
import type { Device, MeasureOptions } from '../../src/device/device.js';
import type * as opening from '../../src/device/open.js';
import type { AgentEvent } from '../../src/protocol/events.js';
import { parseFailure } from '../../src/protocol/failure.js';
import type { Task } from '../../src/protocol/task.js';
import { findRun, loadRun } from '../../src/store/read.js';
import { useRuns } from './support.js';

/** The agent is the real one; the answers of its timed pass become those of other images: the first and the last one's are exchanged. */
function answeringOtherwise(device: Device): Device {
  const measure = (task: Task, options: MeasureOptions): Promise<void> => {
    const onEvent = (event: AgentEvent): void => {
      if (task.kind !== 'performance' || event.event !== 'logits') options.onEvent(event);
      else options.onEvent({ ...event, values: exchanged(event.values, event.classes) });
    };
    return device.measure(task, { ...options, onEvent });
  };
  return { ...device, measure };
}

function exchanged(base64: string, classes: number): string {
  const values = new Float32Array(Uint8Array.from(Buffer.from(base64, 'base64')).buffer);
  const first = values.slice(0, classes);
  values.copyWithin(0, values.length - classes);
  values.set(first, values.length - classes);
  return Buffer.from(values.buffer).toString('base64');
}

vi.mock('../../src/device/open.js', async (original) => {
  const { openDevices } = await original<typeof opening>();
  return {
    openDevices: async (profiles: Parameters<typeof openDevices>[0]): Promise<Device[]> =>
      (await openDevices(profiles)).map(answeringOtherwise),
  };
});

const runs = useRuns();

/** Runs fp32, and says how its cells ended. */
async function ends(): Promise<unknown[]> {
  const { recipes } = runs.suite();
  const suite = runs.suite({
    ...{ recipes: recipes.slice(0, 1), accuracy: { batch: 4, images: 8 } },
    performance: { batches: [2], tier: 'smoke', rounds: 1 },
  });
  expect((await runs.execute(suite)).failedCells).toBe(1);
  const { cells } = await loadRun(runs.db(), await findRun(runs.db(), ''));
  return cells.map(({ row }) => [
    row.kind,
    row.status,
    row.reason === null ? null : parseFailure(row.reason),
  ]);
}

const expected = [
  ['accuracy', 'done', null],
  ['kernels', 'done', null],
  ['performance', 'failed', expect.objectContaining({ kind: 'logits-differ', from: 'accuracy-pass' })],
];

it('a timed pass that answers otherwise than the accuracy pass fails its cell', async () => {
  expect(await ends()).toEqual(expected);
}, 120_000);
