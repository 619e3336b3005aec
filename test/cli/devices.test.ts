import { writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import type { Finding } from '../../src/device/kind.js';
import { describeOnBoard, TestBoard } from '../support/board/board.js';
import { useFolder } from '../support/folder.js';
import { edgeflex } from './support.js';

const folder = useFolder();

describe('edgeflex devices', () => {
  it('lists profiles, also one that is none, and says which is an emulator', async () => {
    await writeFile(folder('here.yaml'), 'name: here\nkind: local\nprice: { amount: 900, currency: EUR }\n');
    await writeFile(folder('pi.yaml'), 'name: pi\nkind: ssh\nhost: pi5\nemulated: true\n');
    await writeFile(folder('bad.yaml'), 'name: bad\nkind: ssh\nhost: pi5\npassword: hunter2\n');
    const { code, out } = await edgeflex(['devices', 'list', '--devices', folder()], {});
    expect(code).toBe(0);
    expect(out).toContain('900 EUR');
    expect(out).toContain('pi (emulated)');
    expect(out).toContain('no passwords');
    expect(out).not.toContain('hunter2');
  });

  it('has ours in its folder', async () => {
    const { code, out } = await edgeflex(['devices', 'list', '--json'], {});
    expect(code).toBe(0);
    const listed = JSON.parse(out) as { path: string; profile?: { name: string } }[];
    expect(listed.every(({ profile }) => profile !== undefined)).toBe(true);
    expect(listed.map(({ profile }) => profile!.name)).toContain('raspberry-pi-5');
  });

  it('refuses a folder that is not there, a profile that is none, and to clean what is no board', async () => {
    await writeFile(folder('here.yaml'), 'name: here\nkind: local\n');
    for (const args of [
      ['list', '--devices', folder('none')],
      ['check', folder('none.yaml')],
      ['clean', folder('here.yaml')],
    ]) {
      const { code, err } = await edgeflex(['devices', ...args], {});
      expect(code).toBe(2);
      expect(err).toMatch(/^error: .*expected/);
    }
  });

  it('describes this machine', async () => {
    await writeFile(folder('here.yaml'), 'name: here\nkind: local\n');
    const { code, out } = await edgeflex(
      ['devices', 'describe', 'here', '--devices', folder(), '--json'],
      {},
    );
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ environment: { node: process.versions.node } });
  });
});

describeOnBoard('edgeflex devices, with a board', { timeout: 120_000 }, () => {
  it('checks it, ends with 3 when it is not to be used, and cleans it', async () => {
    const board = await TestBoard.start('pi');
    try {
      const good = await edgeflex(['devices', 'check', board.profilePath], {});
      expect(good.code).toBe(0);
      expect(good.out).toMatch(/✓ architecture +aarch64/);
      const cleaned = await edgeflex(['devices', 'clean', board.profilePath], {});
      expect(cleaned.out).toBe('pi: nothing to remove\n');

      await writeFile(board.knownHosts, '');
      const bad = await edgeflex(['devices', 'check', board.profilePath, '--json'], {});
      expect(bad.code).toBe(3);
      const [{ findings }] = JSON.parse(bad.out) as [{ findings: Finding[] }];
      expect(findings).toHaveLength(1);
      expect(findings[0]).toMatchObject({ state: 'fail' });
      expect(findings[0]!.fix).toContain('ssh-keyscan');
    } finally {
      await board.remove();
    }
  });
});
