import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { basename } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { hashJson } from '../../base/hash.js';
import { isTimedTask, type PrepareTask, type Task } from '../../protocol/task.js';
import { NODE_FLAGS } from '../agent-flags.js';
import { agentEnded, converse } from '../conversation.js';
import { THIS_MACHINE, type AgentError, type Device, type MeasureOptions } from '../device.js';
import { int8Precision } from '../int8-precision.js';
import { threadsOf } from '../processors.js';
import type { SshProfile } from './profile.js';
import { Connection, SSH_FAILED } from './connection.js';
import { boardEnvironment } from './environment.js';
import { BoardLock } from './lock.js';
import { Metering, readMeter } from './meter.js';
import { probe } from './probe.js';
import { clustersOf } from './processor.js';
import { Unreachable } from './refusal.js';
import { hostOf } from './target.js';
import { setUp, type Workplace } from './workplace.js';

/** So long between two attempts to reach it. */
const RETRY_SECONDS = 3;

/** The agent ends when it hears nothing from the harness for so long, and hears something so often. */
const LEASE_SECONDS = 40;
const HEARTBEAT_SECONDS = 10;

/** How often a board that cools down is asked how warm it is. */
const COOLING_SECONDS = 5;

/** `$1`: the run's folder, then the agent's command. The agent tells its number and its end; its garbage is the run's. */
const AGENT = `
cd -- "$1" || exit 1
export TMPDIR="$1/tmp" ORT_DISABLE_TELEMETRY=1
shift
sh -c 'echo $$ >pid && exec "$@"' agent "$@"
code=$?
rm -f pid
exit $code`;

/** `$1`: the run's folder, `$2`: the agent's file. Kills an agent of the run; another program may have its number by now. */
const KILL = `
pid=$(cat "$1/pid" 2>/dev/null) || exit 0
tr '\\000' '\\n' <"/proc/$pid/cmdline" 2>/dev/null | grep -qxF -- "$2" && kill -KILL "$pid"
rm -f "$1/pid"
exit 0`;

/** `$1`: the run's folder. */
const REMOVE = 'rm -rf -- "$1"';

/**
 * Reaches a board over SSH and gets it ready: every task runs there, in a process of its own.
 *
 * @param profile - how
 * @param leaseSeconds - how long an agent lives that hears nothing; tests wait for shorter
 * @throws DeviceError that says why it cannot be used, and what to do
 */
export async function openSsh(profile: SshProfile, leaseSeconds = LEASE_SECONDS): Promise<Device> {
  const board = new Board(profile, leaseSeconds);
  try {
    const workplace = await board.begin();
    const { facts, nodeVersion } = workplace;
    const environment = await boardEnvironment(facts, nodeVersion, profile.emulated);
    const threads = threadsOf(profile.threads, environment, clustersOf(facts)[0]?.cores.length);
    return {
      profile,
      // An emulator takes this machine's processor.
      host: profile.emulated ? THIS_MACHINE : board.host,
      environment,
      target: 'cpu',
      runsNode: true,
      session: { ...int8Precision(environment), ...profile.session, threads },
      measure: (task, options) => board.measure(task, workplace, options),
      close: () => board.close(),
    };
  } catch (error) {
    await board.close();
    throw error;
  }
}

/** A board and the link to it. */
class Board {
  private connection: Connection | undefined;
  private lock: BoardLock | undefined;
  /** Undefined until the board is ready. */
  private workplace: Workplace | undefined;
  /** It did not come back: it gets one chance more for each task, and no time. */
  private gone = false;
  /** Batches that were prepared on the board, by the name that the harness gave them. */
  private readonly prepared = new Map<string, { readonly task: PrepareTask; readonly path: string }>();

  constructor(
    private readonly profile: SshProfile,
    private readonly leaseSeconds: number,
  ) {}

  /** @throws Error before it was reached */
  get host(): string {
    if (this.connection === undefined) throw new Error('the board was not reached');
    return hostOf(this.connection.target);
  }

  async begin(): Promise<Workplace> {
    if (this.profile.meter) await readMeter(this.profile.meter);
    await this.link();
    return (this.workplace = await setUp(() => this.link(), this.profile));
  }

  async close(): Promise<void> {
    const { connection, workplace } = this;
    if (connection?.alive && workplace) {
      await connection.run(KILL, [workplace.run, workplace.agent]).catch(() => undefined);
      await connection.run(REMOVE, [workplace.run]).catch(() => undefined);
    }
    // A lock that cannot be given back expires; the connection is this machine's and must end.
    try {
      await this.lock?.release();
    } finally {
      await connection?.close();
    }
  }

  async measure(task: Task, workplace: Workplace, options: MeasureOptions): Promise<void> {
    const { signal } = options;
    signal.throwIfAborted();
    // Whatever is on its way to the board ends with the link.
    const cut = (): void => void this.connection?.close();
    signal.addEventListener('abort', cut);
    let there: Task;
    try {
      await this.link(signal);
      there = await this.bring(task, workplace, options);
      if (isTimedTask(task)) await this.coolDown(signal);
    } finally {
      signal.removeEventListener('abort', cut);
    }
    if (isTimedTask(task) && this.profile.meter)
      await this.metered(this.profile.meter, there, workplace, options);
    else await this.perform(there, workplace, options);
    if (task.kind === 'prepare' && there.kind === 'prepare')
      this.prepared.set(task.output, { task, path: there.output });
  }

  private async metered(
    meter: readonly string[],
    task: Task,
    workplace: Workplace,
    options: MeasureOptions,
  ): Promise<void> {
    const metering = new Metering(meter, (event) => options.onEvent(event));
    try {
      await this.perform(task, workplace, { ...options, onEvent: (event) => metering.hear(event) });
    } finally {
      await metering.stop();
    }
  }

  /** Gives a task, whose paths are the board's, to a fresh agent there. */
  private async perform(task: Task, workplace: Workplace, options: MeasureOptions): Promise<void> {
    options.signal.throwIfAborted();
    const { node, agent, run } = workplace;
    const link = await this.link(options.signal);
    const lease = `--lease=${this.leaseSeconds}`;
    const { process, output } = link.start(AGENT, [run, node, ...NODE_FLAGS, agent, lease]);
    const heartbeat = setInterval(() => process.stdin.write('\n'), HEARTBEAT_SECONDS * 1000);
    try {
      await converse(
        {
          process,
          output,
          terminate: () => process.stdin.end(),
          kill: () => {
            void link
              .run(KILL, [run, agent], { seconds: 10 })
              .catch(() => undefined)
              .then(() => process.kill('SIGKILL'));
          },
          deathOf: (code, signal, stderr) =>
            code === SSH_FAILED ? link.lost() : deathOnBoard(code, signal, stderr),
        },
        task,
        options,
      );
    } finally {
      clearInterval(heartbeat);
    }
  }

  /**
   * Brings what a task needs to the board.
   *
   * @returns the task with the board's paths
   */
  private async bring(task: Task, workplace: Workplace, options: MeasureOptions): Promise<Task> {
    const { run } = workplace;
    switch (task.kind) {
      case 'placement':
        return task;
      case 'prepare': {
        const preprocess = await this.model(task.preprocess, workplace);
        const output = `${run}/inputs-${this.prepared.size}.bin`;
        return { ...task, preprocess, images: await this.images(task, workplace), output };
      }
      case 'accuracy': {
        const preprocess = await this.model(task.preprocess, workplace);
        const model = await this.model(task.model, workplace);
        return { ...task, preprocess, model, images: await this.images(task, workplace) };
      }
      case 'kernels':
      case 'memory':
      case 'performance':
      case 'server':
      case 'offline': {
        const model = await this.model(task.model, workplace);
        return { ...task, model, inputs: await this.inputs(task.inputs, workplace, options) };
      }
    }
  }

  private async images(
    { images }: Pick<PrepareTask, 'images'>,
    { files }: Workplace,
  ): Promise<PrepareTask['images']> {
    const there: PrepareTask['images']['files'] = [];
    for (const { path, records } of images.files) there.push({ path: await files.put(path), records });
    return { ...images, files: there };
  }

  /** A model and the weights beside it, under their own names in a folder of their own: one names the other. */
  private async model(path: string, { files }: Workplace): Promise<string> {
    const there = new Map<string, string>();
    for (const file of [path, `${path}.data`])
      if (existsSync(file)) there.set(basename(file), await files.put(file));
    const name = `models/${hashJson([...there]).slice(0, 32)}`;
    return `${await files.arrange(name, there)}/${basename(path)}`;
  }

  /** A batch: prepared on the board, where it stays; made once more if the board lost it. Or a file of this machine. */
  private async inputs(path: string, workplace: Workplace, options: MeasureOptions): Promise<string> {
    const prepared = this.prepared.get(path);
    if (prepared === undefined) return workplace.files.put(path);
    const link = await this.link();
    const { code } = await link.run('[ -s "$1" ]', [prepared.path]);
    if (code !== 0)
      await this.perform(await this.bring(prepared.task, workplace, options), workplace, {
        ...options,
        onEvent: () => undefined,
      });
    return prepared.path;
  }

  /** Lets the board rest until it is cool enough, or for as long as the profile says. */
  private async coolDown(signal: AbortSignal): Promise<void> {
    const { coolDown, folder } = this.profile;
    if (coolDown === undefined) return;
    const end = performance.now() + coolDown.seconds * 1000;
    for (;;) {
      const { temperature } = await probe(await this.link(), folder, 'node');
      if (temperature !== undefined && temperature <= coolDown.temperature) return;
      const left = end - performance.now();
      if (left <= 0) return;
      await sleep(Math.min(left, COOLING_SECONDS * 1000), undefined, { signal });
    }
  }

  /** The connection with the board's lock, or another one when it broke; then the agents that it left are killed. */
  private async link(signal?: AbortSignal): Promise<Connection> {
    const { profile, workplace } = this;
    if (this.connection?.alive) {
      // A harness that slept for minutes may have lost its lock to another.
      if (!this.lock?.held) this.lock = await BoardLock.take(this.connection, profile.name);
      return this.connection;
    }
    await this.connection?.close();
    const connection = await (this.connection ? this.reconnect(signal) : this.connect());
    try {
      this.lock = await BoardLock.take(connection, profile.name);
    } catch (error) {
      await connection.close();
      throw error;
    }
    this.connection = connection;
    if (workplace) {
      await connection.run(KILL, [workplace.run, workplace.agent]);
      await connection.run('mkdir -p -- "$1/tmp"', [workplace.run]);
      workplace.files.forget();
    }
    return connection;
  }

  private async reconnect(signal?: AbortSignal): Promise<Connection> {
    const end = performance.now() + (this.gone ? 0 : this.profile.restart * 1000);
    for (;;) {
      signal?.throwIfAborted();
      try {
        const connection = await this.connect();
        this.gone = false;
        return connection;
      } catch (error) {
        if (!(error instanceof Unreachable) || performance.now() >= end) {
          this.gone = true;
          throw error;
        }
        await sleep(RETRY_SECONDS * 1000, undefined, { signal });
      }
    }
  }

  private connect(): Promise<Connection> {
    const { name, host, config } = this.profile;
    return Connection.open(name, { host, config });
  }
}

/** The shell tells a signal by a code of 128 and its number. */
function deathOnBoard(code: number | null, signal: NodeJS.Signals | null, stderr: string): AgentError {
  const number = (code ?? 0) - 128;
  const name = Object.entries(constants.signals).find(([, value]) => value === number)?.[0];
  return agentEnded(code, name ?? signal, stderr);
}
