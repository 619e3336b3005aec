/**
 * What was wrong with something that came from outside: which file (or flag), which place in it,
 * what was found there and what was expected instead.
 */
export interface InputFault {
  /** The file, directory, flag or message that was read. */
  readonly source: string;
  /** The place inside the source: a key path, a byte offset, a tensor's name, a record number. */
  readonly place?: string;
  /** What was found. */
  readonly found: string;
  /** What would have been accepted. */
  readonly expected: string;
  /** What the user can do about it, as a full sentence. */
  readonly hint?: string;
}

/** Bad usage or bad input: shown as one message without a stack trace, exit code 2. */
export class InputError extends Error {
  override readonly name: string = 'InputError';

  constructor(readonly fault: InputFault) {
    const where = fault.place === undefined ? fault.source : `${fault.source}: ${fault.place}`;
    const hint = fault.hint === undefined ? '' : `\n${fault.hint}`;
    super(`${where}: found ${fault.found}; expected ${fault.expected}${hint}`);
  }
}

/**
 * The machine has run out of something that EdgeFlex needs: space on a disk, file descriptors, memory. Nobody's input is wrong and
 * no code is; the message says what ran out, where, and how to go on. Exit code 3.
 */
export class ResourceError extends Error {
  override readonly name = 'ResourceError';
}

/** A device could not be opened, or a cell could not be measured on it: exit code 3. */
export class DeviceError extends Error {
  override readonly name: string = 'DeviceError';
}

/** A device cannot run a model at all, and has said so before it began; the message says why. */
export class UnsupportedError extends DeviceError {
  override readonly name = 'UnsupportedError';
}

/**
 * The message of anything that was thrown, for a log line or a stored reason.
 *
 * @param thrown - what a `catch` received
 */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** The first line of a text: libraries put snippets and advice below what they have to say. */
export function firstLine(text: string): string {
  return text.slice(0, text.indexOf('\n') >>> 0);
}

const systemFaults: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or folder',
  EACCES: 'no permission',
  EPERM: 'no permission',
  EISDIR: 'a directory',
  ENOTDIR: 'a file where a directory belongs',
  EEXIST: 'a file where a directory belongs',
  EROFS: 'a read-only file system',
  ENOSPC: 'a full disk',
};

/**
 * What a failed access to a file found there, in words, for `InputFault.found`.
 *
 * @param error - what the file system threw
 */
export function foundBy(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return systemFaults[code] ?? messageOf(error);
}
