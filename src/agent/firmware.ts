import { execFileSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** What the Raspberry Pi's firmware says of now, by its bits. */
const BITS = ['under-voltage', 'frequency capped', 'throttled', 'soft temperature limit'] as const;

/** The Raspberry Pi's program that asks the firmware. */
const PROGRAM = 'vcgencmd';

/** It answers in some milliseconds. */
const PATIENCE_MILLISECONDS = 2000;

/**
 * What a text of the firmware says: `50005` (the kernel's file) or `throttled=0x50005` (the program).
 *
 * @returns undefined where it says nothing
 */
export function heldBack(text: string): string[] | undefined {
  const hex = /^\s*(?:throttled=)?(?:0x)?([0-9a-f]{1,8})\s*$/i.exec(text)?.[1];
  if (hex === undefined) return undefined;
  const bits = Number.parseInt(hex, 16);
  return BITS.filter((_, bit) => (bits >>> bit) & 1);
}

/**
 * The program that tells what the firmware holds back, for kernels that have no file for it. It may not be allowed to ask; then
 * it is not started again.
 */
export class FirmwareProgram {
  private program: string | undefined;

  /** @param path - folders of programs, as in PATH */
  constructor(path: string) {
    this.program = path
      .split(delimiter)
      .filter((folder) => folder !== '')
      .map((folder) => join(folder, PROGRAM))
      .find(canRun);
  }

  /** @returns undefined where there is none, or it does not tell */
  ask(): string[] | undefined {
    if (this.program === undefined) return undefined;
    try {
      const text = execFileSync(this.program, ['get_throttled'], {
        ...{ encoding: 'latin1', stdio: ['ignore', 'pipe', 'ignore'] },
        ...{ timeout: PATIENCE_MILLISECONDS, maxBuffer: 4096 },
      });
      return heldBack(text);
    } catch {
      this.program = undefined;
      return undefined;
    }
  }
}

function canRun(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
