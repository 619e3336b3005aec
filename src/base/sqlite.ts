import { createRequire } from 'node:module';
import type Library from 'better-sqlite3';

/** Node-API that better-sqlite3 13 is built for: that of Node 22.14 and later. */
const NODE_API = 10;

/**
 * The class of SQLite connections, from the version of better-sqlite3 that runs on this Node. Version 12 aborts the process on
 * Node 24.19 and later: its objects are Node's own `ObjectWrap`, which there takes a hook back when it is collected and must
 * find the environment, and a collection may come while none is entered. Version 13 is built on Node-API, and crashes on Node 20.
 */
export const Database: typeof Library = load();

/** A connection to an SQLite file. */
export type Database = Library.Database;

function load(): typeof Library {
  const name = Number(process.versions['napi']) >= NODE_API ? 'better-sqlite3-napi' : 'better-sqlite3';
  try {
    return createRequire(import.meta.url)(name) as typeof Library;
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error) || error.code !== 'MODULE_NOT_FOUND') throw error;
    throw new Error(
      `${name}, which Node ${process.versions.node} needs, is not installed: "npm ci" under this version of Node installs it`,
      { cause: error },
    );
  }
}
