import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * A disk of few bytes: a file system in memory, in a namespace of mounts of its own. Nobody else sees it, and it is gone with the
 * process that holds it, however this one ends.
 */
export class SmallDisk {
  private constructor(
    private readonly holder: ChildProcess,
    private readonly mounted: string,
  ) {}

  /**
   * Makes a disk.
   *
   * @param mount - words for `mount`, the place left out
   * @throws Error when it cannot be mounted
   */
  static async make(...mount: readonly string[]): Promise<SmallDisk> {
    const place = mkdtempSync(join(tmpdir(), 'edgeflex-disk-'));
    // It ends with its standard input.
    const script = 'place=$1; shift; mount "$@" "$place" && echo ready && exec cat';
    const holder = spawn('unshare', ['--mount', 'sh', '-c', script, 'sh', place, ...mount], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const [ready] = (await Promise.race([once(holder.stdout, 'data'), once(holder, 'exit')])) as unknown[];
    if (!Buffer.isBuffer(ready)) throw new Error(`nothing can be mounted at ${place}`);
    return new SmallDisk(holder, place);
  }

  /** @param bytes - of room */
  static ofSize(bytes: number): Promise<SmallDisk> {
    return SmallDisk.make('-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs');
  }

  /** Where commands that are started by `by` see it. */
  get inside(): string {
    return this.mounted;
  }

  /** Where this process sees it. */
  get outside(): string {
    return join('/proc', String(this.holder.pid), 'root', this.mounted);
  }

  /** Words before a command that let it see the disk. */
  get by(): readonly string[] {
    return ['nsenter', `--mount=/proc/${this.holder.pid}/ns/mnt`];
  }

  /** Gives the disk another size, in bytes; what lies on it stays. */
  resize(bytes: number): void {
    this.enter('mount', '-o', `remount,size=${bytes}`, this.mounted);
  }

  /** Runs a command that sees the disk. */
  enter(...command: readonly string[]): void {
    const [file = '', ...args] = [...this.by, ...command];
    execFileSync(file, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  }

  /** Takes it away with all that lies on it. */
  async close(): Promise<void> {
    const gone = once(this.holder, 'exit');
    this.holder.stdin?.end();
    await gone;
    rmdirSync(this.mounted);
  }
}
