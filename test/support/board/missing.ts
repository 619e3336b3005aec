import { existsSync } from 'node:fs';

/** Why there can be no emulated board here; undefined when there can. */
export const boardIsMissing = [
  [process.platform !== 'linux' || process.geteuid!() !== 0, 'root on Linux'],
  [!existsSync('/usr/bin/qemu-aarch64-static'), 'qemu-user-static'],
  [!existsSync('/usr/sbin/sshd'), 'openssh-server'],
  [!existsSync('/usr/bin/ssh'), 'openssh-client'],
].find(([missing]) => missing)?.[1] as string | undefined;
