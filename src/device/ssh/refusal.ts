import { DeviceError } from '../../base/errors.js';
import type { ResolvedTarget } from './target.js';

/** A board that does not answer; it may later. */
export class Unreachable extends DeviceError {}

/** The places where systems keep the public keys that a host shows; ed25519 is what ssh prefers. */
const HOST_KEYS = '/etc/ssh/ssh_host_*_key.pub';

/**
 * Why ssh could not connect, in words that say what to do.
 *
 * @param name - of the device
 * @param target - whom it was to reach
 * @param stderr - what ssh said
 */
export function refusalOf(name: string, target: ResolvedTarget, stderr: string): DeviceError {
  const { hostname, port } = target;
  const where = `device ${name} (${hostname} port ${port})`;
  if (stderr.includes('REMOTE HOST IDENTIFICATION HAS CHANGED')) return changedKey(where, target, stderr);
  if (/No \S+ host key is known for/.test(stderr)) return unknownKey(where, target);
  if (stderr.includes('Host key verification failed'))
    return new DeviceError(`${where}: ssh refuses its host key: ${lastLine(stderr)}`);
  if (stderr.includes('Permission denied'))
    return new DeviceError(
      `${where}: it accepts none of your keys: ${lastLine(stderr)}\n` +
        'Passwords are never asked for: put your public key there once with ssh-copy-id, or name the key in ~/.ssh/config (IdentityFile).',
    );
  return new Unreachable(`${where} cannot be reached: ${lastLine(stderr) || 'ssh did not say why'}`);
}

function unknownKey(where: string, target: ResolvedTarget): DeviceError {
  const { knownHosts } = target;
  const scan = scanCommand(target);
  return new DeviceError(
    `${where}: its host key is not known, and an unknown one is not trusted.\n` +
      `See the fingerprint it shows:            ${scan} | ssh-keygen -lf -\n` +
      `Compare it, on the board itself, with:   for key in ${HOST_KEYS}; do ssh-keygen -lf $key; done\n` +
      `If they are the same, add the key:       ${scan} >> ${knownHosts[0] ?? '~/.ssh/known_hosts'}`,
  );
}

function changedKey(where: string, target: ResolvedTarget, stderr: string): DeviceError {
  const { hostname, port, hostKeyAlias } = target;
  const file =
    /^Offending \S+ key in (.+):\d+$/m.exec(stderr)?.[1] ?? target.knownHosts[0] ?? '~/.ssh/known_hosts';
  const fingerprint = /^(SHA256:\S+?)\.?$/m.exec(stderr)?.[1];
  const known = hostKeyAlias ?? (port === '22' ? hostname : `[${hostname}]:${port}`);
  return new DeviceError(
    `${where}: ITS HOST KEY HAS CHANGED. Another machine may be answering in its place; nothing was sent to it.\n` +
      (fingerprint === undefined ? '' : `It shows ${fingerprint}\n`) +
      `Only if you know why (the board was set up anew), forget the old key:   ssh-keygen -R '${known}' -f '${file}'\n` +
      `and add the new one after comparing it, on the board itself, with:      for key in ${HOST_KEYS}; do ssh-keygen -lf $key; done`,
  );
}

/** The command that prints a host's keys as `known_hosts` holds them. */
function scanCommand({ hostname, port, hostKeyAlias, proxyJump }: ResolvedTarget): string {
  const scan = `ssh-keyscan ${port === '22' ? '' : `-p ${port} `}${hostname}`;
  const reached = proxyJump === undefined ? scan : `ssh ${proxyJump} ${scan}`;
  return hostKeyAlias === undefined ? reached : `${reached} | sed 's/^[^ ]*/${hostKeyAlias}/'`;
}

/** ssh says the cause last. */
function lastLine(stderr: string): string {
  return stderr.trim().split('\n').at(-1)?.trim() ?? '';
}
