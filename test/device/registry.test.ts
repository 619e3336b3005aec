import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { packageRoot } from '../../src/base/paths.js';
import { defineDevice } from '../../src/device/kind.js';
import { localProfile } from '../../src/device/local/kind.js';
import { openDevice, openDevices } from '../../src/device/open.js';
import { readDeviceProfile } from '../../src/device/profile.js';
import { deviceKinds, kindOf, registerDevice } from '../../src/device/registry.js';
import { deviceReference, optionsIn } from '../../src/report/reference.js';
import { useFolder } from '../support/folder.js';
import { refusalOf } from '../support/refusal.js';

const folder = useFolder();

/** All that a new kind of device takes: this object, and the line that registers it. */
const twin = defineDevice({
  kind: 'x-twin',
  description: 'This machine by another name.',
  options: z.strictObject({ cores: z.number().int().positive().describe('How many it takes.') }),
  async open(profile, { cores }) {
    return { ...(await openDevice(localProfile({ threads: cores }))), profile, host: 'the twin' };
  },
});

async function profileOf(text: string): ReturnType<typeof readDeviceProfile> {
  await writeFile(folder('twin.yaml'), text);
  return readDeviceProfile(folder('twin.yaml'));
}

describe('a kind of device', () => {
  const before = deviceReference(deviceKinds());

  it("of EdgeFlex's own is in the reference in docs/, which `npm run docs` writes, with a word on every field", async () => {
    // Prettier has put the columns of the file in line.
    const flat = (text: string): string =>
      text
        .replace(/-{3,}/g, '---')
        .replace(/[ \t]+/g, ' ')
        .trim();
    const file = await readFile(join(packageRoot(), 'docs', 'reference', 'devices.md'), 'utf8');
    expect(flat(file)).toBe(flat(before));
    const bare = deviceKinds().flatMap(({ profile }) =>
      optionsIn(profile).filter(({ name, description }) => description === '' && name !== 'kind'),
    );
    expect(bare).toEqual([]);
  });

  it('is known to profiles, refusals and the reference once it is registered', async () => {
    const text = 'name: a\nkind: x-twin\noptions: { cores: 1 }\n';
    expect((await refusalOf(() => profileOf(text))).found).toContain('x-twin');
    registerDevice(twin);
    const device = await openDevice(await profileOf(text));
    expect(device).toMatchObject({ host: 'the twin', session: { threads: 1 }, profile: { name: 'a' } });
    await device.close();
    const fault = await refusalOf(() => profileOf('name: a\nkind: x-twin\noptions:\n  cores: 0\n'));
    expect(fault).toMatchObject({ source: `${folder('twin.yaml')}:4`, place: 'options.cores', found: '0' });
    expect((await refusalOf(() => profileOf('name: a\nkind: x-twni\n'))).expected).toContain('"x-twin"');
    for (const fact of ['`kind: x-twin`', 'by another name', '`options.cores`', 'How many'])
      expect(deviceReference(deviceKinds())).toContain(fact);
    expect(() => {
      registerDevice({ ...twin });
    }).toThrow(/x-twin/);
  });

  it('of a plug-in has a name that none of ours will ever have', () => {
    expect(() => defineDevice({ ...twin, options: z.object({}), kind: 'local' })).toThrow(/"x-"/);
  });

  it('says where paths in its profiles lead from, how a device is reached and what none may share', async () => {
    await mkdir(folder('boards'), { recursive: true });
    await writeFile(folder('boards', 'pi.yaml'), 'name: pi\nkind: ssh\nhost: pi5\nconfig: ssh.config\n');
    const board = await readDeviceProfile(folder('boards', 'pi.yaml'));
    expect(board).toMatchObject({ config: folder('boards', 'ssh.config') });
    expect(kindOf(board).reachedBy?.(board)).toContain('pi5');
    const page = await profileOf('name: page\nkind: browser\nprovider: wasm\nport: 8123\n');
    expect(kindOf(page).claim?.(page)).toMatchObject({ place: 'port', what: 'port 8123' });
  });

  it('is opened beside others, each in the place of its profile', async () => {
    const devices = await openDevices([localProfile({ name: 'one' }), localProfile({ name: 'two' })]);
    expect(devices.map(({ profile }) => profile.name)).toEqual(['one', 'two']);
    await Promise.all(devices.map((device) => device.close()));
  });
});
