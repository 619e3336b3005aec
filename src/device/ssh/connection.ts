import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { DeviceError, messageOf } from '../../base/errors.js';
import { temporaryFolder } from '../../base/temporary.js';
import { guideEnvironment } from '../agent-environment.js';
import type { AgentProcess } from '../conversation.js';
import { LinkLost } from '../device.js';
import { afterMarker } from './marker.js';
import { scriptCommand } from './quote.js';
import { refusalOf } from './refusal.js';
import { hostOf, resolveTarget, targetWords, type ResolvedTarget, type Target } from './target.js';

/** A link that answers nothing for three times so many seconds is lost. */
const ALIVE_SECONDS = 5;

/** Reaching a board, its greeting and its shell included, may take so long. */
const CONNECT_MILLISECONDS = 30_000;

/** What a command on the board may print; the longest of ours prints some KiB. */
const MAX_OUTPUT = 1024 * 1024;

/** A connection that was told to end may take so long before it is killed. */
const CLOSE_MILLISECONDS = 2000;

/** What ssh ends with when not the command but the connection failed. */
export const SSH_FAILED = 255;

/**
 * Options of every connection. What they fix, a configuration file cannot loosen: host keys are verified, nobody is asked for
 * a password, nothing of this machine is forwarded to the board.
 */
const OPTIONS = [
  'BatchMode=yes',
  'StrictHostKeyChecking=yes',
  'UpdateHostKeys=no',
  'ConnectTimeout=15',
  `ServerAliveInterval=${ALIVE_SECONDS}`,
  'ServerAliveCountMax=3',
  'ForwardAgent=no',
  'ForwardX11=no',
  'ClearAllForwardings=yes',
  'PermitLocalCommand=no',
  'RemoteCommand=none',
  'RequestTTY=no',
  'EscapeChar=none',
  'ControlPersist=no',
];

/** How a command on the board ended and what it printed. */
export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * One connection to a board through the system's ssh, which every command shares.
 *
 * It ends by itself when the harness does: its own command on the board waits for its standard input to close.
 */
export class Connection {
  private constructor(
    readonly target: ResolvedTarget,
    private readonly words: readonly string[],
    private readonly folder: string,
    private readonly master: AgentProcess,
    private readonly saidLast: () => string,
  ) {}

  /**
   * Connects.
   *
   * @param name - of the device, for messages
   * @param target - whom to
   * @throws DeviceError that says why it cannot be, and what to do
   */
  static async open(name: string, target: Target): Promise<Connection> {
    const resolved = await resolveTarget(target);
    // Sockets have short names only, and must be in a folder that is nobody else's.
    const folder = await temporaryFolder('ssh');
    const socket = ['-o', `ControlPath=${join(folder, 's')}`];
    const marker = newMarker();
    const master = spawnSsh(
      ['-o', 'ControlMaster=yes', '-o', 'LogLevel=INFO', ...socket, ...targetWords(target)],
      scriptCommand('echo "$1"; exec cat >/dev/null', [marker]),
    );
    let stderr = '';
    master.stderr.setEncoding('utf8').on('data', (text: string) => (stderr = (stderr + text).slice(-8192)));
    master.stdin.on('error', () => undefined);
    const patience = setTimeout(() => master.kill('SIGKILL'), CONNECT_MILLISECONDS);
    const exit = once(master, 'exit').catch((error: unknown) => (stderr += messageOf(error)));
    try {
      const begun = await afterMarker(textOf(master.stdout), marker).next();
      if (begun.done) {
        await exit;
        throw refusalOf(name, resolved, stderr);
      }
    } catch (error) {
      master.kill('SIGKILL');
      await rm(folder, { recursive: true, force: true });
      throw error instanceof DeviceError ? error : new DeviceError(`device ${name}: ${messageOf(error)}`);
    } finally {
      clearTimeout(patience);
    }
    // A client whose shared connection is gone must not open one of its own: it could only hide that the link was lost.
    const client = [...socket, '-o', 'ControlMaster=no', '-o', 'ProxyCommand=false', '-o', 'LogLevel=ERROR'];
    return new Connection(resolved, [...client, ...targetWords(target)], folder, master, () => stderr);
  }

  /** Whether the link still stands, as far as ssh knows. */
  get alive(): boolean {
    return this.master.exitCode === null && this.master.signalCode === null;
  }

  /** The error for a link that is no more. */
  lost(): LinkLost {
    const why = this.saidLast().trim().split('\n').at(-1)?.trim() ?? '';
    return new LinkLost(`the link to ${hostOf(this.target)} was lost${why && `: ${why}`}`);
  }

  /**
   * Starts a script on the board whose standard streams are the process's.
   *
   * @param script - for a POSIX shell; a constant of the code
   * @param args - its `$1`, `$2` …
   */
  start(script: string, args: readonly string[]): { process: AgentProcess; output: AsyncIterable<string> } {
    const marker = newMarker();
    const command = scriptCommand(`echo "$1"; shift; ${script}`, [marker, ...args]);
    const process = spawnSsh(this.words, command);
    process.stdin.on('error', () => undefined);
    return { process, output: afterMarker(textOf(process.stdout), marker) };
  }

  /**
   * Runs a script on the board to its end.
   *
   * @param script - for a POSIX shell; a constant of the code
   * @param args - its `$1`, `$2` …
   * @param input - goes to its standard input
   * @throws LinkLost when the link is no more; DeviceError when it prints more than ours do, or ends in no time
   */
  async run(
    script: string,
    args: readonly string[],
    { input, seconds = 60 }: RunOptions = {},
  ): Promise<Outcome> {
    const { process, output } = this.start(script, args);
    let stderr = '';
    process.stderr.setEncoding('utf8').on('data', (text: string) => (stderr = (stderr + text).slice(-8192)));
    const exit = once(process, 'exit') as Promise<[number | null]>;
    // Whatever goes wrong below, nobody waits for it then.
    exit.catch(() => undefined);
    const patience = setTimeout(() => process.kill('SIGKILL'), seconds * 1000);
    try {
      const given = input === undefined ? undefined : pipeline(input, process.stdin).catch(() => undefined);
      if (given === undefined) process.stdin.end();
      let stdout = '';
      for await (const text of output) {
        stdout += text;
        if (stdout.length > MAX_OUTPUT)
          throw new DeviceError(`${hostOf(this.target)} answered with more than ${MAX_OUTPUT} bytes`);
      }
      const [code] = await exit;
      await given;
      if (code === SSH_FAILED) throw this.lost();
      if (code === null) throw new DeviceError(`${hostOf(this.target)} did not answer within ${seconds} s`);
      return { code, stdout, stderr: stderr.trim() };
    } catch (error) {
      process.kill('SIGKILL');
      throw error instanceof DeviceError ? error : new DeviceError(messageOf(error), { cause: error });
    } finally {
      clearTimeout(patience);
    }
  }

  /** Ends the connection, and with it whatever still runs over it. */
  async close(): Promise<void> {
    if (this.alive) {
      const exit = once(this.master, 'exit');
      this.master.stdin.end();
      const patience = setTimeout(() => this.master.kill('SIGKILL'), CLOSE_MILLISECONDS);
      await exit;
      clearTimeout(patience);
    }
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** How a script is run. */
export interface RunOptions {
  readonly input?: AsyncIterable<Uint8Array>;
  /** It is given up after so long. */
  readonly seconds?: number;
}

function spawnSsh(words: readonly string[], command: string): AgentProcess {
  const options = OPTIONS.flatMap((option) => ['-o', option]);
  return spawn('ssh', ['-T', ...options, ...words, command], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: guideEnvironment(),
  });
}

function textOf(stream: Readable): AsyncIterable<string> {
  return stream.setEncoding('utf8') as AsyncIterable<string>;
}

function newMarker(): string {
  return `edgeflex ${randomBytes(16).toString('hex')}`;
}
