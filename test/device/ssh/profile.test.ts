import { writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { readDeviceProfile } from '../../../src/device/profile.js';
import { useFolder } from '../../support/folder.js';
import { refusalOf } from '../../support/refusal.js';

const folder = useFolder();

async function profileOf(lines: string): ReturnType<typeof readDeviceProfile> {
  await writeFile(folder('board.yaml'), `name: board\nkind: ssh\n${lines}`);
  return readDeviceProfile(folder('board.yaml'));
}

describe('the profile of a board', () => {
  it('needs a host only; a configuration of its own lies beside it', async () => {
    expect(await profileOf('host: pi5\nconfig: ssh_config\n')).toMatchObject({
      ...{ host: 'pi5', folder: '.cache/edgeflex', emulated: false, config: folder('ssh_config') },
    });
  });

  it.each(['password: hunter2', 'passphrase: x', 'token: x', 'identityFile: ~/.ssh/id', 'privateKey: x'])(
    'with "%s" is refused: that is no place for a secret',
    async (line) => {
      const fault = await refusalOf(() => profileOf(`host: pi5\n${line}\n`));
      expect(fault.source).toBe(`${folder('board.yaml')}:4`);
      expect(fault.found).toBe('a place for a secret');
      expect(fault.expected).toContain('no passwords');
      expect(JSON.stringify(fault)).not.toContain('hunter2');
    },
  );

  it.each(['-oProxyCommand=touch${IFS}/tmp/hacked', '"a b"', '"a\\nb"', '""'])(
    'with the host %s is refused',
    async (host) => {
      const fault = await refusalOf(() => profileOf(`host: ${host}\n`));
      expect(fault.place).toBe('host');
      expect(fault.expected).toContain('a host name or an alias');
    },
  );

  it.each([
    ['price: { amount: 0, currency: EUR }', 'price.amount'],
    ['power: { idle: 3 }', 'power.load'],
    ['coolDown: { temperature: 60 }', 'coolDown.seconds'],
    ['meter: watts', 'meter'],
    ['folder: "a\\nb"', 'folder'],
  ])('with "%s" is refused at its place', async (line, place) => {
    const fault = await refusalOf(() => profileOf(`host: pi5\n${line}\n`));
    expect(fault.place).toBe(place);
  });
});
