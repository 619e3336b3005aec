import { spawn } from 'node:child_process';
import { expect, it, onTestFinished } from 'vitest';
import { agentEnded, converse } from '../../src/device/conversation.js';
import type { Task } from '../../src/protocol/task.js';
import { taskBase } from '../support/tasks.js';

const task: Task = {
  ...{ kind: 'kernels', ...taskBase, model: 'm.onnx', batch: 1, microBatch: 1, inputs: 'i.bin', runs: 1 },
};

const options = { onEvent: () => undefined, silenceMilliseconds: 500 };

it.each([
  ['falls silent', new AbortController().signal, 'the agent said nothing new'],
  ['is stopped', AbortSignal.timeout(500), 'aborted'],
])(
  'an agent that %s ends, though what it started lives on and holds its output',
  async (_, signal, said) => {
    // In a group of its own, all of which ends with the test.
    const child = spawn('sh', ['-c', 'sleep 300 & exec sleep 300'], {
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: true,
    });
    onTestFinished(() => void process.kill(-(child.pid ?? NaN), 'SIGKILL'));
    const agent = {
      process: child,
      output: child.stdout.setEncoding('utf8') as AsyncIterable<string>,
      terminate: () => void child.stdin.end(),
      kill: () => void child.kill('SIGKILL'),
      deathOf: agentEnded,
    };
    await expect(converse(agent, task, { ...options, signal })).rejects.toThrow(said);
  },
  30_000,
);
