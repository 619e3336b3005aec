import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { packageRoot } from '../../src/base/paths.js';

const PROGRAM = join(packageRoot(), 'bin', 'edgeflex.js');

/** Room for a list of all jobs. */
const MOST_OUTPUT = 64 * 2 ** 20;

/**
 * Runs a command to its end.
 *
 * @param folder - where it is started
 * @param env - what differs in its environment
 * @param words - the command's
 * @returns what it printed
 */
export async function command(
  folder: string,
  env: NodeJS.ProcessEnv,
  words: readonly string[],
): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [PROGRAM, ...words], {
    ...{ cwd: folder, env: { ...process.env, ...env }, maxBuffer: MOST_OUTPUT },
  });
  return stdout;
}

/** How long a supervisor waits, in milliseconds. */
const RESTART_MILLISECONDS = 2000;

/** A worker of the campaign, which is killed and started again. */
export class FleetWorker {
  private child: ChildProcess | undefined;
  /** Devices that it has said to be ready since it was started. */
  private readyDevices = 0;
  /** Until when the network is given time to be found again, in milliseconds since 1970. */
  private cutUntil = 0;

  /**
   * @param folder - where it is started, and has its state and its log
   * @param env - what differs in its environment
   * @param name - of the worker
   * @param devices - profiles
   * @param lease - in seconds
   * @param machine - what its command begins with: where it runs
   */
  constructor(
    private readonly folder: string,
    private readonly env: NodeJS.ProcessEnv,
    readonly name: string,
    private readonly devices: readonly string[],
    private readonly lease: number,
    private readonly machine: readonly string[],
  ) {}

  /** Starts it, unless it runs. */
  start(): void {
    if (this.child !== undefined) return;
    const log = createWriteStream(join(this.folder, `${this.name}.log`), { flags: 'a' });
    const words = [
      'worker',
      '--name',
      this.name,
      '--host',
      this.name,
      '--state',
      this.name,
      '--lease',
      `${this.lease}s`,
    ];
    this.readyDevices = 0;
    const worker = [PROGRAM, ...words, '--devices', ...this.devices];
    const [program, ...before] = [...this.machine, process.execPath];
    const child = spawn(program, [...before, ...worker], {
      ...{ cwd: this.folder, env: { ...process.env, ...this.env }, stdio: ['ignore', 'ignore', 'pipe'] },
    });
    this.child = child;
    createInterface(child.stderr)
      .on('line', (line) => {
        log.write(`${new Date().toISOString()} ${line}\n`);
        if (line.endsWith(' is ready')) this.readyDevices++;
      })
      .on('close', () => log.end());
    // As a supervisor would: one that finds no database when it is started ends.
    child.on('exit', () => {
      if (this.child !== child) return;
      setTimeout(() => {
        if (this.child === child) this.restart();
      }, RESTART_MILLISECONDS).unref();
    });
  }

  private restart(): void {
    this.child = undefined;
    this.start();
  }

  /** Whether it drives all of its devices, and nothing is wrong with its network. */
  get isReady(): boolean {
    const runs = this.child?.exitCode === null;
    return runs && this.readyDevices >= this.devices.length && Date.now() > this.cutUntil;
  }

  /** Says that its network is cut, or will have been mended by a moment, in milliseconds since 1970. */
  cutOff(until: number): void {
    this.cutUntil = until;
  }

  /** Kills it. @returns whether it ran */
  async kill(): Promise<boolean> {
    const { child } = this;
    if (child === undefined) return false;
    this.child = undefined;
    if (child.exitCode !== null || child.signalCode !== null) return false;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
    return true;
  }

  /** All that it has said. */
  log(): Promise<string> {
    return readFile(join(this.folder, `${this.name}.log`), 'utf8');
  }

  /** Removes what it had measured and not delivered. */
  async forget(): Promise<void> {
    await rm(join(this.folder, this.name), { recursive: true, force: true });
  }
}
