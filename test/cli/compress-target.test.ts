import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { exitCodes } from '../../src/cli/failure.js';
import { edgeflex } from './support.js';

const MODEL = 'suites/models/vit-micro-shapes10';

describe('edgeflex compress refuses', () => {
  test.each<[string, string[], string]>([
    ['nothing to do', [], 'neither a recipe, nor a target, nor a budget of time'],
    [
      'a recipe and a budget of time',
      ['--recipe', 'suites/recipes/int8.yaml', '--budget', '30min'],
      'both a recipe and a budget of time',
    ],
    ['a budget of no time', ['--budget', '30'], 'such as 30min'],
    [
      'both of them',
      ['--recipe', 'suites/recipes/int8.yaml', '--target', 'latency=2x'],
      'both a recipe and a target',
    ],
    ['a target that says nothing', ['--target', 'latency=fast'], '--target: latency: found fast'],
    ['a single round', ['--target', 'latency=2x', '--rounds', '1'], 'from 2 to 1000'],
    [
      'a browser to search for',
      ['--target', 'latency=2x', '--device', 'devices/browser-wasm.yaml'],
      'browser-wasm: found a device of the kind "browser"',
    ],
  ])('%s', async (_, flags, found) => {
    const { code, err } = await edgeflex(['compress', MODEL, ...flags, '-o', join(tmpdir(), 'never')], {});
    expect(err).toContain(found);
    expect(code).toBe(exitCodes.usage);
  });
});
