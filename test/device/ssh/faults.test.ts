import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { DeviceError } from '../../../src/base/errors.js';
import { LinkLost, type Device } from '../../../src/device/device.js';
import { cleanBoard } from '../../../src/device/ssh/clean.js';
import { openSsh } from '../../../src/device/ssh/device.js';
import type { AgentEvent } from '../../../src/protocol/events.js';
import type { Task } from '../../../src/protocol/task.js';
import { describeOnBoard, TestBoard } from '../../support/board/board.js';
import { writeMicro } from '../../support/micro.js';
import { until } from '../../support/processes.js';
import { longPass, perform, shortPass, timing, type Watch } from '../../support/tasks.js';

/** An emulated agent takes seconds to start, on a busy machine many. */
const options = { timeout: 180_000 };

const thermal = 'class/thermal/thermal_zone0/temp';

/** Short, but longer than a busy machine keeps an emulated agent waiting. */
const leaseSeconds = 10;

describeOnBoard('a board in trouble', options, () => {
  let directory: string;
  let board: TestBoard;
  let device: Device;
  let endless: Task;
  let short: Task;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'edgeflex-test-'));
    const { model } = await writeMicro(directory);
    const inputs = join(directory, 'inputs.bin');
    await writeFile(inputs, new Uint8Array(3 * 32 * 32 * 4));
    endless = timing(model, inputs, 1, longPass);
    short = timing(model, inputs, 1, {
      ...shortPass,
      minQueries: 1,
      minSeconds: 0.01,
      maxWarmupSeconds: 0.01,
    });
    board = await TestBoard.start('troubled', {
      sys: { [thermal]: '45000\n' },
      profile: 'coolDown: { temperature: 60, seconds: 60 }\nrestart: 60\n',
    });
    device = await openSsh(await board.profile(), leaseSeconds);
  }, options.timeout);

  afterAll(async () => {
    await device.close();
    await board.remove();
    await rm(directory, { recursive: true, force: true });
  }, options.timeout);

  afterEach(async () => {
    // Whatever happened, no process of ours stays on the board.
    await until('no agent is left on the board', () => board.processes('agent.mjs').length === 0);
  });

  /** Starts the endless task and does something once its agent has told a phase. */
  async function disturb(act: () => unknown, watch: Watch = {}): Promise<unknown> {
    let acted: unknown;
    const onEvent = (event: AgentEvent): void => {
      if (event.event === 'phase' && event.phase === 'load' && acted === undefined) acted = act() ?? true;
    };
    const error = await perform(device, endless, { ...watch, onEvent }).then(
      () => new Error('the task was done'),
      (reason: unknown) => reason,
    );
    await acted;
    return error;
  }

  const agent = (): number => board.processes('agent.mjs').at(-1)!;

  it('loses the link in the middle of a task: that can be done again, over a new link', async () => {
    const error = await disturb(() => board.signalLinks('SIGKILL'));
    expect(error).toBeInstanceOf(LinkLost);
    expect((error as Error).message).toMatch(/^the link to ssh 127\.0\.0\.1:\d+ was lost/);
    const { measurement } = await perform(device, short);
    expect(measurement.latencies.length).toBeGreaterThan(0);
  });

  it('falls silent: the link counts as lost, and the agent ends without being told', async () => {
    let left = 0;
    const error = await disturb(() => {
      left = board.processes('agent.mjs').length;
      board.signalLinks('SIGSTOP');
    });
    expect(left).toBeGreaterThan(0);
    expect(error).toBeInstanceOf(LinkLost);
    expect((error as Error).message).toContain('not responding');
    // The stopped ends of the links cannot have told it.
    await until('the agent ends', () => board.processes('agent.mjs').length === 0);
    board.signalLinks('SIGKILL');
  });

  it('restarts in the middle of a task, without the files it had: it is waited for, and gets them again', async () => {
    const store = board.home('.cache', 'edgeflex', 'store');
    const error = await disturb(async () => {
      await board.down();
      await rm(store, { recursive: true });
      await rm(board.home('.cache', 'edgeflex', 'models'), { recursive: true });
      setTimeout(() => void board.up(), 2000);
    });
    expect(error).toBeInstanceOf(LinkLost);
    const { measurement } = await perform(device, short);
    expect(measurement.latencies.length).toBeGreaterThan(0);
    expect(readdirSync(store).length).toBeGreaterThan(0);
  });

  it('kills the agent as it does for want of memory: the task fails with that reason', async () => {
    const error = await disturb(() => process.kill(agent(), 'SIGKILL'));
    expect(error).toBeInstanceOf(DeviceError);
    expect(error).not.toBeInstanceOf(LinkLost);
    expect((error as Error).message).toBe(
      'the agent was killed by SIGKILL (out of memory?) before its task was done',
    );
  });

  it('has an agent that hangs: the task fails, and the agent is killed', async () => {
    let stopped = 0;
    const error = await disturb(
      () => {
        stopped = agent();
        process.kill(stopped, 'SIGSTOP');
      },
      { silenceMilliseconds: 15_000 },
    );
    expect((error as Error).message).toBe('the agent said nothing new for 15 s');
    expect(stopped).toBeGreaterThan(0);
  });

  it('is stopped with the run: its agent ends', async () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    const error = await disturb(() => controller.abort(reason), { signal: controller.signal });
    expect(error).toBe(reason);
  });

  it('is hot before a timed round: it may cool down, and tells how warm it is', async () => {
    const sensor = join(board.state, 'sys', thermal);
    await writeFile(sensor, '85000\n');
    let cooled = false;
    const cooling = setTimeout(() => {
      cooled = true;
      writeFileSync(sensor, '55000\n');
    }, 3000);
    const before: boolean[] = [];
    const { measurement } = await perform(device, short, { onEvent: () => before.push(cooled) });
    clearTimeout(cooling);
    expect(before).not.toContain(false);
    expect(measurement.conditions.map(({ conditions }) => conditions.temperature)).toContain(55);
  });

  it('leaves nothing of the run when it is closed, and nothing at all when it is cleaned', async () => {
    await device.close();
    const folder = board.home('.cache', 'edgeflex');
    expect(readdirSync(join(folder, 'runs'))).toEqual([]);
    const { freedBytes, killedAgents } = await cleanBoard(await board.profile());
    expect(freedBytes).toBeGreaterThan(20 * 1024 ** 2);
    expect(killedAgents).toBe(0);
    expect(existsSync(folder)).toBe(false);
  });
});
