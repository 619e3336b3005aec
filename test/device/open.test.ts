import { writeFile } from 'node:fs/promises';
import { availableParallelism, totalmem } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/base/paths.js';
import { openDevice } from '../../src/device/open.js';
import { threadsOf } from '../../src/device/processors.js';
import { readDeviceProfile } from '../../src/device/profile.js';
import { environmentSchema } from '../../src/protocol/environment.js';
import { useFolder } from '../support/folder.js';
import { refusalOf } from '../support/refusal.js';

const folder = useFolder();

/** Writes a device profile and reads it. */
async function profileOf(text: string): ReturnType<typeof readDeviceProfile> {
  await writeFile(folder('device.yaml'), text);
  return readDeviceProfile(folder('device.yaml'));
}

describe('this machine as a device', () => {
  it('is described, and takes a thread for each core that it may use', async () => {
    const device = await openDevice(
      await readDeviceProfile(join(packageRoot(), 'devices', 'local-cpu.yaml')),
    );
    const { environment, session } = device;
    expect(environmentSchema.parse(environment)).toEqual(environment);
    expect(environment.node).toBe(process.versions.node);
    expect(environment.memoryBytes).toBe(totalmem());
    expect(environment.cpu.logicalCores).toBeGreaterThanOrEqual(availableParallelism());
    expect(Object.keys(environment.versions)).toContain('onnxruntime-node');
    expect(session).toEqual({ threads: threadsOf(undefined, environment) });
    await device.close();
  });

  it('takes the threads and session options of its profile', async () => {
    const profile = await profileOf('name: one\nkind: local\nthreads: 3\nsession: { arena: false }\n');
    expect((await openDevice(profile)).session).toEqual({ threads: 3, arena: false });
  });
});

describe('a device profile', () => {
  it.each([
    ['a kind that is not known', 'name: a\nkind: cloud\n', ':2', 'kind', '"local"'],
    ['a name that is no name', 'name: a b\nkind: local\n', ':1', 'name', 'a name of letters'],
    ['a key that is not known', 'name: a\nkind: local\ncores: 2\n', ':3', 'cores', 'threads'],
    ['no thread', 'name: a\nkind: local\nthreads: 0\n', ':3', 'threads', 'more than 0'],
  ])('with %s is refused at its line', async (_, text, line, place, expected) => {
    const fault = await refusalOf(() => profileOf(text));
    expect(fault.source).toBe(`${folder('device.yaml')}${line}`);
    expect(fault.place).toBe(place);
    expect(fault.expected).toContain(expected);
  });

  it('of a kind that a plug-in may bring is refused with the kinds that there are', async () => {
    const fault = await refusalOf(() => profileOf('name: a\nkind: x-locla\n'));
    expect(fault).toMatchObject({ source: `${folder('device.yaml')}:2`, place: 'kind' });
    for (const fact of ['"local"', '"browser"', '"ssh"', 'plug-in']) expect(fault.expected).toContain(fact);
  });

  it('that is not there is refused', async () => {
    const fault = await refusalOf(() => readDeviceProfile(folder('none.yaml')));
    expect(fault).toMatchObject({ source: folder('none.yaml'), expected: 'a device profile' });
  });
});
