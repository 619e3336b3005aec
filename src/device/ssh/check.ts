import { DeviceError } from '../../base/errors.js';
import type { Environment } from '../../protocol/environment.js';
import type { Finding } from '../kind.js';
import { Connection } from './connection.js';
import { boardEnvironment } from './environment.js';
import { findingsOf } from './findings.js';
import { probe, type BoardFacts } from './probe.js';
import type { SshProfile } from './profile.js';
import { hostOf } from './target.js';

/**
 * Looks at everything a run on a board depends on. Nothing is put on the board.
 *
 * @param profile - of the board
 * @returns what was found; when the board cannot be reached, that alone
 */
export async function checkBoard(profile: SshProfile): Promise<Finding[]> {
  const started = performance.now();
  try {
    return await connected(profile, async (connection) => {
      const seconds = ((performance.now() - started) / 1000).toFixed(1);
      return [
        { what: 'reachable', state: 'ok', found: `${hostOf(connection.target)} in ${seconds} s` },
        { what: 'host key', state: 'ok', found: 'the one in known_hosts' },
        ...findingsOf(await factsOf(connection, profile), profile),
      ];
    });
  } catch (error) {
    if (!(error instanceof DeviceError)) throw error;
    const [found = '', ...fix] = error.message.split('\n');
    return [{ what: 'reachable', state: 'fail', found, ...(fix.length > 0 && { fix: fix.join('\n') }) }];
  }
}

/**
 * What a board is. Nothing is put on it.
 *
 * @param profile - of the board
 * @throws DeviceError when it cannot be reached
 */
export function describeBoard(profile: SshProfile): Promise<Environment> {
  return connected(profile, async (connection) => {
    const facts = await factsOf(connection, profile);
    return boardEnvironment(facts, facts.node?.version ?? 'none', profile.emulated);
  });
}

function factsOf(connection: Connection, { folder, node }: SshProfile): Promise<BoardFacts> {
  return probe(
    connection,
    folder.replace(/^~\//, ''),
    node === undefined || node === 'bring' ? 'node' : node,
  );
}

/**
 * Does something over a connection of its own.
 *
 * @throws DeviceError when the board cannot be reached
 */
export async function connected<T>(
  { name, host, config }: SshProfile,
  act: (connection: Connection) => Promise<T>,
): Promise<T> {
  const connection = await Connection.open(name, { host, config });
  try {
    return await act(connection);
  } finally {
    await connection.close();
  }
}
