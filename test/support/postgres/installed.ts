import { readdirSync } from 'node:fs';
import { join } from 'node:path';

/** Where Debian puts each version of PostgreSQL. */
const versions = '/usr/lib/postgresql';

/** The folder of PostgreSQL's programs, of the newest version that is installed; undefined where there is none. */
export const postgresPrograms = programs();

function programs(): string | undefined {
  try {
    const [newest] = readdirSync(versions).sort((a, b) => Number(b) - Number(a));
    return newest === undefined ? undefined : join(versions, newest, 'bin');
  } catch {
    return undefined;
  }
}
