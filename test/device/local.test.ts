import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { DeviceError } from '../../src/base/errors.js';
import { packageRoot } from '../../src/base/paths.js';
import type { Device } from '../../src/device/device.js';
import type { AgentEvent } from '../../src/protocol/events.js';
import { PROTOCOL_VERSION, type Task } from '../../src/protocol/task.js';
import { writeMicro } from '../support/micro.js';
import { agentsOf, isRunning, until } from '../support/processes.js';
import { longPass, openTestDevice, perform, timing, type Watch } from '../support/tasks.js';

const agent = join(packageRoot(), 'dist', 'agent', 'agent.mjs');

let directory: string;
let device: Device;
let endless: Task;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'edgeflex-test-'));
  const { model } = await writeMicro(directory);
  const inputs = join(directory, 'inputs.bin');
  await writeFile(inputs, new Uint8Array(3 * 32 * 32 * 4));
  endless = timing(model, inputs, 1, longPass);
  device = await openTestDevice();
});

afterAll(() => rm(directory, { recursive: true, force: true }));

afterEach(() => {
  // Whatever a test did to its agent, none is left.
  expect(agentsOf()).toEqual([]);
  vi.unstubAllEnvs();
});

/** Starts the endless task and does something to its agent once that has told a phase. */
async function disturb(
  act: (pid: number) => void,
  { at = 'load', ...watch }: Watch & { at?: string } = {},
): Promise<unknown> {
  let acted = false;
  const onEvent = (event: AgentEvent): void => {
    if (event.event !== 'phase' || event.phase !== at || acted) return;
    acted = true;
    act(agentsOf()[0]!);
  };
  return perform(device, endless, { ...watch, onEvent }).then(
    () => new Error('the task was done'),
    (error: unknown) => error,
  );
}

describe('a task on this machine', () => {
  it('runs in a process of its own, with telemetry switched off and without our secrets', async () => {
    vi.stubEnv('ORT_DISABLE_TELEMETRY', undefined);
    vi.stubEnv('HF_TOKEN', 'hf_secret');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret');
    let environment = '';
    let seen = 0;
    await disturb((pid) => {
      seen = pid;
      environment = readFileSync(`/proc/${pid}/environ`, 'utf8');
      process.kill(pid, 'SIGKILL');
    });
    expect(seen).not.toBe(process.pid);
    expect(environment.split('\0')).toContain('ORT_DISABLE_TELEMETRY=1');
    expect(environment).not.toMatch(/secret/i);
  });

  it('fails with the name of the signal when its agent is killed, and keeps what was told', async () => {
    const phases: string[] = [];
    const killed = perform(device, endless, {
      onEvent: (event) => {
        if (event.event === 'phase') phases.push(event.phase);
        if (event.event === 'latencies') process.kill(agentsOf()[0]!, 'SIGKILL');
      },
    });
    await expect(killed).rejects.toThrow(DeviceError);
    await expect(killed).rejects.toThrow(
      'the agent was killed by SIGKILL (out of memory?) before its task was done',
    );
    expect(phases).toEqual(['runtime', 'prepare', 'load', 'first', 'warmup']);
  });

  it('fails when its agent says nothing any more, even one that does not end when told to', async () => {
    let stopped = 0;
    const error = await disturb(
      (pid) => {
        stopped = pid;
        process.kill(pid, 'SIGSTOP');
      },
      { silenceMilliseconds: 1000 },
    );
    expect(error).toBeInstanceOf(DeviceError);
    expect((error as Error).message).toBe('the agent said nothing new for 1 s');
    expect(isRunning(stopped)).toBe(false);
  });

  it('fails when its agent takes too long to say its first word', async () => {
    const silent = perform(device, endless, { silenceMilliseconds: 1 });
    await expect(silent).rejects.toThrow('the agent said nothing new for');
  });

  it.each(['runtime', 'load', 'warmup'])('ends with its agent when it is stopped after %s', async (at) => {
    const controller = new AbortController();
    const reason = new Error('enough');
    let pid = 0;
    const error = await disturb(
      (agentPid) => {
        pid = agentPid;
        controller.abort(reason);
      },
      { at, signal: controller.signal },
    );
    expect(error).toBe(reason);
    expect(pid).toBeGreaterThan(0);
    expect(isRunning(pid)).toBe(false);
  });

  it('does not begin when it was stopped before', async () => {
    const reason = new Error('not even begun');
    const stopped = perform(device, endless, { signal: AbortSignal.abort(reason) });
    await expect(stopped).rejects.toBe(reason);
  });

  it('fails in words when no process can be started', async () => {
    const { execPath } = process;
    onTestFinished(() => void (process.execPath = execPath));
    process.execPath = join(directory, 'no-node');
    const failed = perform(device, endless);
    await expect(failed).rejects.toThrow(DeviceError);
    await expect(failed).rejects.toThrow(/^the agent could not be started: .*ENOENT/);
  });

  it('fails with what its agent wrote to standard error when that cannot begin', async () => {
    vi.stubEnv('NODE_OPTIONS', `--require ${join(directory, 'not-there.cjs')}`);
    await expect(perform(device, endless)).rejects.toThrow(
      /^the agent ended with code 1 before its task was done: [^]*not-there\.cjs/,
    );
  });

  it('fails when something else speaks on the agent’s standard output', async () => {
    const noise = join(directory, 'noise.cjs');
    await writeFile(noise, "console.log('Segmentation fault')");
    vi.stubEnv('NODE_OPTIONS', `--require ${noise}`);
    const broken = perform(device, endless);
    await expect(broken).rejects.toThrow(DeviceError);
    await expect(broken).rejects.toThrow('the agent broke the protocol: not a message: Segmentation fault');
  });
});

describe('an agent by itself', () => {
  /** Starts one as a harness would. */
  function start(): {
    child: ReturnType<typeof spawn>;
    output: Promise<string>;
    exit: Promise<number | null>;
  } {
    const child = spawn(process.execPath, [agent], { stdio: ['pipe', 'pipe', 'ignore'] });
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    const exit = new Promise<number | null>((resolve) => child.once('close', resolve));
    return { child, exit, output: exit.then(() => text) };
  }

  it('ends when nobody gives it a task', async () => {
    const { child, exit, output } = start();
    child.stdin!.end();
    expect(await exit).toBe(0);
    expect(await output).toBe('');
  });

  it.each([
    [
      'is of another version of the protocol',
      () => ({ ...endless, protocol: PROTOCOL_VERSION + 1 }),
      /protocol/,
    ],
    ['is of a kind that is not known', () => ({ ...endless, kind: 'training' }), /kind/],
  ])('refuses a task that %s, in words', async (_, task, words) => {
    const { child, exit, output } = start();
    child.stdin!.write(`${JSON.stringify(task())}\n`);
    expect(await exit).toBe(1);
    const event = JSON.parse(await output) as { event: string; reason: string };
    expect(event.event).toBe('failed');
    expect(event.reason).toMatch(words);
  });

  it('ends in the middle of its task when the harness closes its standard input', async () => {
    const { child, exit } = start();
    child.stdin!.write(`${JSON.stringify(endless)}\n`);
    await new Promise((resolve) => child.stdout!.once('data', resolve));
    child.stdin!.end();
    expect(await exit).toBe(1);
  });

  it('does not outlive a harness that is killed', async () => {
    const harness = join(directory, 'harness.mjs');
    const module = join(packageRoot(), 'dist', 'device', 'local', 'device.js');
    await writeFile(
      harness,
      `import { openLocal } from ${JSON.stringify(module)};
       const device = await openLocal({ kind: 'local', name: 'here', description: '', threads: 1, session: {} });
       const onEvent = ({ event }) => event === 'latencies' && console.log('measuring');
       const { signal } = new AbortController();
       await device.measure(${JSON.stringify(endless)}, { onEvent, signal, silenceMilliseconds: 60000 });`,
    );
    const child = spawn(process.execPath, [harness], { stdio: ['ignore', 'pipe', 'inherit'] });
    await new Promise((resolve) => child.stdout.once('data', resolve));
    const [pid] = agentsOf(child.pid);
    expect(isRunning(pid!)).toBe(true);
    child.kill('SIGKILL');
    await until('the agent ends', () => !isRunning(pid!));
  });
});
