import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { packageRoot } from '../../base/paths.js';
import type { Task } from '../../protocol/task.js';
import { agentEnvironment } from '../agent-environment.js';
import { NODE_FLAGS } from '../agent-flags.js';
import { agentEnded, converse, type AgentProcess } from '../conversation.js';
import { THIS_MACHINE, type Device, type MeasureOptions } from '../device.js';
import { int8Precision } from '../int8-precision.js';
import { threadsOf } from '../processors.js';
import type { DeviceProfile } from '../kind.js';
import { localEnvironment } from './environment.js';

/** The agent's program. */
const ENTRY = join(packageRoot(), 'dist', 'agent', 'agent.mjs');

/**
 * This machine: every task runs in a child process of its own.
 *
 * @param profile - threads and session options
 * @param entry - the agent's program; another one is of use to measure the harness itself
 */
export async function openLocal(profile: DeviceProfile, entry = ENTRY): Promise<Device> {
  const environment = await localEnvironment();
  const threads = threadsOf(profile.threads, environment);
  return {
    profile,
    host: THIS_MACHINE,
    environment,
    target: 'cpu',
    runsNode: true,
    session: { ...int8Precision(environment), ...profile.session, threads },
    measure: (task, options) => measure(entry, task, options),
    close: () => Promise.resolve(),
  };
}

async function measure(entry: string, task: Task, options: MeasureOptions): Promise<void> {
  options.signal.throwIfAborted();
  const agent: AgentProcess = spawn(process.execPath, [...NODE_FLAGS, entry], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: agentEnvironment({ ORT_DISABLE_TELEMETRY: '1' }),
  });
  await converse(
    {
      process: agent,
      output: agent.stdout.setEncoding('utf8') as AsyncIterable<string>,
      terminate: () => agent.kill('SIGTERM'),
      kill: () => agent.kill('SIGKILL'),
      deathOf: agentEnded,
    },
    task,
    options,
  );
}
