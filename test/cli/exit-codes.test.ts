import { spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { InputError, ResourceError } from '../../src/base/errors.js';
import { packageRoot } from '../../src/base/paths.js';
import { systemFailure } from '../../src/base/write-failure.js';
import { exitCodes } from '../../src/cli/failure.js';
import { openStore } from '../../src/store/open.js';
import { endCell, endRun, insertRound } from '../../src/store/write.js';
import { fullMeasurement, labels, placeOf, storeCell } from '../support/rows.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'edgeflex-test-'));
  const db = await openStore(join(folder, 'edgeflex.db'));
  for (const id of ['20261121-a', '20261122-b']) {
    const cell = await storeCell(db, id);
    await insertRound(db, placeOf(cell), fullMeasurement(), labels, false);
    await endCell(db, cell.id, 'done', null);
    await endRun(db, id, `2026-11-${id.slice(6, 8)}T11:00:00.000Z`);
  }
  await db.destroy();
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Runs a line of bash in which `edgeflex` is the real command. */
function bash(line: string): { readonly code: number | null; readonly out: string; readonly err: string } {
  const command = `edgeflex() { '${process.execPath}' '${join(packageRoot(), 'bin', 'edgeflex.js')}' "$@"; }`;
  const { status, stdout, stderr } = spawnSync('bash', ['-c', `${command}; set -o pipefail; ${line}`], {
    encoding: 'utf8',
    timeout: 50_000,
    env: { ...process.env, R: folder, EDGEFLEX_CACHE: join(folder, 'cache') },
  });
  return { code: status, out: stdout, err: stderr };
}

describe('a reader that leaves early', () => {
  test.each(['report 20261122 --json', 'compare 20261121 20261122 --json', 'runs --json'])(
    'does not make "edgeflex %s" fail',
    (command) => {
      const { code, err } = bash(`edgeflex ${command} --results $R | true`);
      expect(err).not.toContain('  at ');
      expect(err).not.toContain('EPIPE');
      expect(code).toBe(exitCodes.fine);
    },
  );
});

describe('output that cannot be written', () => {
  test.each(['report 20261122 --json', 'compare 20261121 20261122 --json', 'runs', '--help'])(
    'makes "edgeflex %s" fail, and not as a gate',
    (command) => {
      const results = command === '--help' ? '' : '--results $R';
      const { code, err } = bash(`edgeflex ${command} ${results} > /dev/full`);
      expect(code).toBe(exitCodes.device);
      expect(err).toContain('the disk is full');
      expect(err).not.toContain('  at ');
    },
  );
});

describe('what goes wrong', () => {
  test('while modules load is no failed gate', () => {
    // With so few descriptors not even the modules can be read.
    const { code } = bash('ulimit -n 24; edgeflex runs --results $R');
    expect([exitCodes.device, exitCodes.internal]).toContain(code);
  });

  test('with a seed that is no number is bad usage', () => {
    const { code, err } = bash('edgeflex compress vit-tiny --recipe none.yaml -o $R/out --seed abc');
    expect(code).toBe(exitCodes.usage);
    expect(err).toContain('--seed');
  });

  test('with a folder that is no good is bad usage, with what to name instead', () => {
    vi.stubEnv('EDGEFLEX_CACHE', '/proc/none');
    onTestFinished(() => void vi.unstubAllEnvs());
    const denied = Object.assign(new Error('no'), { code: 'EACCES', path: '/proc/none/a' });
    expect(systemFailure(new Error('outer', { cause: denied }))).toBeInstanceOf(InputError);
    expect(systemFailure(denied)!.message).toContain('EDGEFLEX_CACHE');
    const gone = Object.assign(new Error('no'), { code: 'ENOENT', path: join(tmpdir(), 'a') });
    expect(systemFailure(gone)!.message).toContain('TMPDIR');
    const full = Object.assign(new Error('no'), { code: 'ENOSPC', path: '/x' });
    expect(systemFailure(full)).toBeInstanceOf(ResourceError);
    const own = Object.assign(new Error('no'), { code: 'ENOENT', path: join(packageRoot(), 'dist', 'x') });
    expect(systemFailure(own)).toBeUndefined();
  });
});
