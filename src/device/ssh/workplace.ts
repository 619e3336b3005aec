import { randomUUID } from 'node:crypto';
import { basename, join } from 'node:path';
import { DeviceError } from '../../base/errors.js';
import { hashFile } from '../../base/hash.js';
import { packageRoot } from '../../base/paths.js';
import type { SshProfile } from './profile.js';
import { BoardFiles, boardFault } from './board-files.js';
import { arm64Node, NODE_VERSION } from './bring-node.js';
import type { Connection } from './connection.js';
import { findingsOf, isNewEnough } from './findings.js';
import { probe, type BoardFacts } from './probe.js';
import { packedRuntime } from './runtime-package.js';

/** Says that a folder is ours, so that cleaning never empties another one. */
export const SIGN = 'edgeflex-board';

/** `$1`: the work folder, `$2`: a run's name. Prints the folder's absolute path. */
const FOUND = `
mkdir -p -- "$1" && cd -- "$1" && mkdir -p store models apps "runs/$2/tmp" && : >${SIGN} && pwd -P`;

/** `$1`: a folder of an unpacked archive. */
const IS_WHOLE = `cd "$1" 2>/dev/null && sha256sum -c SHA256SUMS >/dev/null 2>&1`;

/** `$1`: a folder to be, `$2`: the archive, which is removed. */
const UNPACK = `
rm -rf "$1" "$1.partial"
mkdir -p "$1.partial" && tar -xzf "$2" -C "$1.partial" || exit 1
(cd "$1.partial" && sha256sum -c SHA256SUMS >/dev/null) || exit 1
mv "$1.partial" "$1" && rm -f "$2"`;

/** Everything on a board that agents need, and where it lies. */
export interface Workplace {
  readonly facts: BoardFacts;
  readonly files: BoardFiles;
  /** Paths on the board, absolute. */
  readonly node: string;
  readonly nodeVersion: string;
  readonly agent: string;
  /** What only this run needs, removed at its end. */
  readonly run: string;
}

/**
 * Gets a board ready for agents: folder, Node, runtime, agent.
 *
 * @param connect - gives the connection
 * @param profile - of the board
 * @param id - of this run on the board; another one for each
 * @throws DeviceError when the board cannot run agents, or the disk is full
 */
export async function setUp(
  connect: () => Promise<Connection>,
  profile: SshProfile,
  id: string = randomUUID(),
): Promise<Workplace> {
  const wanted = profile.node === undefined || profile.node === 'bring' ? 'node' : profile.node;
  const relative = profile.folder.replace(/^~\//, '');
  const facts = await probe(await connect(), relative, wanted);
  const fault = findingsOf(facts, profile).find(({ state }) => state === 'fail');
  if (fault)
    throw new DeviceError(`device ${profile.name}: ${fault.what}: ${fault.found}. ${fault.fix ?? ''}`.trim());

  const run = async (script: string, args: readonly string[], seconds?: number): Promise<string> => {
    const { code, stdout, stderr } = await (
      await connect()
    ).run(script, args, { ...(seconds && { seconds }) });
    if (code !== 0) throw new DeviceError(`device ${profile.name}: ${boardFault(stderr, code)}`);
    return stdout;
  };
  const folder = absolute((await run(FOUND, [relative, id])).trim());
  const files = new BoardFiles(connect, folder);

  const runtime = await packedRuntime();
  const app = `apps/${basename(runtime, '.tar.gz')}`;
  const isWhole = await (await connect()).run(IS_WHOLE, [`${folder}/${app}`], { seconds: 300 });
  if (isWhole.code !== 0) await run(UNPACK, [`${folder}/${app}`, await files.put(runtime)], 600);
  // Beside the runtime, where Node looks for modules.
  const entry = join(packageRoot(), 'dist', 'agent', 'agent.mjs');
  const agents = `${app}/agent-${(await hashFile(entry)).slice(0, 32)}`;
  await files.arrange(agents, new Map([['agent.mjs', await files.put(entry)]]));

  const own =
    profile.node !== 'bring' && facts.node && isNewEnough(facts.node.version) ? facts.node : undefined;
  return {
    facts,
    files,
    node: own?.path ?? (await bringNode(files, run)),
    nodeVersion: own?.version ?? NODE_VERSION,
    agent: `${folder}/${agents}/agent.mjs`,
    run: `${folder}/runs/${id}`,
  };
}

/** @returns the path of a Node on the board that was brought there */
async function bringNode(
  files: BoardFiles,
  run: (script: string, args: readonly string[]) => Promise<string>,
): Promise<string> {
  const stored = await files.put(await arm64Node());
  const node = `${await files.arrange(`node-v${NODE_VERSION}`, new Map([['node', stored]]))}/node`;
  await run('chmod +x "$1" && "$1" --version', [node]);
  return node;
}

/** A path that a board says it has: only ever used on the board, but it must be one. */
function absolute(path: string): string {
  if (!/^\/[^\p{Cc}]{0,4000}$/u.test(path))
    throw new DeviceError(`the board says that its work folder is ${JSON.stringify(path.slice(0, 80))}`);
  return path === '/' ? '' : path;
}
