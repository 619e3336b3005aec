import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { DeviceError } from '../../base/errors.js';
import { hashFile } from '../../base/hash.js';
import type { Connection, RunOptions } from './connection.js';

/** An upload may take so long for each MiB, and so long at least: a slow radio link, a slow card. */
const SECONDS_PER_MIB = 10;
const LEAST_SECONDS = 60;

/** How often a file that did not arrive as it was sent is sent again. */
const TRIES = 2;

const MIB = 1024 ** 2;

/** `$1`: a file of the store. Says how many bytes are there, of the whole file and of a part of it. */
const SIZES = `
whole=-; part=0
[ -f "$1" ] && whole=$(wc -c <"$1")
[ -f "$1.partial" ] && part=$(wc -c <"$1.partial")
echo $whole $part`;

/** `$1`: a file of the store, `$2`: how many of its bytes to keep. Takes the rest from standard input. */
const APPEND = `
mkdir -p "$(dirname -- "$1")" || exit 1
if [ "$2" = 0 ]; then : >"$1.partial" || exit 1; fi
cat >>"$1.partial"`;

/** `$1`: a file of the store, `$2`: its sum. A file that is another one is removed: 3. */
const COMPLETE = `
sum=$(sha256sum <"$1.partial") || exit 1
if [ "\${sum%% *}" != "$2" ]; then rm -f "$1.partial"; exit 3; fi
mv -f "$1.partial" "$1"`;

/** `$1`: a file of the store, `$2`: its sum. */
const VERIFY = `
sum=$(sha256sum <"$1") || exit 1
if [ "\${sum%% *}" != "$2" ]; then rm -f "$1"; exit 3; fi`;

/** `$1`: a folder, then pairs of a file of the store and its name there. Links where the disk can, copies elsewhere. */
const ARRANGE = `
folder=$1; shift
[ -d "$folder" ] && exit 0
rm -rf "$folder.partial"; mkdir -p "$folder.partial" || exit 1
while [ $# -gt 0 ]; do
  ln "$1" "$folder.partial/$2" 2>/dev/null || cp "$1" "$folder.partial/$2" || exit 1
  shift 2
done
mv "$folder.partial" "$folder"`;

/** How much of a file is on its way. */
export type OnUpload = (file: string, sent: number, total: number) => void;

/**
 * The files on a board, by what is in them: `store/<SHA-256>` in the work folder. A file is sent once, goes on after a break
 * where it stopped, and counts only when its SHA-256, computed on the board, is the one it has here.
 */
export class BoardFiles {
  /** Files that are known to be there and whole, by their sum. */
  private readonly present = new Set<string>();

  /**
   * @param connect - gives the connection, which may be another one after a break
   * @param folder - the work folder on the board, absolute
   */
  constructor(
    private readonly connect: () => Promise<Connection>,
    private readonly folder: string,
    private readonly onUpload: OnUpload = () => undefined,
  ) {}

  /** Forgets what is there: the board may have been set up anew. */
  forget(): void {
    this.present.clear();
  }

  /**
   * Brings a file to the board, if it is not there.
   *
   * @param path - the file here
   * @returns its path there
   * @throws LinkLost, or DeviceError when the board's disk is full, or the file does not arrive whole
   */
  async put(path: string): Promise<string> {
    const sum = await hashFile(path);
    const target = `${this.folder}/store/${sum}`;
    if (this.present.has(sum)) return target;
    const { size } = await stat(path);
    for (let left = TRIES; ; left--) {
      const arrived = await this.send(path, target, sum, size);
      if (arrived) break;
      if (left === 1)
        throw new DeviceError(
          `${basename(path)} does not arrive at the board as it was sent: its SHA-256 is another there`,
        );
    }
    this.present.add(sum);
    return target;
  }

  /**
   * Puts files of the store under names of their own into a folder of the work folder, if it is not there.
   *
   * @param name - of the folder, in the work folder
   * @param files - by their names in it: paths on the board
   * @returns its path on the board
   */
  async arrange(name: string, files: ReadonlyMap<string, string>): Promise<string> {
    const folder = `${this.folder}/${name}`;
    await this.run(ARRANGE, [folder, ...[...files].flatMap(([file, stored]) => [stored, file])]);
    return folder;
  }

  /** @returns whether the file is there and whole */
  private async send(path: string, target: string, sum: string, size: number): Promise<boolean> {
    const seconds = LEAST_SECONDS + (SECONDS_PER_MIB * size) / MIB;
    const [whole, part] = (await this.run(SIZES, [target])).stdout.trim().split(' ').map(Number);
    if (whole === size) return (await this.run(VERIFY, [target, sum], { seconds, allowed: 3 })).code === 0;
    // What is longer than the file is no part of it.
    const from = part !== undefined && part <= size ? part : 0;
    this.onUpload(basename(path), from, size);
    if (from < size || size === 0) {
      const input = this.read(path, from, size);
      await this.run(APPEND, [target, String(from)], { seconds, input });
    }
    return (await this.run(COMPLETE, [target, sum], { seconds, allowed: 3 })).code === 0;
  }

  private async *read(path: string, from: number, size: number): AsyncGenerator<Buffer> {
    let sent = from;
    for await (const chunk of createReadStream(path, { start: from }) as AsyncIterable<Buffer>) {
      yield chunk;
      sent += chunk.length;
      this.onUpload(basename(path), sent, size);
    }
  }

  private async run(
    script: string,
    args: readonly string[],
    { allowed = 0, ...options }: RunOptions & { allowed?: number } = {},
  ): ReturnType<Connection['run']> {
    const outcome = await (await this.connect()).run(script, args, options);
    if (outcome.code === 0 || outcome.code === allowed) return outcome;
    throw new DeviceError(boardFault(outcome.stderr, outcome.code));
  }
}

/**
 * Why a command on the board failed, in words.
 *
 * @param stderr - what it said
 * @param code - what it ended with
 */
export function boardFault(stderr: string, code: number): string {
  if (/no space left|disk quota exceeded/i.test(stderr))
    return `the board's disk is full: ${lastLine(stderr)}\nMake room there, or remove what runs left with "edgeflex devices clean".`;
  if (/read-only file system/i.test(stderr)) return `the board's disk is read-only: ${lastLine(stderr)}`;
  return `a command on the board ended with code ${code}${stderr && `: ${lastLine(stderr)}`}`;
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? '';
}
