import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { copyFile, link, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe } from 'vitest';
import { packageRoot } from '../../../src/base/paths.js';
import { readDeviceProfile } from '../../../src/device/profile.js';
import type { SshProfile } from '../../../src/device/ssh/profile.js';
import { CacheStore } from '../../../src/cache/store.js';
import { boardPart } from '../parts.js';
import { arm64Node } from '../../../src/device/ssh/bring-node.js';

const run = promisify(execFile);
const script = join(packageRoot(), 'test', 'support', 'board', 'board.sh');

/** Kept between runs of the tests: making it takes downloads. */
const cache = join(packageRoot(), 'node_modules', '.cache', 'edgeflex-board');

/** A processor that qemu emulates. */
export interface BoardProcessor {
  /** What qemu calls it, with what it is to leave out: `max,sve=off`. */
  readonly cpu: string;
  /** Part number in `/proc/cpuinfo`. */
  readonly part: string;
  /** Features in `/proc/cpuinfo`. ONNX Runtime asks the emulator (`AT_HWCAP`) for its own. */
  readonly features: string;
}

/** How a board of a test differs from an ordinary one. */
export interface BoardOptions {
  /** No Node is installed on it. */
  readonly withoutNode?: boolean;
  /** Its disk is in memory and of this size, such as `64m`. */
  readonly diskSize?: string;
  /** Texts of files that stand in for those of the board, by their absolute paths there; they can be executed. */
  readonly files?: Readonly<Record<string, string>>;
  /** Texts of files under `/sys`, by their paths in it. */
  readonly sys?: Readonly<Record<string, string>>;
  /** Texts of programs in `/usr/local/bin`, by name. */
  readonly bin?: Readonly<Record<string, string>>;
  /** Its processor, where it is not to be a Cortex-A76. */
  readonly processor?: BoardProcessor;
  /** Further lines of the profile. */
  readonly profile?: string;
  /** Its profile does not say that it is an emulator: those share this machine's processor and are driven in turn. */
  readonly asHardware?: boolean;
  /** The host's key is not in known_hosts. */
  readonly unknown?: boolean;
}

/** Tests that need an emulated board: where there can be none they are skipped, and the closing summary says so. */
export const describeOnBoard = describe.skipIf(boardPart.missing !== undefined);

/** An emulated ARM64 board behind a real sshd, with a profile to reach it by. */
export class TestBoard {
  private constructor(
    /** What is the board's own: `home`, `sys`, keys, logs. */
    readonly state: string,
    readonly port: number,
    readonly profilePath: string,
    private readonly environment: NodeJS.ProcessEnv,
  ) {}

  /**
   * Makes a board and starts it.
   *
   * @param name - of its profile
   */
  static async start(name: string, options: BoardOptions = {}): Promise<TestBoard> {
    if (boardPart.missing) throw new Error(`no emulated board without ${boardPart.missing}`);
    const root = join(cache, 'root');
    if (!existsSync(root)) {
      await mkdir(cache, { recursive: true });
      await run(script, ['build', root]);
    }
    const state = await mkdtemp(join(tmpdir(), 'edgeflex-board-'));
    const port = await freePort();
    for (const [file, text] of [
      ...Object.entries(options.files ?? {}).map(([path, text]) => [join('files', path), text] as const),
      ...Object.entries(options.sys ?? {}).map(([path, text]) => [join('sys', path), text] as const),
      ...Object.entries(options.bin ?? {}).map(([path, text]) => [join('bin', path), text] as const),
    ]) {
      await mkdir(join(state, file, '..'), { recursive: true });
      await writeFile(join(state, file), text, { mode: 0o755 });
    }
    await mkdir(join(state, 'bin'), { recursive: true });
    const node = await arm64Node(new CacheStore(cache));
    if (!options.withoutNode && !existsSync(join(state, 'bin', 'node')))
      await link(node, join(state, 'bin', 'node')).catch(() => copyFile(node, join(state, 'bin', 'node')));

    const { diskSize, processor } = options;
    const environment = {
      ...process.env,
      ...(diskSize && { HOME_SIZE: diskSize }),
      ...(processor && {
        ...{ BOARD_CPU: processor.cpu, BOARD_PART: processor.part, BOARD_FEATURES: processor.features },
      }),
    };
    const profilePath = join(state, `${name}.yaml`);
    const board = new TestBoard(state, port, profilePath, environment);
    await board.up();
    if (!options.unknown) await board.learnKey();
    await writeFile(join(state, 'ssh_config'), board.sshConfig());
    await writeFile(
      profilePath,
      `name: ${name}\nkind: ssh\nhost: a-board\nconfig: ssh_config\nthreads: 1\nemulated: ${!options.asHardware}\n${options.profile ?? ''}`,
    );
    return board;
  }

  /** Its profile, as a run reads it. */
  async profile(): Promise<SshProfile> {
    return (await readDeviceProfile(this.profilePath)) as SshProfile;
  }

  /** Where ssh looks for its host key. */
  get knownHosts(): string {
    return join(this.state, 'known_hosts');
  }

  /** A path in the home of its user, as this machine sees it; only where its disk is not in memory. */
  home(...names: string[]): string {
    return join(this.state, 'home', ...names);
  }

  /** Switches it on. */
  async up(): Promise<void> {
    await run(script, ['up', join(cache, 'root'), this.state, String(this.port)], { env: this.environment });
  }

  /** Switches it off, as a cut of its power does. */
  async down(): Promise<void> {
    await run(script, ['down', this.state]);
  }

  /** Switches it off and forgets it. */
  async remove(): Promise<void> {
    await this.down();
    await rm(this.state, { recursive: true, force: true });
  }

  /**
   * The processes on the board whose command line has a text in it.
   *
   * @returns their numbers on this machine
   */
  processes(text: string): number[] {
    const board = namespaceOf(this.inner());
    return numbersIn('/proc').filter(
      (pid) => namespaceOf(pid) === board && textOf(`/proc/${pid}/cmdline`).includes(text),
    );
  }

  /** Does something to the board's ends of all connections: `SIGKILL` cuts them, `SIGSTOP` makes them fall silent. */
  signalLinks(signal: NodeJS.Signals): void {
    const main = this.inner();
    for (const pid of this.processes('sshd'))
      if (pid !== main && textOf(`/proc/${pid}/comm`).startsWith('sshd')) process.kill(pid, signal);
  }

  /** The first process of the board's own namespace, which is its sshd: the child of the one that made it. */
  private inner(): number {
    const outer = Number(readFileSync(join(this.state, 'pid'), 'utf8'));
    return Number(textOf(`/proc/${outer}/task/${outer}/children`).trim());
  }

  /** Writes its host key where ssh looks for it. */
  async learnKey(): Promise<void> {
    const [type, key] = (await readFile(join(this.state, 'keys', 'host.pub'), 'utf8')).split(' ');
    await writeFile(this.knownHosts, `[127.0.0.1]:${this.port} ${type!} ${key!}\n`);
  }

  private sshConfig(): string {
    return [
      'Host a-board',
      '  HostName 127.0.0.1',
      `  Port ${this.port}`,
      '  User bench',
      `  IdentityFile ${join(this.state, 'keys', 'client')}`,
      '  IdentitiesOnly yes',
      `  UserKnownHostsFile ${this.knownHosts}`,
      '  GlobalKnownHostsFile /dev/null',
      '',
    ].join('\n');
  }
}

function numbersIn(folder: string): number[] {
  return readdirSync(folder)
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

/** A file that may be gone by now. */
function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function namespaceOf(pid: number): string {
  try {
    return readlinkSync(`/proc/${pid}/ns/pid`);
  } catch {
    return '';
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
