import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { DeviceError, messageOf } from '../../base/errors.js';
import { packageRoot } from '../../base/paths.js';
import { eventSchema, type AgentEvent } from '../../protocol/events.js';
import { decodeLines, encodeLine } from '../../protocol/lines.js';
import type { Task } from '../../protocol/task.js';
import { THIS_MACHINE, type Device, type MeasureOptions } from '../device.js';
import type { DeviceProfile } from '../profile.js';
import { localEnvironment } from './environment.js';

/** How long an agent that was told to end may take before it is killed. */
const GRACE_MILLISECONDS = 2000;

/** Of what a dying agent wrote to its standard error, so much is kept for the reason. */
const STDERR_TAIL = 2000;

/**
 * The agent asks for a garbage collection before the model is loaded, and its own garbage between queries is collected early:
 * with Node's default it grows by several MiB that would be taken for the model's.
 */
const NODE_FLAGS = ['--expose-gc', '--max-semi-space-size=1'];

type Agent = ChildProcessByStdio<Writable, Readable, Readable>;

/** The agent's program. */
const ENTRY = join(packageRoot(), 'dist', 'agent', 'node.js');

/**
 * This machine: every task runs in a child process of its own.
 *
 * @param profile - threads and session options
 * @param entry - the agent's program; another one is of use to measure the harness itself
 */
export async function openLocal(profile: DeviceProfile, entry = ENTRY): Promise<Device> {
  const environment = await localEnvironment();
  const threads = profile.threads ?? environment.cpu.physicalCores;
  return {
    profile,
    place: THIS_MACHINE,
    environment,
    session: { ...profile.session, threads },
    measure: (task, options) => measure(entry, task, options),
    close: () => Promise.resolve(),
  };
}

async function measure(entry: string, task: Task, options: MeasureOptions): Promise<void> {
  options.signal.throwIfAborted();
  const agent: Agent = spawn(process.execPath, [...NODE_FLAGS, entry], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, ORT_DISABLE_TELEMETRY: '1' },
  });
  const end = new Ending(agent, options);
  let stderr = '';
  agent.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-STDERR_TAIL);
  });
  // A write to an agent that died at once fails here; its exit tells the reason.
  agent.stdin.on('error', () => undefined);
  agent.stdin.write(encodeLine(task));
  const death = once(agent, 'exit').then(
    ([code, signal]) => deathOf(code as number | null, signal as NodeJS.Signals | null),
    (error: unknown) => `could not be started: ${messageOf(error)}`,
  );

  let last: AgentEvent | undefined;
  let broken: string | undefined;
  try {
    for await (const event of decodeLines(
      eventSchema,
      agent.stdout.setEncoding('utf8') as AsyncIterable<string>,
    )) {
      end.heard();
      last = event;
      options.onEvent(event);
    }
  } catch (error) {
    broken = messageOf(error);
    end.now(`the agent broke the protocol: ${broken}`);
  }
  const how = await death;
  end.over();
  options.signal.throwIfAborted();
  if (last?.event === 'finished') return;
  if (last?.event === 'failed') throw new DeviceError(last.reason);
  const words = stderr.trim();
  throw new DeviceError(end.reason ?? `the agent ${how}${words && `: ${words}`}`);
}

/** Ends an agent: when the harness is told to stop, when the agent falls silent, or when it breaks the protocol. */
class Ending {
  reason: string | undefined;
  private silence: NodeJS.Timeout;
  private kill: NodeJS.Timeout | undefined;
  private readonly onAbort = (): void => {
    this.now('stopped');
  };

  constructor(
    private readonly agent: Agent,
    private readonly options: MeasureOptions,
  ) {
    this.silence = this.startSilence();
    options.signal.addEventListener('abort', this.onAbort);
  }

  heard(): void {
    clearTimeout(this.silence);
    this.silence = this.startSilence();
  }

  now(reason: string): void {
    this.reason ??= reason;
    this.agent.kill('SIGTERM');
    this.kill ??= setTimeout(() => this.agent.kill('SIGKILL'), GRACE_MILLISECONDS);
  }

  over(): void {
    clearTimeout(this.silence);
    clearTimeout(this.kill);
    this.options.signal.removeEventListener('abort', this.onAbort);
  }

  private startSilence(): NodeJS.Timeout {
    const { silenceMilliseconds } = this.options;
    return setTimeout(() => {
      this.now(`the agent said nothing for ${Math.round(silenceMilliseconds / 1000)} s`);
    }, silenceMilliseconds);
  }
}

function deathOf(code: number | null, signal: NodeJS.Signals | null): string {
  const how = signal ? `was killed by ${signal}` : `ended with code ${code ?? 'unknown'}`;
  const hint = signal === 'SIGKILL' ? ' (out of memory?)' : '';
  return `${how}${hint} before its task was done`;
}
