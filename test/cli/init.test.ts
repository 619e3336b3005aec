import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readDeviceProfile } from '../../src/device/profile.js';
import { starterBoard, starterDevices } from '../../src/init/choices.js';
import { writeStarter } from '../../src/init/files.js';
import { listNamed } from '../../src/base/named.js';
import { square } from '../../src/base/size.js';
import { readRecipe, readSuite } from '../../src/suite/read.js';
import { useFolder } from '../support/folder.js';
import { edgeflexProcess } from './support.js';
import { command, onTerminal } from './terminal.js';

const folder = useFolder();
const filesOf = (at: string): string[] =>
  readdirSync(at, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.yaml'))
    .sort();

describe('edgeflex init', () => {
  it('writes a suite, a recipe and a device that load and run', async () => {
    const cwd = folder();
    const made = await edgeflexProcess(['init', 'mine', '--recipe', 'int8', '--json'], {}, cwd);
    expect([made.code, made.err]).toEqual([0, '']);
    expect(filesOf(cwd)).toEqual(['devices/mine-cpu.yaml', 'recipes/mine-int8.yaml', 'suites/mine.yaml']);
    const run = await edgeflexProcess(
      [
        'run',
        'mine',
        '--images',
        '16',
        '--batch',
        '1',
        '--tier',
        'smoke',
        '--rounds',
        '1',
        '--json',
        '--quiet',
      ],
      {},
      cwd,
    );
    expect([run.code, run.err]).toEqual([0, '']);
    const { variants } = JSON.parse(run.out) as { variants: { recipe: string }[] };
    expect(variants.map(({ recipe }) => recipe)).toEqual(['fp32', 'mine-int8']);
  });

  it('writes all or nothing, and replaces nothing without --force', async () => {
    const cwd = folder();
    await mkdir(join(cwd, 'recipes'));
    const own = join(cwd, 'recipes', 'mine-int8.yaml');
    await writeFile(own, 'mine\n');
    const refused = await edgeflexProcess(['init', 'mine', '--recipe', 'int8'], {}, cwd);
    expect(refused.code).toBe(2);
    for (const part of ['recipes/mine-int8.yaml', '--force']) expect(refused.err).toContain(part);
    expect(filesOf(cwd)).toEqual(['recipes/mine-int8.yaml']);
    expect(readFileSync(own, 'utf8')).toBe('mine\n');

    await writeFile(join(cwd, 'devices'), 'a file where a folder belongs');
    const blocked = await edgeflexProcess(['init', 'other', '--recipe', 'int8'], {}, cwd);
    expect(blocked.code).toBe(2);
    expect(filesOf(cwd)).toEqual(['recipes/mine-int8.yaml']);
  });

  it('lets what earlier calls wrote stay', async () => {
    const cwd = folder();
    for (const name of ['one', 'two']) await edgeflexProcess(['init', name, '-y'], {}, cwd);
    const again = await edgeflexProcess(['init', 'one', '-y'], {}, cwd);
    expect(again.code).toBe(2);
    const forced = await edgeflexProcess(['init', 'one', '-y', '--force'], {}, cwd);
    expect(forced.code).toBe(0);
    expect(filesOf(cwd)).toHaveLength(6);
  });

  it('asks on a terminal for what no flag says', async () => {
    const cwd = folder();
    const { code, shown } = await onTerminal(command('init', '--recipe', 'int8', '--dataset', 'shapes10'), {
      cwd,
      types: [
        { after: 'Name of the suite', keys: '\u0015asked\r' },
        { after: 'Which model', keys: '\r' },
        { after: 'Where do you', keys: '\r' },
      ],
    });
    expect([code, shown]).toEqual([0, expect.stringContaining('edgeflex run asked')]);
    expect(filesOf(cwd)).toEqual(['devices/asked-cpu.yaml', 'recipes/asked-int8.yaml', 'suites/asked.yaml']);
  });

  it('writes nothing when the user leaves', async () => {
    const cwd = folder();
    const { code } = await onTerminal(command('init'), {
      cwd,
      types: [{ after: 'Name of the suite', keys: '\u0003' }],
    });
    expect(code).toBe(130);
    expect(filesOf(cwd)).toEqual([]);
  });

  it.each([
    [['init', 'quickstart', '-y'], ['quickstart']],
    [['init', 'My Suite', '-y'], ['My Suite']],
    [['init', 'mine', '-y', '--device', 'ssh'], ['--host']],
    [
      ['init', 'mine', '-y', '--device', 'cpu', '--host', 'pi'],
      ['--host', 'pi'],
    ],
    [['init', 'mine', '-y', '--model', 'vit-tinny'], ['vit-tinny']],
    [
      ['init', 'mine', '-y', '--dataset', 'shapes1'],
      ['shapes1', '"shapes10"'],
    ],
  ])('%j is refused', async (words, parts) => {
    const cwd = folder();
    const { code, err } = await edgeflexProcess(words, {}, cwd);
    expect(code).toBe(2);
    for (const part of parts) expect(err).toContain(part);
    expect(existsSync(join(cwd, 'suites'))).toBe(false);
  });
});

it('every recipe and every device begins files that load', async () => {
  const cwd = folder();
  const [usual] = starterDevices;
  const choose = async (
    recipe: string,
    device: (typeof starterDevices)[number],
    name: string,
  ): Promise<void> => {
    const files = await writeStarter(
      cwd,
      {
        ...{ name, recipe, device, images: { kind: 'named', name: 'shapes10' } },
        model: {
          kind: 'synthetic',
          name: 'vit-tiny',
          architecture: 'vit-tiny',
          imageSize: square(64),
          seed: 3,
        },
      },
      false,
    );
    const suite = await readSuite(join(cwd, files.suite));
    expect(suite.recipes.map(({ recipe: { steps } }) => steps)).toEqual([
      [],
      (await readRecipe(recipe)).steps,
    ]);
    expect(suite.models).toMatchObject([{ architecture: 'vit-tiny', imageSize: square(64), seed: 3 }]);
    const profile = await readDeviceProfile(suite.devices[0]!);
    expect(profile).toMatchObject({ kind: device.kind, ...device.fields });
  };
  for (const [index, { path }] of listNamed('recipe').entries())
    await choose(path, usual!, `recipe-${index}`);
  const [recipe] = listNamed('recipe');
  for (const device of [...starterDevices, starterBoard('pi@raspberry-pi-5')])
    await choose(recipe!.path, device, `on-${device.name}`);
});
