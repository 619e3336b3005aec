import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { openSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
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
  private startedAt = 0;

  /**
   * @param folder - where it is started, and has its state and its log
   * @param env - what differs in its environment
   * @param name - of the worker
   * @param devices - profiles
   * @param lease - in seconds
   */
  constructor(
    private readonly folder: string,
    private readonly env: NodeJS.ProcessEnv,
    readonly name: string,
    private readonly devices: readonly string[],
    private readonly lease: number,
  ) {}

  /** Starts it, unless it runs. */
  start(): void {
    if (this.child !== undefined) return;
    const log = openSync(join(this.folder, `${this.name}.log`), 'a');
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
    this.startedAt = Date.now();
    const child = spawn(process.execPath, [PROGRAM, ...words, '--devices', ...this.devices], {
      ...{ cwd: this.folder, env: { ...process.env, ...this.env }, stdio: ['ignore', log, log] },
    });
    this.child = child;
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

  /** For how long it has been running, in seconds; 0 when it does not. */
  get upSeconds(): number {
    return this.child?.exitCode === null ? (Date.now() - this.startedAt) / 1000 : 0;
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
