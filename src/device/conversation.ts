import type { ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { DeviceError, messageOf } from '../base/errors.js';
import { News } from '../protocol/conversation.js';
import { eventSchema, type AgentEvent } from '../protocol/events.js';
import { decodeLines, encodeLine } from '../protocol/lines.js';
import type { Task } from '../protocol/task.js';
import { agentLog } from './agent-log.js';
import { AgentError, agentSilent, errorOf, protocolBroken, type MeasureOptions } from './device.js';

/** How long an agent that was told to end may take before it is killed. */
const GRACE_MILLISECONDS = 2000;

/** Of what a dying agent wrote to its standard error, so much is kept for the reason. */
const STDERR_TAIL = 2000;

/**
 * So many characters are heard of one task: ten times what the logits of 10,000 images with 1,000 classes take, and little
 * enough that a broken or hostile agent does not fill the harness's memory.
 */
export const MAX_TASK_CHARACTERS = 512 * 1024 * 1024;

/** A process whose standard streams lead to an agent. */
export type AgentProcess = ChildProcessByStdio<Writable, Readable, Readable>;

/** An agent that was started, on this machine or on another. */
export interface Agent {
  readonly process: AgentProcess;
  /** What it says: the process's standard output, without what is not the agent's. */
  readonly output: AsyncIterable<string>;
  /** Tells it to end. */
  terminate(): void;
  /** Makes it end. */
  kill(): void;
  /**
   * What its end means when its task was not done.
   *
   * @param code - exit code of the process
   * @param signal - what killed the process
   * @param stderr - the last of what it wrote to its standard error
   */
  deathOf(code: number | null, signal: NodeJS.Signals | null, stderr: string): DeviceError;
}

/**
 * Gives a task to an agent and hears what it says until it ends.
 *
 * @param agent - has not been given anything yet
 * @param task - what to do; paths are the agent's
 * @param options - who hears its events, and what ends it
 * @throws DeviceError when the agent fails, dies, falls silent or breaks the protocol; the signal's reason when it fires
 */
export async function converse(agent: Agent, task: Task, options: MeasureOptions): Promise<void> {
  const { process } = agent;
  const end = new Ending(agent, options);
  const log = agentLog();
  let stderr = '';
  process.stderr.setEncoding('utf8').on('data', (text: string) => {
    log(process.pid, 'stderr', text);
    stderr = (stderr + text).slice(-STDERR_TAIL);
  });
  // A write to an agent that died at once fails here; its exit tells the reason.
  process.stdin.on('error', () => undefined);
  log(process.pid, 'task', encodeLine(task));
  process.stdin.write(encodeLine(task));
  const death = once(process, 'close').then(
    ([code, signal]) => agent.deathOf(code as number | null, signal as NodeJS.Signals | null, stderr.trim()),
    (error: unknown) => new DeviceError(`the agent could not be started: ${messageOf(error)}`),
  );

  let last: AgentEvent | undefined;
  const news = new News();
  try {
    for await (const event of decodeLines(eventSchema, bounded(agent.output))) {
      log(process.pid, 'event', JSON.stringify(event));
      if (news.isNew(event)) end.heard();
      last = event;
      options.onEvent(event);
    }
  } catch (error) {
    end.now(protocolBroken(error));
  }
  const dead = await death;
  end.over();
  options.signal.throwIfAborted();
  if (end.reason === undefined && last?.event === 'finished') return;
  if (end.reason === undefined && last?.event === 'failed') throw errorOf(last);
  throw end.reason ?? dead;
}

/** @throws Error when there is more than a task can have to say */
async function* bounded(chunks: AsyncIterable<string>): AsyncGenerator<string> {
  let heard = 0;
  for await (const chunk of chunks) {
    heard += chunk.length;
    if (heard > MAX_TASK_CHARACTERS) throw new Error(`more than ${MAX_TASK_CHARACTERS} bytes in one task`);
    yield chunk;
  }
}

/** Ends an agent: when the harness is told to stop, when the agent falls silent, or when it breaks the protocol. */
class Ending {
  reason: DeviceError | undefined;
  private silence: NodeJS.Timeout;
  private kill: NodeJS.Timeout | undefined;
  private silenced: NodeJS.Timeout | undefined;
  private readonly onAbort = (): void => {
    this.now(new DeviceError('stopped'));
  };

  constructor(
    private readonly agent: Agent,
    private readonly options: MeasureOptions,
  ) {
    this.silence = this.startSilence();
    options.signal.addEventListener('abort', this.onAbort);
    agent.process.once('exit', () => {
      if (this.reason !== undefined) this.silenced = setTimeout(() => this.silenceIt(), GRACE_MILLISECONDS);
    });
  }

  heard(): void {
    clearTimeout(this.silence);
    this.silence = this.startSilence();
  }

  now(reason: DeviceError): void {
    this.reason ??= reason;
    this.agent.terminate();
    this.kill ??= setTimeout(() => this.agent.kill(), GRACE_MILLISECONDS);
  }

  over(): void {
    clearTimeout(this.silence);
    clearTimeout(this.kill);
    clearTimeout(this.silenced);
    this.options.signal.removeEventListener('abort', this.onAbort);
  }

  /** What an agent has started may outlive it and hold its output open: there is nothing more to be heard. */
  private silenceIt(): void {
    const { process } = this.agent;
    process.stdout.destroy();
    process.stderr.destroy();
  }

  private startSilence(): NodeJS.Timeout {
    const { silenceMilliseconds } = this.options;
    return setTimeout(() => {
      this.now(agentSilent(silenceMilliseconds));
    }, silenceMilliseconds);
  }
}

/**
 * The error for a process of an agent that ended before its task was done.
 *
 * @param code - its exit code
 * @param signal - what killed it
 * @param stderr - what it said last on its standard error
 */
export function agentEnded(code: number | null, signal: string | null, stderr: string): AgentError {
  const text = describeExit(code, signal, stderr);
  return new AgentError(text, { kind: 'agent-ended', code, signal, text });
}

/** How a process of an agent ended before its task was done, in words. */
function describeExit(code: number | null, signal: string | null, stderr: string): string {
  const how = signal ? `was killed by ${signal}` : `ended with code ${code ?? 'unknown'}`;
  const hint = signal === 'SIGKILL' ? ' (out of memory?)' : '';
  return `the agent ${how}${hint} before its task was done${stderr && `: ${stderr}`}`;
}
