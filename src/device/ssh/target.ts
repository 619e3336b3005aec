import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { DeviceError, messageOf } from '../../base/errors.js';

const run = promisify(execFile);

/** Whom the system's ssh is to reach. */
export interface Target {
  /** A host name, `user@host`, or an alias of the user's `~/.ssh/config`. */
  readonly host: string;
  /** A configuration file in the place of `~/.ssh/config`. */
  readonly config: string | undefined;
}

/** What ssh makes of a target, by its own configuration. */
export interface ResolvedTarget {
  readonly hostname: string;
  readonly port: string;
  /** Where ssh looks for and keeps the keys of hosts; the first one is the user's. */
  readonly knownHosts: readonly string[];
  /** The name under which the key is looked for, where the configuration names another. */
  readonly hostKeyAlias: string | undefined;
  readonly proxyJump: string | undefined;
}

/**
 * The words that select a target, for `ssh`: options, then the host. A profile's host cannot be taken for an option: the
 * schema refuses one that begins with a hyphen, and `--` stands before it.
 */
export function targetWords({ host, config }: Target): string[] {
  return [...(config === undefined ? [] : ['-F', config]), '--', host];
}

/**
 * Asks ssh what it would connect to.
 *
 * @throws DeviceError when ssh is not installed or refuses its configuration
 */
export async function resolveTarget(target: Target): Promise<ResolvedTarget> {
  let text: string;
  try {
    text = (await run('ssh', ['-G', ...targetWords(target)])).stdout;
  } catch (error) {
    const missing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    throw new DeviceError(
      missing
        ? 'there is no ssh on this machine: install the OpenSSH client'
        : `ssh refuses its configuration: ${messageOf(error)}`,
      { cause: error },
    );
  }
  const value = (key: string): string | undefined => new RegExp(`^${key} (.+)$`, 'm').exec(text)?.[1]?.trim();
  const proxyJump = value('proxyjump');
  return {
    hostname: value('hostname') ?? target.host,
    port: value('port') ?? '22',
    knownHosts: value('userknownhostsfile')?.split(' ') ?? [],
    hostKeyAlias: value('hostkeyalias'),
    proxyJump: proxyJump === 'none' ? undefined : proxyJump,
  };
}

/** How a resolved target is called: `ssh board:22`. */
export function hostOf({ hostname, port }: ResolvedTarget): string {
  return `ssh ${hostname}:${port}`;
}
