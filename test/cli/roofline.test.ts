import { existsSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { exitCodes } from '../../src/cli/failure.js';
import { openForReading } from '../../src/store/open.js';
import { listRooflines } from '../../src/store/rooflines.js';
import { useFolder } from '../support/folder.js';
import { edgeflex, processesWith, start } from './support.js';

const folder = useFolder();

const env = (): NodeJS.ProcessEnv => ({ EDGEFLEX_CACHE: folder('cache') });

describe('edgeflex roofline', () => {
  test.each([
    [[], /expected a device profile, such as local-cpu, or --list/],
    [['nowhere.yaml'], /nowhere.yaml: found no such file or folder; expected a device profile/],
    [['devices/local-cpu.yaml', '--rounds', '1'], /from 2 to 1000/],
    [['devices/local-cpu.yaml', '--batch', '0'], /whole number from 1 to 4096/],
    [['--list'], /found no such file; expected a results database/],
  ])('refuses %j, and makes no database', async (args, message) => {
    const { code, err } = await edgeflex(['roofline', ...args, '--results', folder('none')], env());
    expect(code).toBe(exitCodes.usage);
    expect(err).toMatch(message);
    expect(existsSync(folder('none'))).toBe(false);
  });

  test('keeps nothing of what was stopped, and leaves no agent', async () => {
    const results = folder('results');
    const { child, ended } = start(['roofline', 'devices/local-cpu.yaml', '--results', results], env());
    const all = (): number[] => processesWith('EDGEFLEX_CACHE', folder('cache'));
    await expect.poll(() => all().length, { timeout: 30_000 }).toBeGreaterThan(1);
    child.kill('SIGINT');
    const { code, err } = await ended;
    expect(code).toBe(exitCodes.interrupted);
    expect(err).toContain('A roofline cannot be resumed: nothing was stored.');
    expect(all()).toEqual([]);
    const db = await openForReading(`${results}/edgeflex.db`);
    expect(await listRooflines(db)).toEqual([]);
    await db.destroy();
    const list = await edgeflex(['roofline', '--list', '--results', results], env());
    expect([list.code, list.out]).toEqual([0, 'No roofline has been measured yet.\n']);
  });
});
