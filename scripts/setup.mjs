// What an installation without the dependencies' install scripts (.npmrc) still lacks: better-sqlite3 is compiled where there is no
// binary for this Node. Version 13, which newer Nodes take (src/base/sqlite.ts), brings its binaries.
import { spawnSync } from 'node:child_process';

const opens = (name) =>
  spawnSync(process.execPath, ['-e', `new (require('${name}'))(':memory:').close()`], { stdio: 'ignore' })
    .status === 0;

if (!opens('better-sqlite3') && !opens('better-sqlite3-napi')) {
  const { status } = spawnSync(
    'npm',
    ['rebuild', '--ignore-scripts=false', '--foreground-scripts', 'better-sqlite3'],
    {
      stdio: 'inherit',
      shell: process.platform === 'win32',
    },
  );
  process.exitCode = status ?? 1;
}
