import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { messageOf } from '../base/errors.js';
import { probeWritable } from '../base/folder.js';
import { cacheDirectory } from '../base/paths.js';
import { Database } from '../base/sqlite.js';
import type { Finding } from '../device/kind.js';
import { nodeEngine } from '../runtime/node.js';

/** The oldest Node that EdgeFlex runs on, as its package says. */
const LEAST_NODE = [20, 19];

/** A ViT-Base in a few variants. */
const LEAST_FREE_BYTES = 5 * 1024 ** 3;

/**
 * Whether what EdgeFlex is made of works on this machine, and how to fix what does not. What fails makes every run impossible; a
 * warning, runs of one kind.
 */
export async function checkInstallation(): Promise<Finding[]> {
  return [
    nodeFinding(),
    await runtimeFinding(),
    databaseFinding(),
    await cacheFinding(),
    sshFinding(),
    keyFinding(),
  ];
}

function nodeFinding(): Finding {
  const what = 'Node';
  const found = process.versions.node;
  const [major = 0, minor = 0] = found.split('.').map(Number);
  const [leastMajor = 0, leastMinor = 0] = LEAST_NODE;
  if (major > leastMajor || (major === leastMajor && minor >= leastMinor))
    return { what, state: 'ok', found };
  return { what, state: 'fail', found, fix: `Install Node ${LEAST_NODE.join('.')} or newer.` };
}

async function runtimeFinding(): Promise<Finding> {
  const what = 'ONNX Runtime';
  try {
    const { version } = (await nodeEngine()).info;
    return { what, state: 'ok', found: version };
  } catch (error) {
    const fix = 'Reinstall it with "npm install onnxruntime-node"; it needs glibc 2.28 on Linux.';
    return { what, state: 'fail', found: messageOf(error), fix };
  }
}

function databaseFinding(): Finding {
  const what = 'SQLite';
  try {
    const database = new Database(':memory:');
    const version = database.prepare('select sqlite_version()').pluck().get();
    database.close();
    return { what, state: 'ok', found: String(version) };
  } catch (error) {
    const fix =
      'Build it with "npm rebuild better-sqlite3 --ignore-scripts=false"; that needs a C++ compiler, make and Python.';
    return { what, state: 'fail', found: messageOf(error), fix };
  }
}

async function cacheFinding(): Promise<Finding> {
  const what = 'cache';
  const folder = cacheDirectory();
  const tried = await probeWritable(folder).catch(() => undefined);
  if (tried === undefined) {
    const fix = 'Name another folder with EDGEFLEX_CACHE.';
    return { what, state: 'fail', found: `${folder} cannot be written`, fix };
  }
  const { bavail, bsize } = await statfs(tried);
  const found = `${folder}, ${((bavail * bsize) / 1024 ** 3).toFixed(1)} GiB free`;
  if (bavail * bsize >= LEAST_FREE_BYTES) return { what, state: 'ok', found };
  const fix =
    'Large models take several GiB: "edgeflex cache prune" makes room, EDGEFLEX_CACHE names another folder.';
  return { what, state: 'warn', found, fix };
}

function sshFinding(): Finding {
  const what = 'ssh';
  const { error, stderr } = spawnSync('ssh', ['-V'], { encoding: 'utf8' });
  if (error === undefined) return { what, state: 'ok', found: stderr.trim() };
  const fix = 'Boards are reached with it. Debian, Ubuntu: apt-get install openssh-client.';
  return { what, state: 'warn', found: 'not installed', fix };
}

function keyFinding(): Finding {
  const what = 'ssh keys';
  const folder = join(homedir(), '.ssh');
  const keys = existsSync(folder) ? readdirSync(folder).filter((name) => /^id_[a-z0-9_]+$/.test(name)) : [];
  const agent = spawnSync('ssh-add', ['-l'], { encoding: 'utf8' }).status === 0;
  if (keys.length > 0 || agent)
    return { what, state: 'ok', found: [...keys, ...(agent ? ['the ssh agent'] : [])].join(', ') };
  const fix = 'Boards take no passwords: "ssh-keygen -t ed25519", then "ssh-copy-id user@board".';
  return { what, state: 'warn', found: 'none', fix };
}
