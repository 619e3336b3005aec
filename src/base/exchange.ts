import { randomBytes } from 'node:crypto';
import { existsSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { codeOf } from './write-failure.js';

/** How often others may exchange the same folder meanwhile. */
const MAX_TURNS = 100;

/**
 * Puts a folder in its place; one that is there already goes. There is no call that does both at once: whoever is killed between its two
 * renames leaves the old one beside its place, from where `restoreOutput` brings it back, whole. Others may do the same
 * meanwhile; the last one stays.
 *
 * @param staging - the new folder, on the same file system
 * @param target - where it belongs
 * @throws the file system's error; the old folder is in its place then
 */
export function exchangeFolders(staging: string, target: string): void {
  for (let turn = 0; ; turn++) {
    restoreOutput(target);
    try {
      if (existsSync(target)) renameSync(target, asideOf(target));
      renameSync(staging, target);
      break;
    } catch (error) {
      // Another process has put its own there, or has brought the old one back.
      if (wasQuicker(error) && turn < MAX_TURNS && existsSync(staging)) continue;
      restoreOutput(target);
      throw error;
    }
  }
  removeAside(target);
}

/**
 * Brings back an output folder whose exchange for another one was interrupted by a kill.
 *
 * @param folder - where it belongs; nothing happens where something is, or there is nothing to bring back
 * @throws the file system's error
 */
export function restoreOutput(folder: string): void {
  const target = resolve(folder);
  const aside = asideOf(target);
  if (!existsSync(aside)) return;
  if (existsSync(target)) {
    removeAside(target);
    return;
  }
  try {
    renameSync(aside, target);
  } catch (error) {
    if (!wasQuicker(error)) throw error;
  }
}

/**
 * Whether something is there to be read, when an output of which it is or was part has been brought back.
 *
 * @param path - a file or a folder
 */
export function isThere(path: string): boolean {
  if (existsSync(path)) return true;
  for (const each of [dirname(resolve(path)), resolve(path)])
    try {
      restoreOutput(each);
    } catch {
      // Where it cannot be brought back it is not there.
    }
  return existsSync(path);
}

/**
 * A name beside an output, new each time, by which what a killed process left is known.
 *
 * @param target - the output
 */
export function temporaryName(target: string): string {
  const own = `${process.pid}-${randomBytes(3).toString('hex')}`;
  return join(dirname(target), `${leftoversOf(target)}${own}`);
}

/**
 * How names begin that `temporaryName` gives.
 *
 * @param target - the output
 */
export function leftoversOf(target: string): string {
  return `.${basename(target)}.edgeflex-`;
}

/** Where the folder lies that is being exchanged for another one. */
function asideOf(target: string): string {
  return join(dirname(target), `${leftoversOf(target)}old`);
}

/** Takes away what was exchanged, by a name of its own: another process may put its own aside meanwhile. */
function removeAside(target: string): void {
  const mine = temporaryName(target);
  try {
    renameSync(asideOf(target), mine);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return;
    throw error;
  }
  rmSync(mine, { recursive: true, force: true });
}

function wasQuicker(error: unknown): boolean {
  return ['ENOENT', 'ENOTEMPTY', 'EEXIST'].includes(codeOf(error) ?? '');
}
